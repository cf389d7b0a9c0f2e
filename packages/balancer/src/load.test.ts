import assert from "node:assert/strict";
import { test } from "node:test";
import { type LoadReport, peakEwma, type PolicyBalancer, weightedRoundRobin } from "@pipit/balancer";
import { endpoints, lowest, seeded, take, tally } from "../test/support/fixtures.ts";

/** Each endpoint answers once in 10 ms, with a report by its id. */
function answerAll(balancer: PolicyBalancer, reports: Readonly<Record<string, LoadReport>>): void {
  const tried: string[] = [];
  for (;;) {
    const pick = balancer.pick({ exclude: ({ id }) => tried.includes(id) });
    if (pick === undefined) return;
    tried.push(pick.endpoint.id);
    pick.done({ result: "ok", elapsedMs: 10, load: reports[pick.endpoint.id] });
  }
}

test("load reports are clamped, and what is no number is ignored", () => {
  const balancer = peakEwma({ now: () => 0, random: lowest });
  balancer.update(endpoints(4));
  answerAll(balancer, {
    e0: { eventLoopDelayMs: 1e9, inFlight: 1e9 },
    e1: { eventLoopDelayMs: -5, inFlight: -5 },
    e2: { eventLoopDelayMs: Number.NaN, inFlight: "7" as unknown as number },
    e3: { eventLoopDelayMs: 12, inFlight: 7 },
  });
  const seen = balancer.pool.stats().map(({ eventLoopDelayMs, serverInFlight }) => [eventLoopDelayMs, serverInFlight]);
  assert.deepEqual(seen, [
    [1_000, 100_000],
    [0, 0],
    [0, undefined],
    [12, 7],
  ]);
});

test("load reports expire after 10 s", () => {
  let nowMs = 0;
  const balancer = peakEwma({ now: () => nowMs, random: lowest });
  balancer.update(endpoints(1));
  answerAll(balancer, { e0: { eventLoopDelayMs: 12, inFlight: 7 } });
  nowMs = 9_999;
  assert.equal(balancer.pool.stats()[0]?.serverInFlight, 7);
  nowMs = 10_000;
  assert.equal(balancer.pool.stats()[0]?.serverInFlight, undefined);
  assert.equal(balancer.pool.stats()[0]?.eventLoopDelayMs, 0);
});

test("peak ewma avoids a server whose event loop runs late, and one that holds more calls than is typical", () => {
  for (const report of [{ eventLoopDelayMs: 50 }, { inFlight: 200 }]) {
    const balancer = peakEwma({ now: () => 0, random: seeded(1) });
    balancer.update(endpoints(2));
    for (let round = 0; round < 5; round += 1) answerAll(balancer, { e0: report, e1: { inFlight: 5 } });
    const picks = Array.from({ length: 20 }, () => {
      const pick = balancer.pick();
      pick?.done({ result: "refused", elapsedMs: 0 });
      return pick?.endpoint.id ?? "-";
    });
    assert.deepEqual(tally(picks), { e1: 20 });
  }
});

/** Three endpoints under reported weights. */
function reported() {
  const clock = { nowMs: 0 };
  const balancer = weightedRoundRobin({ now: () => clock.nowMs, random: lowest, reported: true });
  balancer.update(endpoints(3));
  return { balancer, clock };
}

const busy: LoadReport = { utilization: 0.8, callsPerSecond: 100 };
const idle: LoadReport = { utilization: 0.2, callsPerSecond: 100 };

test("reported weights: calls per second by utilization, after a blackout of 10 s", () => {
  const { balancer, clock } = reported();
  answerAll(balancer, { e0: busy, e1: idle, e2: idle });
  clock.nowMs = 9_999;
  answerAll(balancer, { e0: busy, e1: idle, e2: idle });
  assert.deepEqual(tally(take(balancer, 9)), { e0: 3, e1: 3, e2: 3 });
  clock.nowMs = 11_000;
  // 125 : 500 : 500 around a mean of 375, in hundredths: 33 : 133 : 133.
  assert.deepEqual(tally(take(balancer, 299)), { e0: 33, e1: 133, e2: 133 });
});

test("reported weights: failing calls count as utilization", () => {
  const { balancer, clock } = reported();
  const failing = { ...idle, errorsPerSecond: 60 };
  answerAll(balancer, { e0: failing, e1: idle, e2: idle });
  clock.nowMs = 11_000;
  answerAll(balancer, { e0: failing, e1: idle, e2: idle });
  // 100 ÷ (0.2 + 0.6) = 125.
  assert.deepEqual(tally(take(balancer, 299)), { e0: 33, e1: 133, e2: 133 });
});

test("reported weights: who does not report counts as the mean, and fewer than two reports as none", () => {
  const { balancer, clock } = reported();
  answerAll(balancer, { e0: busy, e1: idle });
  clock.nowMs = 11_000;
  // 125 and 500, mean 312.5: 40 : 160 : 100.
  assert.deepEqual(tally(take(balancer, 300)), { e0: 40, e1: 160, e2: 100 });
  const alone = reported();
  answerAll(alone.balancer, { e0: busy });
  alone.clock.nowMs = 11_000;
  assert.deepEqual(tally(take(alone.balancer, 9)), { e0: 3, e1: 3, e2: 3 });
});

test("reported weights: expire after three minutes, and the blackout begins anew", () => {
  const { balancer, clock } = reported();
  answerAll(balancer, { e0: busy, e1: idle, e2: idle });
  clock.nowMs = 179_999;
  assert.deepEqual(tally(take(balancer, 299)), { e0: 33, e1: 133, e2: 133 });
  clock.nowMs = 181_000;
  assert.deepEqual(tally(take(balancer, 9)), { e0: 3, e1: 3, e2: 3 });
  answerAll(balancer, { e0: busy, e1: idle, e2: idle });
  clock.nowMs = 190_000;
  assert.deepEqual(tally(take(balancer, 9)), { e0: 3, e1: 3, e2: 3 });
  clock.nowMs = 191_000;
  assert.deepEqual(tally(take(balancer, 299)), { e0: 33, e1: 133, e2: 133 });
});
