import assert from "node:assert/strict";
import { test } from "node:test";
import { freeMemory } from "./free-memory.ts";

test("freed memory is gone at once: all views of it are empty, and the engine counts it no more", () => {
  const bytes = new Uint8Array(1024 * 1024).fill(7);
  const view = bytes.subarray(10, 20);
  const before = process.memoryUsage().arrayBuffers;
  freeMemory(bytes);
  assert.deepEqual([bytes.length, view.length, bytes.buffer.byteLength], [0, 0, 0]);
  assert.ok(process.memoryUsage().arrayBuffers <= before - 1024 * 1024);
});
