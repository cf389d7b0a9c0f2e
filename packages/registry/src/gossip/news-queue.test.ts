import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "./bytes.ts";
import { NewsQueue } from "./news-queue.ts";

const body = (n: number, size = 1): Uint8Array => Uint8Array.from({ length: size }, () => n);

/** First byte of each piece in the next packet. */
function next(queue: NewsQueue, maxBytes = 1_000, limit = 3): number[] {
  const w = new Writer(2_000);
  queue.write(w, maxBytes, limit);
  const found: number[] = [];
  for (let at = 0; at < w.pos; ) {
    const length = (w.bytes[at + 1] as number) | ((w.bytes[at + 2] as number) << 8);
    found.push(w.bytes[at + 3] as number);
    at += 3 + length;
  }
  return found;
}

test("each piece is sent as often as the limit says, then forgotten", () => {
  const queue = new NewsQueue();
  queue.add("a", 5, body(1), false);
  assert.deepEqual([next(queue), next(queue), next(queue), next(queue)], [[1], [1], [1], []]);
  assert.equal(queue.size, 0);
});

test("what was sent least goes first, the newest first among equals", () => {
  const queue = new NewsQueue();
  queue.add("a", 5, body(1), false);
  queue.add("b", 5, body(2), false);
  assert.deepEqual(next(queue, 4), [2]);
  queue.add("c", 5, body(3), false);
  assert.deepEqual(next(queue, 8), [3, 1]);
  assert.deepEqual(next(queue), [3, 1, 2]);
});

test("urgent news goes before what settles by itself", () => {
  const queue = new NewsQueue();
  queue.add("a", 5, body(1), true);
  queue.add("b", 5, body(2), false);
  assert.deepEqual(next(queue, 4), [1]);
  assert.deepEqual(next(queue, 4), [1]);
});

test("news about a subject replaces older news about it", () => {
  const queue = new NewsQueue();
  for (let i = 0; i < 10_000; i++) queue.add(`s${i % 3}`, 5, body(i % 3), i % 2 === 0);
  assert.equal(queue.size, 3);
  assert.deepEqual(
    next(queue).sort((a, b) => a - b),
    [0, 1, 2],
  );
});

test("a piece too large for the room left is passed over, not lost", () => {
  const queue = new NewsQueue();
  queue.add("small", 5, body(1), false);
  queue.add("large", 5, body(2, 500), false);
  assert.deepEqual(next(queue, 100), [1]);
  assert.deepEqual(next(queue), [2, 1]);
});
