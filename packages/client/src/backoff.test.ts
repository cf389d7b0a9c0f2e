import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@pipit/simulation";
import { backoffMs, defaultBackoff, retryDelayMs } from "./backoff.ts";

/** Draws the same number each time. */
const drawing = (u32: number): { u32(): number; bytes(count: number): Uint8Array } => ({
  u32: () => u32,
  bytes: (count) => new Uint8Array(count),
});
const middle = drawing(0x8000_0000);

test("connection backoff is 1 s, 1.6-fold each time, to 120 s", () => {
  const waits = [1, 2, 3, 4, 11, 12, 1000].map((failures) => Math.round(backoffMs(failures, defaultBackoff, middle)));
  assert.deepEqual(waits, [1000, 1600, 2560, 4096, 109951, 120000, 120000]);
});

test("jitter keeps within 20 % either way and reaches both ends", () => {
  assert.equal(Math.round(backoffMs(1, defaultBackoff, drawing(0))), 800);
  assert.equal(Math.round(backoffMs(1, defaultBackoff, drawing(0xffff_ffff))), 1200);
});

test("a retry waits anything from nothing to a ceiling that doubles, to its greatest", () => {
  const random = seededRandom(3);
  for (const [retry, ceiling] of [
    [1, 25],
    [2, 50],
    [3, 100],
    [10, 1000],
  ] as const) {
    const waits = Array.from({ length: 500 }, () => retryDelayMs(retry, { baseMs: 25, maxMs: 1000 }, random));
    assert.ok(waits.every((wait) => wait >= 0 && wait < ceiling));
    assert.ok(Math.max(...waits) > ceiling * 0.9 && Math.min(...waits) < ceiling * 0.1);
  }
});
