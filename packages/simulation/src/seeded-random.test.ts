import assert from "node:assert/strict";
import { test } from "node:test";
import { between, seededRandom } from "./seeded-random.ts";

test("one seed gives one sequence, and another seed another", () => {
  assert.deepEqual(draws(1), draws(1));
  assert.notDeepEqual(draws(1), draws(2));
  assert.notDeepEqual(draws(1), draws(1 + 2 ** 32));
  assert.notDeepEqual(draws(1), draws(-1));
});

test("the sequence of a seed is the same on every machine and in every version", () => {
  const random = seededRandom(42);
  assert.deepEqual([random.u32(), random.u32(), random.u32()], [3578742640, 3751902994, 1877406420]);
  assert.deepEqual([...seededRandom(42).bytes(5)], [112, 71, 79, 213, 18]);
});

test("every bit of the draws is set about half of the time", () => {
  const random = seededRandom(3);
  const ones = Array.from({ length: 32 }, () => 0);
  for (let i = 0; i < 10_000; i++) {
    const word = random.u32();
    for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((word >>> bit) & 1);
  }
  for (const count of ones) assert.ok(Math.abs(count - 5_000) < 250, `a bit was set ${count} times of 10,000`);
});

test("between reaches both of its ends and nothing outside", () => {
  const random = seededRandom(9);
  const seen = new Set(Array.from({ length: 200 }, () => between(random, 3, 6)));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [3, 4, 5, 6],
  );
});

test("a seed that is no whole number is refused by name", () => {
  assert.throws(() => seededRandom(0.5), { name: "RangeError", message: "Seed: expected a safe integer, got 0.5" });
});

function draws(seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: 8 }, () => random.u32());
}
