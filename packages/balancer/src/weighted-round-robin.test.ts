import assert from "node:assert/strict";
import { test } from "node:test";
import { weightedRoundRobin } from "@pipit/balancer";
import { lowest, seeded, take, tally, weighted } from "../test/support/fixtures.ts";

function first(count: number, ...weights: number[]): string {
  const balancer = weightedRoundRobin({ random: lowest });
  balancer.update(weighted(...weights));
  return take(balancer, count).join("");
}

test("weights 5, 1, 1 give a a b a c a a, over and over", () => {
  assert.equal(first(14, 5, 1, 1), "aabacaaaabacaa");
});

test("small cycles are exact", () => {
  assert.equal(first(4, 1), "aaaa");
  assert.equal(first(4, 1, 1), "abab");
  assert.equal(first(8, 3, 1), "aabaaaba");
  assert.equal(first(3, 200, 100), "aba");
  assert.deepEqual(tally(first(7, 4, 2, 1)), { a: 4, b: 2, c: 1 });
});

test("fractions count in proportion", () => {
  assert.deepEqual(tally(first(3, 1, 0.5)), { a: 2, b: 1 });
});

test("clients that start together begin at different points of the cycle", () => {
  const starts = Array.from({ length: 40 }, (_, seed) => {
    const balancer = weightedRoundRobin({ random: seeded(seed) });
    balancer.update(weighted(5, 1, 1));
    return take(balancer, 7).join("");
  });
  assert.ok(new Set(starts).size >= 5, `${new Set(starts).size} different cycles`);
  for (const start of starts) assert.deepEqual(tally(start), { a: 5, b: 1, c: 1 });
});

test("an excluded endpoint's turns go to the others, however heavy it is", () => {
  const balancer = weightedRoundRobin({ random: lowest });
  balancer.update(weighted(1000, 1));
  assert.deepEqual(take(balancer, 3, { exclude: ({ id }) => id === "a" }), ["b", "b", "b"]);
});
