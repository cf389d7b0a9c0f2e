import assert from "node:assert/strict";
import { test } from "node:test";
import { readControlPlan } from "../control-plan.ts";
import { mean, standardDeviation } from "../statistics/summary.ts";
import { normalAt } from "./random.ts";
import { displacement, measure, type SimulatedCharacteristic, stationsOf } from "./simulated-line.ts";

test("a station measures the same again after a restart, and something else with another seed", () => {
  const [station] = stationsOf(1);
  assert.ok(station);
  const values = (seed: number) => Array.from({ length: 100 }, (_, i) => measure(seed, station, i + 1));
  assert.deepEqual(values(1), values(1));
  assert.notDeepEqual(values(1), values(2));
});

test("the noise is normal enough: mean 0, deviation 1, three sigma once in 370", () => {
  const values = Array.from({ length: 50_000 }, (_, i) => normalAt(7, "x", i));
  assert.ok(Math.abs(mean(values)) < 0.02);
  assert.ok(Math.abs(standardDeviation(values) - 1) < 0.02);
  const beyond = values.filter((value) => Math.abs(value) > 3).length;
  assert.ok(beyond > 60 && beyond < 200, `${beyond} beyond three sigma`);
});

test("disturbances come after a period in peace, and pass", () => {
  const of = (disturbance: SimulatedCharacteristic["disturbance"]) => (index: number) =>
    displacement({ characteristic: "x", mean: 0, sigma: 1, period: 100, disturbance }, index);
  const shift = of({ type: "shift", sigmas: 2, length: 10 });
  assert.deepEqual([99, 100, 109, 110, 200].map(shift), [0, 2, 2, 0, 2]);
  const drift = of({ type: "drift", sigmas: 2, length: 10 });
  assert.deepEqual([99, 100, 105, 110].map(drift), [0, 0, 1, 0]);
  const wear = of({ type: "toolWear", sigmas: 2 });
  assert.deepEqual([99, 100, 150, 200].map(wear), [0, 0, 1, 0]);
  const outlier = of({ type: "outlier", sigmas: 5 });
  assert.deepEqual([99, 100, 101, 200].map(outlier), [0, 5, 0, 5]);
});

test("the line's control plan has a row for all that any instance measures", () => {
  const plan = readControlPlan(new URL("../../data/line.json", import.meta.url).pathname);
  const measured = [1, 2, 3].flatMap(stationsOf).flatMap(({ characteristics }) => characteristics);
  for (const { characteristic } of measured) assert.ok(plan.has(characteristic), characteristic);
});
