import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, type PolicyBalancer, roundRobin } from "@pipit/balancer";
import { answer, endpoints, fail, lowest, take, tally } from "../test/support/fixtures.ts";
import { type CallCounts, ejectionLaw, ejectionMs, mostEjected, outliers } from "./ejection.ts";

/** Counts of `[successes, failures]` each. */
function counts(...pairs: readonly (readonly [number, number])[]): CallCounts[] {
  return pairs.map(([successes, failures]) => ({ successes, failures }));
}

const successRateOnly = ejectionLaw({ failurePercentage: false });
const percentageOnly = ejectionLaw({ successRate: false });

test("success rate: below mean − 1.9 standard deviations is out", () => {
  // Rates 1, 1, 1, 1, 0.5: mean 0.9, deviation 0.2, bound 0.52.
  const even = [100, 0] as const;
  assert.deepEqual(outliers(counts(even, even, even, even, [50, 50]), successRateOnly), [4]);
  // Rates 1 × 4, 0: mean 0.8, deviation 0.4, bound 0.04.
  assert.deepEqual(outliers(counts([0, 100], even, even, even, even), successRateOnly), [0]);
  // Rates 1, 1, 1, 0.5, 0.5: mean 0.8, deviation 0.2449, bound 0.3347: nobody stands out.
  assert.deepEqual(outliers(counts(even, even, even, [50, 50], [50, 50]), successRateOnly), []);
  // All alike: the bound is the mean itself, and nobody is below it.
  assert.deepEqual(outliers(counts([50, 50], [50, 50], [50, 50], [50, 50], [50, 50]), successRateOnly), []);
});

test("success rate: needs 5 endpoints with 100 calls, and judges only those", () => {
  const even = [100, 0] as const;
  assert.deepEqual(outliers(counts(even, even, even, [0, 100]), successRateOnly), []);
  assert.deepEqual(outliers(counts(even, even, even, even, [0, 99]), successRateOnly), []);
  assert.deepEqual(outliers(counts(even, even, even, even, even, [0, 99]), successRateOnly), []);
  assert.deepEqual(outliers(counts(even, even, even, even, even, [0, 100]), successRateOnly), [5]);
});

test("failure percentage: above 85 is out, at 85 is not", () => {
  const even = [50, 0] as const;
  assert.deepEqual(outliers(counts(even, even, even, [15, 85], [14, 86]), percentageOnly), [4]);
  assert.deepEqual(outliers(counts(even, even, even, even, [0, 49]), percentageOnly), []);
  assert.deepEqual(outliers(counts(even, even, even, even, even, [0, 49]), percentageOnly), []);
  assert.deepEqual(outliers(counts(even, even, even, [0, 50]), percentageOnly), []);
  assert.deepEqual(outliers(counts([0, 50], [0, 50], even, even, even), percentageOnly), [0, 1]);
});

test("an endpoint found by both rules is named once", () => {
  const even = [100, 0] as const;
  assert.deepEqual(outliers(counts(even, even, even, even, [0, 100]), ejectionLaw()), [4]);
});

test("at most a tenth is ejected, but one always may be", () => {
  assert.deepEqual(
    [1, 5, 9, 10, 19, 20, 100].map((count) => mostEjected(count, 10)),
    [1, 1, 1, 1, 1, 2, 10],
  );
  assert.equal(mostEjected(10, 100), 10);
  assert.equal(mostEjected(10, 0), 1);
});

test("ejections last 30 s times how often, up to 300 s", () => {
  const law = ejectionLaw();
  assert.deepEqual(
    [1, 2, 9, 10, 11, 1_000].map((times) => ejectionMs(times, law)),
    [30_000, 60_000, 270_000, 300_000, 300_000, 300_000],
  );
  assert.equal(ejectionMs(2, ejectionLaw({ baseMs: 500, longestMs: 100 })), 500);
});

