import assert from "node:assert/strict";
import { test } from "node:test";
import { mayTake } from "./fair-share.ts";

/** How many a newcomer gets that takes all it may. */
function take(free: number, total: number): number {
  let held = 0;
  while (mayTake(held, free - held, total)) held++;
  return held;
}

/** What each of so many gets that come one after the other, and take what they can for good. */
function inTurn(total: number, holders: number): number[] {
  let free = total;
  return Array.from({ length: holders }, () => {
    const held = take(free, total);
    free -= held;
    return held;
  });
}

/** What each of so many gets that take together until nobody may take more. */
function together(total: number, holders: number): number[] {
  const held = Array.from({ length: holders }, () => 0);
  let free = total;
  for (let took = true; took; ) {
    took = false;
    for (const [index, count] of held.entries()) {
      if (!mayTake(count, free, total)) continue;
      held[index] = count + 1;
      free--;
      took = true;
    }
  }
  return held;
}

test("one that is alone gets 94 %, and all of 16 places or fewer", () => {
  const table = [1, 6, 16, 17, 60, 100, 8192].map((total) => take(total, total));
  assert.deepEqual(table, [1, 6, 16, 16, 57, 94, 7696]);
});

test("each that takes what it can for good leaves something to those behind it", () => {
  assert.deepEqual(inTurn(8192, 10), [7696, 385, 66, 20, 9, 4, 3, 2, 1, 1]);
  assert.deepEqual(inTurn(1000, 5), [940, 47, 8, 2, 1]);
  assert.deepEqual(inTurn(100, 3), [94, 5, 1]);
});

test("k that take together get the same, to one, and leave about one part in 16 √k, much of it to one more", () => {
  for (const total of [100, 1000, 8192]) {
    for (let holders = 1; holders <= Math.sqrt(total); holders++) {
      const held = together(total, holders);
      const at = `${total} among ${holders}`;
      assert.ok(Math.max(...held) - Math.min(...held) <= 1, at);
      const free = total - held.reduce((sum, count) => sum + count, 0);
      const expected = total / (16 * Math.sqrt(holders));
      assert.ok(free >= Math.floor(0.75 * expected) && free <= expected, `${at}: ${free} free, about ${expected}`);
      const modest = take(free, total);
      assert.ok(modest >= Math.floor(0.45 * free), `${at}: ${modest} of ${free} to one more`);
    }
  }
});

test("who holds less may take whenever one who holds more may", () => {
  for (let held = 1; held < 200; held++) {
    for (let free = 0; free < 200; free++) assert.ok(mayTake(held - 1, free, 200) || !mayTake(held, free, 200));
  }
});

test("nobody takes what is not there", () => {
  assert.deepEqual([mayTake(0, 0, 9), mayTake(0, 8, 9, 9), mayTake(0, 9, 9, 9)], [false, false, true]);
});
