import assert from "node:assert/strict";
import { test } from "node:test";
import { violatedRules } from "./nelson-rules.ts";

/** A chart on which a value is its own distance in sigmas. */
const limits = { lower: -3, centre: 0, upper: 3 };

/** Nelson's patterns, each with the point that completes it last, and beside it one that just fails. */
const patterns: readonly (readonly [rule: number, violating: readonly number[], obeying: readonly number[]])[] = [
  [1, [0, 3.01], [0, 3]],
  [1, [0, -3.01], [3.5, 0]],
  [2, repeat(9, [0.5, 1.5]), [-0.1, ...repeat(8, [0.5, 1.5])]],
  [2, repeat(9, [-0.5, -1.5]), [...repeat(8, [-0.5, -1.5]), 0]],
  [3, [-1, -0.5, -0.1, 0.2, 0.6, 0.9], [-0.5, -0.5, -0.1, 0.2, 0.6, 0.9]],
  [3, [0.9, 0.6, 0.2, -0.1, -0.5, -1], [0.6, 0.2, -0.1, -0.5, -1]],
  [4, repeat(14, [0.5, -0.5]), [0.4, ...repeat(13, [0.5, -0.5])].with(1, 0.4)],
  [5, [2.1, 0, 2.2], [2.1, 0, -2.2]],
  [5, [-2.1, -2.2], [2.1, 2.2, 0]],
  [6, [1.1, 0, 1.2, 1.3, 1.1], [1.1, 0, 0, 1.2, 1.3]],
  [6, [-1.1, -1.2, 0, -1.3, -1.1], [1.1, 1.2, 1.3, 1.4, 0.9]],
  [7, repeat(15, [0.9, -0.9, 0.1]), [1, ...repeat(14, [0.9, -0.9, 0.1])]],
  [8, repeat(8, [1.1, -1.1, -1.2]), [0.9, ...repeat(7, [1.1, -1.1, -1.2])]],
];

for (const [rule, violating, obeying] of patterns) {
  test(`rule ${rule} is violated by ${violating.join(" ")} and not by ${obeying.join(" ")}`, () => {
    assert.ok(violatedRules(violating, limits, "location").includes(rule));
    assert.ok(!violatedRules(obeying, limits, "location").includes(rule));
  });
}

test("the newest point has to be part of the pattern", () => {
  assert.deepEqual(violatedRules([2.5, 2.5, 0], limits, "location"), []);
});

test("a spread chart knows rule 1 alone, against its own limits", () => {
  const spread = { lower: 0, centre: 1, upper: 2.1 };
  assert.deepEqual(violatedRules(repeat(20, [1.5]), spread, "spread"), []);
  assert.deepEqual(violatedRules([2.2], spread, "spread"), [1]);
});

test("a process without spread alarms when it moves", () => {
  const flat = { lower: 5, centre: 5, upper: 5 };
  assert.deepEqual(violatedRules([5, 5], flat, "location"), []);
  assert.deepEqual(violatedRules([5, 5.1], flat, "location"), [1]);
});

/** `count` values, taken from `cycle` over and over. */
function repeat(count: number, cycle: readonly number[]): number[] {
  return Array.from({ length: count }, (_, i) => cycle[i % cycle.length] ?? 0);
}