test("options out of range are refused by name", () => {
  assert.throws(
    () => ejectionLaw({ intervalMs: -1 }),
    new RangeError("Cannot create a balancer: ejection.intervalMs is -1, expected a finite number ≥ 0"),
  );
  assert.throws(() => roundRobin({ panicThreshold: 2 }), RangeError);
});

/** A balancer over `count` endpoints and the hand of its clock. */
function setUp(count: number, rest: Parameters<typeof roundRobin>[0] = {}): Clocked {
  const clock = { nowMs: 0 };
  const balancer = roundRobin({ now: () => clock.nowMs, random: lowest, ejection: {}, ...rest });
  balancer.update(endpoints(count));
  return { balancer, clock };
}

interface Clocked {
  readonly balancer: PolicyBalancer;
  readonly clock: { nowMs: number };
}

/** Each endpoint gets `calls` calls; those to the bad ones fail. */
function callAll({ balancer }: Clocked, count: number, calls: number, isBad: (endpoint: Endpoint) => boolean): void {
  for (let call = 0; call < count * calls; call += 1) {
    const pick = balancer.pick();
    if (pick !== undefined && isBad(pick.endpoint)) fail(pick);
    else answer(pick);
  }
}

function ejected({ balancer }: Clocked): string[] {
  return balancer.pool
    .stats()
    .filter(({ isEjected }) => isEjected)
    .map(({ id }) => id);
}

test("a sweep after 10 s ejects, and the endpoint is back after exactly 30 s", () => {
  const fleet = setUp(5);
  callAll(fleet, 5, 100, ({ id }) => id === "e3");
  fleet.clock.nowMs = 9_999;
  take(fleet.balancer, 5);
  assert.deepEqual(ejected(fleet), []);
  fleet.clock.nowMs = 10_000;
  assert.deepEqual(Object.keys(tally(take(fleet.balancer, 40))).sort(), ["e0", "e1", "e2", "e4"]);
  assert.deepEqual(ejected(fleet), ["e3"]);
  fleet.clock.nowMs = 39_999;
  assert.equal(tally(take(fleet.balancer, 40))["e3"], undefined);
  fleet.clock.nowMs = 40_000;
  assert.equal(tally(take(fleet.balancer, 40))["e3"], 8);
});

test("the second ejection lasts twice as long, and good behaviour shortens the next", () => {
  const fleet = setUp(5, { ejection: { baseMs: 5_000 } });
  const spans: number[] = [];
  const misbehave = () => {
    callAll(fleet, 5, 100, ({ id }) => id === "e3");
    fleet.clock.nowMs += 10_000;
    take(fleet.balancer, 1);
    const startMs = fleet.clock.nowMs;
    while (ejected(fleet).length > 0) {
      fleet.clock.nowMs += 500;
      take(fleet.balancer, 1);
    }
    spans.push(fleet.clock.nowMs - startMs);
  };
  misbehave();
  misbehave();
  assert.deepEqual(spans, [5_000, 10_000]);
  // Two sweeps that leave it in take its count back from 2 to 0.
  for (let sweep = 0; sweep < 2; sweep += 1) {
    fleet.clock.nowMs += 10_000;
    take(fleet.balancer, 1);
  }
  misbehave();
  assert.equal(spans[2], 5_000);
});

test("of 20 endpoints of which 8 fail, 2 are ejected", () => {
  const fleet = setUp(20);
  callAll(fleet, 20, 100, ({ id }) => Number(id.slice(1)) < 8);
  fleet.clock.nowMs = 10_000;
  take(fleet.balancer, 1);
  assert.equal(ejected(fleet).length, 2);
});

test("an endpoint alone may be ejected, and panic uses it all the same", () => {
  const fleet = setUp(1);
  assert.equal(fleet.balancer.pool.eject("e0"), true);
  assert.deepEqual(take(fleet.balancer, 2), ["e0", "e0"]);
  const calm = setUp(1, { panicThreshold: 0 });
  assert.equal(calm.balancer.pool.eject("e0"), true);
  const pick = calm.balancer.pick();
  assert.equal(pick?.tier, "ejected");
});

