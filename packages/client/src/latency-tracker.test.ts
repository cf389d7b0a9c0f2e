import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyTracker } from "./latency-tracker.ts";

test("the percentile is of the latest 256 answers, once there were 32", () => {
  const tracker = new LatencyTracker(0.95);
  for (let ms = 1; ms <= 31; ms++) tracker.record(ms);
  assert.equal(tracker.valueMs, undefined);
  tracker.record(32);
  assert.equal(tracker.valueMs, 31);
  for (let count = 0; count < 256; count++) tracker.record(7);
  assert.equal(tracker.valueMs, 7);
});

test("a percentile out of range is refused", () => {
  for (const percentile of [0, 1, Number.NaN]) assert.throws(() => new LatencyTracker(percentile), RangeError);
});
