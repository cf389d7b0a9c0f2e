import assert from "node:assert/strict";
import { test } from "node:test";
import { createPool, type Endpoint, peakEwma, type PoolOptions, type Result } from "@pipit/balancer";
import { endpoints, seeded, take, tally } from "../test/support/fixtures.ts";

/** One endpoint, its clock, and a way to end calls to it. */
function setUp(options: PoolOptions = {}) {
  const clock = { nowMs: 0 };
  const balancer = peakEwma({ now: () => clock.nowMs, random: seeded(1), ...options });
  balancer.update(endpoints(1));
  const end = (result: Result, elapsedMs: number) => balancer.pick()?.done({ result, elapsedMs });
  const stats = () => {
    const [first] = balancer.pool.stats();
    assert.ok(first !== undefined);
    return first;
  };
  return { clock, balancer, end, stats };
}

function near(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-6 * expected, `${actual}, expected ${expected}`);
}

test("the first answer is the estimate, a slower one replaces it, a faster one pulls it down with time", () => {
  const { clock, end, stats } = setUp();
  assert.equal(stats().latencyMs, undefined);
  end("ok", 20);
  near(stats().latencyMs, 20);
  clock.nowMs = 2_000;
  end("ok", 50);
  near(stats().latencyMs, 50);
  end("ok", 10);
  near(stats().latencyMs, 50);
  clock.nowMs = 12_000;
  near(stats().latencyMs, 50 / Math.E);
  end("ok", 10);
  near(stats().latencyMs, 50 / Math.E + 10 * (1 - 1 / Math.E));
});

test("an estimate holds eight times as long as it was learnt for, 250 ms at least and `decayMs` at most", () => {
  const { clock, end, stats } = setUp();
  end("ok", 50);
  clock.nowMs = 250;
  near(stats().latencyMs, 50 / Math.E);
  end("ok", 50);
  clock.nowMs = 250 + 8 * 250;
  near(stats().latencyMs, 50 / Math.E);
  end("ok", 50);
  clock.nowMs += 10_000;
  near(stats().latencyMs, 50 / Math.E);
});

test("a cancelled attempt raises the estimate to the time it took, and never lowers it", () => {
  const { end, stats } = setUp();
  end("ok", 20);
  end("cancelled", 5);
  near(stats().latencyMs, 20);
  end("cancelled", 45);
  near(stats().latencyMs, 45);
});

test("lower bounds in a row double, until an answer comes", () => {
  const { clock, end, stats } = setUp();
  end("ok", 20);
  for (const expected of [45, 90, 180, 360]) {
    end("cancelled", 45);
    near(stats().latencyMs, expected);
  }
  for (let more = 0; more < 20; more += 1) end("cancelled", 45);
  near(stats().latencyMs, 5_000);
  clock.nowMs = 100_000;
  end("ok", 20);
  end("cancelled", 45);
  near(stats().latencyMs, 45);
});

test("failures set a penalty that doubles with the streak up to the most, fades fast, and leaves the estimate alone", () => {
  const { clock, end, stats } = setUp({ penaltyMs: 1_000 });
  for (let call = 0; call < 500; call += 1) end("ok", 10);
  const latencyMs = stats().latencyMs;
  for (const expected of [80, 160, 320, 640, 1_000, 1_000]) {
    end("failed", 0.5);
    const { penaltyMs } = stats();
    assert.ok(Math.abs(penaltyMs - expected) < expected * 1e-3, `${penaltyMs}, expected ${expected}`);
  }
  assert.equal(stats().latencyMs, latencyMs);
  assert.equal(stats().failureStreak, 6);
  clock.nowMs = 2_000;
  near(stats().penaltyMs, 1_000 / Math.E);
  end("ok", 10);
  assert.equal(stats().failureStreak, 0);
});

test("a refusal changes nothing but the count in flight", () => {
  const { end, stats } = setUp();
  end("ok", 20);
  const before = stats();
  end("refused", 5_000);
  assert.deepEqual(stats(), before);
});

test("an untimed attempt counts by how it ended, and teaches no latency", () => {
  const { balancer, end, stats } = setUp();
  const untimed = (result: "ok" | "failed" | "cancelled"): void =>
    balancer.pick()?.done({ result, elapsedMs: 5_000, untimed: true });
  untimed("ok");
  untimed("cancelled");
  assert.equal(stats().latencyMs, undefined);
  end("ok", 20);
  for (const result of ["ok", "cancelled", "failed"] as const) untimed(result);
  near(stats().latencyMs, 20);
  assert.equal(stats().failureStreak, 1);
  assert.ok(stats().penaltyMs > 0 && stats().penaltyMs < 500, "the penalty is of what is typical, not of the connect");
  untimed("ok");
  assert.equal(stats().failureStreak, 0);
});

