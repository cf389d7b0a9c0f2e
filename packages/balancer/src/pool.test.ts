import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, peakEwma, roundRobin } from "@pipit/balancer";
import { endpoints, lowest, seeded, take, tally } from "../test/support/fixtures.ts";

function withStates(...states: NonNullable<Endpoint["state"]>[]): Endpoint[] {
  return states.map((state, index) => ({ id: `${state}${index}`, address: `${index}:1`, state }));
}

test("up goes before suspect before stale, and draining never", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(withStates("draining", "stale", "suspect", "up"));
  assert.deepEqual(take(balancer, 2), ["up3", "up3"]);
  balancer.update(withStates("draining", "stale", "suspect"));
  assert.deepEqual(take(balancer, 2), ["suspect2", "suspect2"]);
  balancer.update(withStates("draining", "stale"));
  assert.deepEqual(take(balancer, 2), ["stale1", "stale1"]);
  balancer.update(withStates("draining"));
  assert.equal(balancer.pick(), undefined);
});

test("a retry that excludes the best goes down the tiers, and the pick says which it came from", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(withStates("draining", "stale", "suspect", "up"));
  const tried: string[] = [];
  for (;;) {
    const pick = balancer.pick({ exclude: ({ id }) => tried.includes(id) });
    if (pick === undefined) break;
    assert.equal(pick.endpoint.id.startsWith(pick.tier), true);
    tried.push(pick.endpoint.id);
    pick.done({ result: "refused", elapsedMs: 1 });
  }
  assert.deepEqual(tried, ["up3", "suspect2", "stale1"]);
});

test("an endpoint that left is never picked once update has returned", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(endpoints(10));
  take(balancer, 5);
  balancer.update(endpoints(10).slice(0, 3));
  assert.deepEqual(tally(take(balancer, 30)), { e0: 10, e1: 10, e2: 10 });
  balancer.update([]);
  assert.equal(balancer.pick(), undefined);
});

test("a pick hands back the object of the latest update", () => {
  const balancer = roundRobin<Endpoint & { socket: object }>({ random: lowest });
  const socket = {};
  balancer.update([{ id: "a", address: "a:1", socket: {} }]);
  balancer.update([{ id: "a", address: "a:1", socket }]);
  assert.equal(balancer.pick()?.endpoint.socket, socket);
});

test("done is right with many picks in flight on one endpoint, and harmless after its removal", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(endpoints(1));
  const picks = Array.from({ length: 5 }, () => balancer.pick());
  balancer.update([]);
  for (const pick of picks) pick?.done({ result: "ok", elapsedMs: 1 });
  balancer.update(endpoints(1));
  assert.deepEqual(take(balancer, 1), ["e0"]);
});

test("update refuses a repeated id and a weight that is no weight, and then changes nothing", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(endpoints(2));
  assert.throws(
    () => balancer.update([...endpoints(1), ...endpoints(1)]),
    new RangeError('Cannot update endpoints: id "e0" appears twice, expected unique ids'),
  );
  assert.throws(
    () => balancer.update([{ id: "x", address: "x:1", weight: -1 }]),
    new RangeError('Cannot update endpoints: weight of "x" is -1, expected a finite number ≥ 0'),
  );
  assert.throws(() => balancer.update([{ id: "x", address: "x:1", weight: Number.NaN }]), RangeError);
  assert.deepEqual(tally(take(balancer, 10)), { e0: 5, e1: 5 });
});

test("a burst of picks reads the clock once in a millisecond or so, and slow picks once in 64", () => {
  let nowMs = 0;
  let readings = 0;
  const now = (): number => (readings++, nowMs);
  const balancer = peakEwma({ now, random: seeded(1) });
  balancer.update(endpoints(10));
  const pick = (count: number, everyMs: number): number => {
    const before = readings;
    for (let picks = 0; picks < count; picks += 1) {
      balancer.pick();
      nowMs += everyMs;
    }
    return readings - before;
  };
  assert.ok(pick(1_000_000, 0.0001) < 140);
  pick(8_192, 1);
  assert.equal(pick(6_400, 1), 100);
});