test("with half of them ejected the rest is used, with more than half all are", () => {
  const fleet = setUp(10, { ejection: { maxPercent: 100 } });
  for (let index = 0; index < 5; index += 1) fleet.balancer.pool.eject(`e${index}`);
  assert.deepEqual(Object.keys(tally(take(fleet.balancer, 50))).sort(), ["e5", "e6", "e7", "e8", "e9"]);
  fleet.balancer.pool.eject("e5");
  assert.equal(Object.keys(tally(take(fleet.balancer, 50))).length, 10);
  fleet.balancer.pool.restore("e5");
  assert.equal(Object.keys(tally(take(fleet.balancer, 50))).length, 5);
});

test("stale and draining endpoints count in no percentage", () => {
  const { balancer } = setUp(0);
  const stale = endpoints(16).map((endpoint) => ({ ...endpoint, id: `s${endpoint.id}`, state: "stale" as const }));
  balancer.update([...endpoints(4), ...stale]);
  assert.equal(balancer.pool.eject("e0"), true);
  assert.equal(balancer.pool.eject("e1"), false, "a tenth of 20 would be 2, of 4 it is 1");
  assert.equal(balancer.pool.eject("se3"), false);
  assert.deepEqual(Object.keys(tally(take(balancer, 12))).sort(), ["e1", "e2", "e3"]);
});

test("when the others leave, what is ejected beyond the limit comes back, first the first to return", () => {
  const fleet = setUp(30);
  for (const [id, forMs] of [
    ["e0", 3_000],
    ["e1", 1_000],
    ["e2", 2_000],
  ] as const) {
    assert.equal(fleet.balancer.pool.eject(id, forMs), true);
  }
  fleet.balancer.update(endpoints(30).slice(0, 10));
  assert.deepEqual(ejected(fleet), ["e0"]);
});

test("a breaker's ejection lasts as long as it says, and restore ends it early", () => {
  const fleet = setUp(10);
  assert.equal(fleet.balancer.pool.eject("e0", 700), true);
  assert.equal(fleet.balancer.pool.eject("e0", 700), false);
  assert.equal(fleet.balancer.pool.eject("unknown"), false);
  fleet.clock.nowMs = 699;
  assert.equal(tally(take(fleet.balancer, 90))["e0"], undefined);
  fleet.clock.nowMs = 700;
  assert.equal(tally(take(fleet.balancer, 100))["e0"], 10);
  fleet.balancer.pool.eject("e1");
  assert.equal(fleet.balancer.pool.restore("e1"), true);
  assert.equal(fleet.balancer.pool.restore("e1"), false);
  assert.equal(tally(take(fleet.balancer, 100))["e1"], 10);
});

test("an ejected endpoint is the last resort before the stale ones", () => {
  const { balancer } = setUp(0, { panicThreshold: 0 });
  balancer.update([...endpoints(2), { id: "old", address: "old:1", state: "stale" }]);
  balancer.pool.eject("e0");
  const tried: string[] = [];
  for (;;) {
    const pick = balancer.pick({ exclude: ({ id }) => tried.includes(id) });
    if (pick === undefined) break;
    tried.push(pick.endpoint.id);
    answer(pick);
  }
  assert.deepEqual(tried, ["e1", "e0", "old"]);
});

test("refused and cancelled attempts eject nobody", () => {
  const fleet = setUp(5);
  for (let call = 0; call < 1_000; call += 1) {
    const pick = fleet.balancer.pick();
    const isBad = pick?.endpoint.id === "e3";
    pick?.done({ result: isBad ? (call % 2 === 0 ? "refused" : "cancelled") : "ok", elapsedMs: 1 });
  }
  fleet.clock.nowMs = 10_000;
  take(fleet.balancer, 1);
  assert.deepEqual(ejected(fleet), []);
});
