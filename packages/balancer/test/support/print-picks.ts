// Prints where 1,000 keys go, over 50 endpoints in the order that argument 2 (a seed) shuffles them to: for tests that run
// it twice.
import { boundedLoad, maglev, rendezvous, ringHash } from "@pipit/balancer";
import { endpoints, seeded, take } from "./fixtures.ts";

const random = seeded(Number(process.argv[2]));
const list = endpoints(50).map((endpoint, index) => ({ ...endpoint, weight: 1 + (index % 4) }));
list.sort((a, b) => (random.u32() % 2 === 0 ? 1 : -1) * (a.id < b.id ? -1 : 1));
for (const policy of [boundedLoad, maglev, rendezvous, ringHash]) {
  const balancer = policy();
  balancer.update(list);
  console.log(Array.from({ length: 1_000 }, (_, key) => take(balancer, 1, { hashKey: `ключ ${key}` })[0]).join(" "));
}
