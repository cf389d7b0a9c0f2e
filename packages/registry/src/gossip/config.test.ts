import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULT_TIMING,
  type GossipConfig,
  bucketCount,
  resolveTiming,
  retransmitLimit,
  suspicionMinMs,
  suspicionTimeoutMs,
} from "./config.ts";

test("the shortest suspicion grows with the logarithm of the cluster", () => {
  for (const [n, ms] of [
    [1, 1_000],
    [10, 1_000],
    [100, 2_000],
    [1_000, 3_000],
    [10_000, 4_000],
  ] as const)
    assert.equal(suspicionMinMs(DEFAULT_TIMING, n), ms, `N = ${n}`);
});

test("further accusers shorten a suspicion from three times its least to its least", () => {
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 100, 0), 6_000);
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 100, 1), 3_476);
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 100, 2), 2_000);
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 100, 9), 2_000);
});

test("a cluster too small for further accusers takes the shortest suspicion at once", () => {
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 3, 0), 1_000);
  assert.equal(suspicionTimeoutMs(DEFAULT_TIMING, 4, 0), 3_000);
});

test("news is sent mult × ceil(log10(n + 1)) times", () => {
  for (const [n, times] of [
    [1, 4],
    [9, 4],
    [10, 8],
    [99, 8],
    [100, 12],
    [1_000, 16],
  ] as const)
    assert.equal(retransmitLimit(DEFAULT_TIMING, n), times, `N = ${n}`);
});

test("buckets are a power of two near n / 8 within their bounds", () => {
  assert.deepEqual([0, 100, 129, 1_000, 1e6].map(bucketCount), [16, 16, 32, 128, 1_024]);
});

test("a bad configuration is refused with the field, its value and what was wanted", () => {
  const good: GossipConfig = { id: "a", address: "10.0.0.1:1", generation: 1 };
  assert.equal(resolveTiming(good).probePeriodMs, 500);
  for (const [change, message] of [
    [{ id: "" }, /id is "", wanted 1 to 64/],
    [{ id: "é" }, /wanted 1 to 64 printable ASCII/],
    [{ id: "x".repeat(65) }, /id is/],
    [{ generation: -1 }, /generation is -1/],
    [{ generation: 2 ** 48 }, /generation is/],
    [{ keys: [new Uint8Array(32)] }, /no aead/],
    [{ keys: [new Uint8Array(31)] }, /a key has 31 bytes, wanted 32/],
    [{ keys: [] }, /0 keys given/],
    [{ timing: { gossipIntervalMs: -5 } }, /timing.gossipIntervalMs is -5/],
    [{ timing: { maxDatagramBytes: 600 } }, /maxDatagramBytes is 600/],
    [{ timing: { maxRecordBytes: 2_000 } }, /maxRecordBytes is 2000/],
  ] as const)
    assert.throws(() => resolveTiming({ ...good, ...change }), message);
});