test("absurd times are clamped", () => {
  const { end, stats } = setUp();
  end("ok", Number.NaN);
  assert.equal(stats().latencyMs, 0);
  end("ok", -5);
  assert.equal(stats().latencyMs, 0);
  end("ok", Number.POSITIVE_INFINITY);
  near(stats().latencyMs, 3_600_000);
});

test("statistics survive an update, and begin anew with a new generation or after a removal", () => {
  let nowMs = 0;
  const pool = createPool({ now: () => nowMs });
  const balancer = peakEwma({ pool });
  const one: Endpoint = { id: "a", address: "a:1", generation: 1 };
  const latency = () => pool.stats()[0]?.latencyMs;
  balancer.update([one]);
  balancer.pick()?.done({ result: "ok", elapsedMs: 20 });
  balancer.update([{ ...one, weight: 3, state: "suspect" }, ...endpoints(3)]);
  near(latency(), 20);
  nowMs = 1;
  balancer.update([{ ...one, generation: 2 }]);
  assert.equal(latency(), undefined);
  balancer.pick()?.done({ result: "ok", elapsedMs: 30 });
  balancer.update([]);
  balancer.update([{ ...one, generation: 2 }]);
  assert.equal(latency(), undefined);
});

test("an endpoint of which nothing is known gets one call at a time", () => {
  const balancer = peakEwma({ now: () => 0, random: seeded(1) });
  balancer.update(endpoints(2));
  for (let call = 0; call < 20; call += 1) balancer.pick()?.done({ result: "ok", elapsedMs: 10 });
  balancer.update([...endpoints(2), { id: "new", address: "new:1" }]);
  const picks = Array.from({ length: 30 }, () => balancer.pick()?.endpoint.id ?? "-");
  assert.equal(tally(picks)["new"], 1);
});

test("the endpoint that is faster gets the calls, and loses them as they pile up there", () => {
  const balancer = peakEwma({ now: () => 0, random: seeded(1) });
  balancer.update(endpoints(2));
  for (let call = 0; call < 20; call += 1) {
    const pick = balancer.pick();
    pick?.done({ result: "ok", elapsedMs: pick.endpoint.id === "e0" ? 10 : 40 });
  }
  const picks = Array.from({ length: 5 }, () => balancer.pick()?.endpoint.id ?? "-");
  assert.deepEqual(tally(picks), { e0: 4, e1: 1 });
});

test("options out of range are refused by name", () => {
  assert.throws(
    () => peakEwma({ decayMs: 0 }),
    new RangeError("Cannot create a balancer: decayMs is 0, expected a finite number ≥ 1"),
  );
  assert.throws(() => peakEwma({ penaltyMs: Number.NaN }), RangeError);
});

test("a shared pool is told what to do at its making, not by its balancers", () => {
  const pool = createPool();
  assert.throws(
    () => peakEwma({ pool, decayMs: 5 }),
    new TypeError("Cannot create a balancer: decayMs is given beside pool, expected it in createPool"),
  );
  const one = peakEwma({ pool });
  const other = peakEwma({ pool });
  one.update(endpoints(2));
  assert.equal(take(other, 3).includes("-"), false);
  one.update([]);
  assert.equal(other.pick(), undefined);
});

test("a cold first answer costs an endpoint its calls for a second, not for half a minute", () => {
  const clock = { nowMs: 0 };
  const balancer = peakEwma({ now: () => clock.nowMs, random: seeded(1) });
  balancer.update(endpoints(2));
  const late: string[] = [];
  let coldMs = 5;
  for (; clock.nowMs < 3_000; clock.nowMs += 10) {
    const pick = balancer.pick();
    assert.ok(pick !== undefined);
    const isCold = pick.endpoint.id === "e1" && coldMs > 0;
    pick.done({ result: "ok", elapsedMs: isCold ? coldMs : 0.2 + 0.1 * ((clock.nowMs / 10) % 2) });
    if (isCold) coldMs = 0;
    if (clock.nowMs >= 1_500) late.push(pick.endpoint.id);
  }
  const { e1 = 0 } = tally(late);
  assert.ok(e1 >= late.length / 4, `${e1} of ${late.length} calls`);
});

test("an endpoint that is truly slow gets three calls in its first minute", () => {
  const clock = { nowMs: 0 };
  const balancer = peakEwma({ now: () => clock.nowMs, random: seeded(1) });
  balancer.update(endpoints(2));
  let slow = 0;
  for (; clock.nowMs < 60_000; clock.nowMs += 10) {
    const pick = balancer.pick();
    const isSlow = pick?.endpoint.id === "e1";
    if (isSlow) slow += 1;
    pick?.done({ result: "ok", elapsedMs: isSlow ? 100 : 5 });
  }
  assert.ok(slow >= 2 && slow <= 4, `${slow} calls`);
});
