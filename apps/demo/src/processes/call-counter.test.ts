import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounter, quantile } from "./call-counter.ts";

test("counts are since the start, rates and quantiles of the last five seconds", () => {
  const counter = new CallCounter();
  for (let i = 0; i < 100; i++) counter.count(1000 + i, i % 10 === 0, i + 1);
  assert.deepEqual(counter.read(1500), { total: 100, failed: 10, perSecond: 20, p50Ms: 51, p99Ms: 100 });
  assert.deepEqual(counter.read(7000), { total: 100, failed: 10, perSecond: 0, p50Ms: 0, p99Ms: 0 });
});

test("a call without a latency counts in everything but the quantiles", () => {
  const counter = new CallCounter();
  counter.count(0, false);
  counter.count(0, false, 8);
  assert.deepEqual(counter.read(0), { total: 2, failed: 0, perSecond: 0.4, p50Ms: 8, p99Ms: 8 });
});

test("however many calls there are, what is kept of them is bounded", () => {
  const counter = new CallCounter();
  for (let i = 0; i < 100_000; i++) counter.count(0, false, i % 2 === 0 ? 1 : 3);
  const { total, p50Ms, p99Ms } = counter.read(0);
  assert.deepEqual([total, p99Ms], [100_000, 3]);
  assert.ok(p50Ms === 1 || p50Ms === 3);
});

test("a quantile of nothing is 0", () => {
  assert.equal(quantile([], 0.5), 0);
});
