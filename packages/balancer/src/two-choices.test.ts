import assert from "node:assert/strict";
import { test } from "node:test";
import { leastRequest, type PolicyBalancer, random, weightedRandom } from "@pipit/balancer";
import { endpoints, seeded, take, tally, weighted } from "../test/support/fixtures.ts";

const pickCount = 1_000_000;

/** The statistic, and what chance exceeds once in a thousand (Wilson and Hilferty's approximation). */
function chiSquare(balancer: PolicyBalancer, shares: Readonly<Record<string, number>>): [number, number] {
  const counts: Record<string, number> = {};
  for (let index = 0; index < pickCount; index += 1) {
    const id = balancer.pick()?.endpoint.id ?? "-";
    counts[id] = (counts[id] ?? 0) + 1;
  }
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  let statistic = 0;
  for (const [id, share] of Object.entries(shares)) {
    const expected = (pickCount * share) / total;
    statistic += ((counts[id] ?? 0) - expected) ** 2 / expected;
  }
  const freedom = Object.keys(shares).length - 1;
  return [statistic, freedom * (1 - 2 / (9 * freedom) + 3.0902 * Math.sqrt(2 / (9 * freedom))) ** 3];
}

test("random passes χ² at p > 0.001 over a million picks", () => {
  const balancer = random({ random: seeded(11) });
  balancer.update(endpoints(20));
  const [statistic, bound] = chiSquare(balancer, Object.fromEntries(endpoints(20).map(({ id }) => [id, 1])));
  assert.ok(statistic < bound, `${statistic}, bound ${bound}`);
});

test("the built-in generator passes χ² at p > 0.0001 over a million picks", () => {
  const balancer = random();
  balancer.update(endpoints(20));
  // Its seed is new at each run: five tries make a false alarm impossible in practice.
  const shares = Object.fromEntries(endpoints(20).map(({ id }) => [id, 1]));
  const passes = [1, 2, 3, 4, 5].some(() => {
    const [statistic, bound] = chiSquare(balancer, shares);
    return statistic < bound;
  });
  assert.ok(passes);
});

test("weighted random passes χ² at p > 0.001 over a million picks", () => {
  for (const [seed, weights] of [
    [12, [5, 1, 1]],
    [13, [100, 50, 25, 12, 6, 3, 1]],
    [14, [0.5, 0.25, 7]],
    [15, [1, 1, 1]],
  ] as const) {
    const balancer = weightedRandom({ random: seeded(seed) });
    const list = weighted(...weights);
    balancer.update(list);
    const [statistic, bound] = chiSquare(balancer, Object.fromEntries(list.map(({ id, weight = 1 }) => [id, weight])));
    assert.ok(statistic < bound, `${weights.join()}: ${statistic}, bound ${bound}`);
  }
});

test("weighted random gives an excluded endpoint's calls to the others by weight", () => {
  const balancer = weightedRandom({ random: seeded(2) });
  balancer.update(weighted(1_000, 3, 1));
  const { b = 0, c = 0, a = 0 } = tally(take(balancer, 4_000, { exclude: ({ id }) => id === "a" }));
  assert.equal(a, 0);
  assert.ok(b > c, `${b} and ${c}`);
});

test("least request picks the less busy of two", () => {
  const balancer = leastRequest({ random: seeded(1) });
  balancer.update(endpoints(2));
  const picks = Array.from({ length: 10 }, () => balancer.pick());
  assert.deepEqual(tally(picks.map((pick) => pick?.endpoint.id ?? "-")), { e0: 5, e1: 5 });
  for (const pick of picks) if (pick?.endpoint.id === "e0") pick.done({ result: "ok", elapsedMs: 1 });
  assert.deepEqual(
    Array.from({ length: 5 }, () => balancer.pick()?.endpoint.id),
    ["e0", "e0", "e0", "e0", "e0"],
  );
});

test("least request fills 1,000 endpoints with 1,000 calls no deeper than 4", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const balancer = leastRequest({ random: seeded(seed) });
    balancer.update(endpoints(1_000));
    for (let call = 0; call < 1_000; call += 1) balancer.pick();
    const deepest = Math.max(...balancer.pool.stats().map(({ inFlight }) => inFlight));
    assert.ok(deepest <= 4, `seed ${seed}: ${deepest}`);
  }
});

test("least request loads endpoints by weight", () => {
  const balancer = leastRequest({ random: seeded(1) });
  balancer.update(weighted(4, 2, 1, 1));
  for (let call = 0; call < 800; call += 1) balancer.pick();
  const loads = balancer.pool.stats().map(({ inFlight }) => inFlight);
  for (const [index, expected] of [400, 200, 100, 100].entries()) {
    assert.ok(Math.abs((loads[index] ?? 0) - expected) <= expected * 0.1, loads.join());
  }
});

test("an endpoint that is alone is picked, and excluded gives nothing", () => {
  const balancer = leastRequest({ random: seeded(1) });
  balancer.update(endpoints(1));
  assert.deepEqual(take(balancer, 2), ["e0", "e0"]);
  assert.equal(balancer.pick({ exclude: () => true }), undefined);
});
