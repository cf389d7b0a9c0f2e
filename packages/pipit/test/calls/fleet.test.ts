import assert from "node:assert/strict";
import type { PipitClient } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { outcome } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

/** Ten replicas that take 20 ms for a call. */
async function fleet(world: World): Promise<{ addresses: string[]; served: Map<string, number> }> {
  const served = new Map<string, number>();
  const addresses: string[] = [];
  for (let index = 0; index < 10; index++) {
    const name = String(index);
    const server = world.server().handle(Probe, {
      safe: () =>
        new Promise((resolve) => {
          world.clock.after(20, () => {
            served.set(name, (served.get(name) ?? 0) + 1);
            resolve({ text: name });
          });
        }),
    } as never);
    addresses.push(await world.listen(server));
  }
  return { addresses, served };
}

/** Its process is gone: connections reset, nobody listens. */
function kill(world: World, address: string): void {
  world.faults.refuse(address);
  world.faults.reset(address);
}

function calls(client: PipitClient, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const end = await outcome(client.call(Probe.methods.safe, { text: "" }));
      return "error" in end ? end.error.message : "ok";
    }),
  );
}

holdsEverywhere((it) => {
  it("one of ten killed right at the start, with 1,024 safe calls in flight and an empty budget, fails none", async (world) => {
    const { addresses } = await fleet(world);
    const client = world.client(addresses);
    const ends = calls(client, 1024);
    await world.until(() => client.stats().endpoints.every(({ state }) => state === "ready"));
    kill(world, addresses[3] ?? "");
    assert.deepEqual(new Set(await world.run(ends)), new Set(["ok"]));
    assert.ok(client.stats().calls.retries > 0);
  });

  it("six of ten killed at once cost later calls nothing, and they get none", async (world) => {
    const { addresses } = await fleet(world);
    const client = world.client(addresses);
    assert.deepEqual(new Set(await world.run(calls(client, 200))), new Set(["ok"]));
    const dead = addresses.slice(0, 6);
    for (const address of dead) kill(world, address);
    await world.until(() => client.stats().endpoints.filter(({ state }) => state === "transient_failure").length === 6);
    const before = client.stats().endpoints.map(({ callCount }) => callCount);
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(new Set(await world.run(calls(client, 100))), new Set(["ok"]));
    }
    const after = client.stats().endpoints.map(({ callCount }) => callCount);
    const toDead = after.slice(0, 6).reduce((sum, count, index) => sum + count - (before[index] ?? 0), 0);
    assert.ok(toDead <= 5, `${toDead} of 500 calls went to dead endpoints`);
  });
});
