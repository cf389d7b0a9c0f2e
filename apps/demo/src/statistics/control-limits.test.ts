import assert from "node:assert/strict";
import { test } from "node:test";
import { readMeasurements } from "../stations/measurements-file.ts";
import { c4, d2, d3 } from "./constants.ts";
import { individualsLimits, type Limits, xbarRLimits, xbarSLimits } from "./control-limits.ts";
import { mean, range, standardDeviation } from "./summary.ts";

const { rows } = readMeasurements(new URL("../../data/measurements.csv", import.meta.url).pathname);

/** The published subgroups of one characteristic. */
function subgroups(characteristic: string): number[][] {
  const values = rows.filter((row) => row.characteristic === characteristic).map(({ value }) => value);
  return Array.from({ length: values.length / 5 }, (_, i) => values.slice(i * 5, i * 5 + 5));
}

/** Books round: so many digits are compared. */
function assertLimits(actual: Limits, expected: Limits, tolerance: number): void {
  for (const name of ["lower", "centre", "upper"] as const) {
    assert.ok(
      Math.abs(actual[name] - expected[name]) <= tolerance,
      `${name} is ${actual[name]}, published ${expected[name]}`,
    );
  }
}

test("the constants are those of Montgomery's appendix VI", () => {
  const table: readonly (readonly [n: number, d2: number, d3: number, c4: number])[] = [
    [2, 1.128, 0.853, 0.7979],
    [3, 1.693, 0.888, 0.8862],
    [4, 2.059, 0.88, 0.9213],
    [5, 2.326, 0.864, 0.94],
    [6, 2.534, 0.848, 0.9515],
    [7, 2.704, 0.833, 0.9594],
    [8, 2.847, 0.82, 0.965],
    [9, 2.97, 0.808, 0.9693],
    [10, 3.078, 0.797, 0.9727],
  ];
  for (const [n, ...published] of table) {
    assert.deepEqual([round(d2(n), 3), round(d3(n), 3), round(c4(n), 4)], published, `n = ${n}`);
  }
  assert.equal(round(c4(25), 4), 0.9896);
  assert.throws(() => d2(11), /expected 2 to 10, got 11/);
  assert.throws(() => c4(1), /expected a whole number from 2, got 1/);
});

test("X̄ and R charts of Montgomery's hard-bake process (example 6.1)", () => {
  const groups = subgroups("flow width");
  const { location, spread, sigmaWithin } = xbarRLimits(groups.map(mean), groups.map(range), 5);
  assertLimits(location, { lower: 1.31795, centre: 1.5056, upper: 1.69325 }, 0.0002);
  assertLimits(spread, { lower: 0, centre: 0.32521, upper: 0.68749 }, 0.0003);
  assert.equal(round(sigmaWithin, 4), 0.1398);
});

test("X̄ and s charts of Montgomery's piston rings (example 6.3)", () => {
  const groups = subgroups("ring diameter");
  const { location, spread } = xbarSLimits(groups.map(mean), groups.map(standardDeviation), 5);
  assertLimits(location, { lower: 73.988, centre: 74.001, upper: 74.014 }, 0.0006);
  assertLimits(spread, { lower: 0, centre: 0.0094, upper: 0.0196 }, 0.0001);
});

test("individuals chart of the NIST e-Handbook's flow rates (6.3.2.2)", () => {
  const values = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1];
  const { location } = individualsLimits(values, movingRanges(values));
  assertLimits(location, { lower: 45.8159, centre: 50.81, upper: 55.8041 }, 0.002);
});

test("individuals and moving range charts of Montgomery's mortgage costs (example 6.5)", () => {
  const values = [310, 288, 297, 298, 307, 303, 294, 297, 308, 306, 294, 299, 297, 299, 314, 295, 293, 306, 301, 304];
  const { location, spread } = individualsLimits(values, movingRanges(values));
  assertLimits(location, { lower: 279.78, centre: 300.5, upper: 321.22 }, 0.02);
  assertLimits(spread, { lower: 0, centre: 7.79, upper: 25.45 }, 0.02);
});

function movingRanges(values: readonly number[]): number[] {
  return values.slice(1).map((value, i) => Math.abs(value - (values[i] ?? 0)));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
