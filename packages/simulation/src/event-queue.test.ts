import assert from "node:assert/strict";
import { test } from "node:test";
import { EventQueue } from "./event-queue.ts";
import { seededRandom } from "./seeded-random.ts";

test("events leave by their moment, and in insertion order within one moment", () => {
  const random = seededRandom(7);
  const queue = new EventQueue<number>();
  const expected: { atMs: number; value: number }[] = [];
  for (let value = 0; value < 2_000; value++) {
    const atMs = random.u32() % 50;
    queue.push(atMs, value);
    expected.push({ atMs, value });
  }
  expected.sort((a, b) => a.atMs - b.atMs || a.value - b.value);
  assert.deepEqual(drain(queue), expected);
  assert.equal(queue.size, 0);
});

test("a cancelled event never leaves, and cancelling twice or late changes nothing", () => {
  const queue = new EventQueue<string>();
  const cancelA = queue.push(1, "a");
  const cancelB = queue.push(2, "b");
  queue.push(3, "c");
  cancelB();
  cancelB();
  assert.equal(queue.size, 2);
  assert.deepEqual(queue.shift(), { atMs: 1, value: "a" });
  cancelA();
  assert.equal(queue.size, 1);
  assert.equal(queue.nextAtMs, 3);
  assert.deepEqual(queue.shift(), { atMs: 3, value: "c" });
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.nextAtMs, undefined);
});

test("an event with no moment is refused", () => {
  assert.throws(() => new EventQueue().push(Number.NaN, 0), RangeError);
});

function drain<T>(queue: EventQueue<T>): { atMs: number; value: T }[] {
  const out = [];
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) out.push(event);
  return out;
}
