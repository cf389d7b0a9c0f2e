import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../test/support/fixtures.ts";
import { Dice } from "./dice.ts";
import { Schedule, wholeWeights } from "./schedule.ts";

const dice = new Dice(seeded(1));

/** The largest distance from the exact share in one cycle; asserts that the cycle is exact. */
function deviation(weights: readonly number[], turns = weights.reduce((sum, weight) => sum + weight, 0)): number {
  const schedule = new Schedule(weights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = weights.map(() => 0);
  let worst = 0;
  for (let turn = 1; turn <= turns; turn += 1) {
    const entry = schedule.next();
    counts[entry] = (counts[entry] ?? 0) + 1;
    for (const [index, weight] of weights.entries()) {
      worst = Math.max(worst, Math.abs((counts[index] ?? 0) - (turn * weight) / total));
    }
    if (turn % total === 0)
      assert.deepEqual(
        counts,
        weights.map((weight) => (weight * turn) / total),
      );
  }
  return worst;
}

test("every prefix is within one turn of the exact share: all weight sets of up to 3 entries up to 20", () => {
  for (let a = 1; a <= 20; a += 1) {
    assert.ok(deviation([a]) < 1);
    for (let b = 1; b <= a; b += 1) {
      assert.ok(deviation([a, b]) < 1, `${a},${b}`);
      for (let c = 1; c <= b; c += 1) assert.ok(deviation([a, b, c]) < 1, `${a},${b},${c}`);
    }
  }
});

test("every prefix is within Tijdeman's bound: 2,000 random weight sets of up to 20 entries up to 20", () => {
  for (let round = 0; round < 2_000; round += 1) {
    const count = 2 + dice.below(19);
    const weights = Array.from({ length: count }, () => 1 + dice.below(20));
    const worst = deviation(weights);
    assert.ok(worst <= 1 - 1 / (2 * count - 2) + 1e-9, `${weights.join()}: ${worst}`);
  }
});

test("the second round repeats the first", () => {
  for (const weights of [
    [5, 1, 1],
    [7, 3, 3, 2],
  ]) {
    const schedule = new Schedule(weights);
    const round = () => Array.from({ length: schedule.length }, () => schedule.next());
    const first = round();
    assert.deepEqual(round(), first);
    assert.deepEqual(round(), first);
  }
});

test("a cycle too long to keep is as exact", () => {
  const weights = [60_000, 5_000, 701];
  assert.ok(deviation(weights, 2 * 65_701) < 1);
});

test("weights become the smallest whole numbers in proportion", () => {
  assert.deepEqual(wholeWeights([100, 200, 300]), [1, 2, 3]);
  assert.deepEqual(wholeWeights([7]), [1]);
  assert.deepEqual(wholeWeights([0.5, 1, 0.25]), [2, 4, 1]);
  assert.deepEqual(wholeWeights([1e-9, 1]), [1, 1000]);
});
