import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspected, Specification } from "../contracts/index.ts";
import { readMeasurements } from "../stations/measurements-file.ts";
import { type ChartHappening, ChartState, emptyChart, takeIn } from "./chart.ts";

const time = new Date(0);

function specification(changes: Partial<Specification> = {}): Specification {
  return { characteristic: "width", unit: "mm", chart: "i-mr", subgroupSize: 1, baselinePoints: 4, ...changes };
}

function measurement(sequence: number, value: number): Inspected {
  return { station: "a", sequence, value, time, verdict: "ok" };
}

/** All that happens when a station measures these values. */
function chart(values: readonly number[], plan: Specification): { state: ChartState; happenings: ChartHappening[] } {
  const state = emptyChart();
  const happenings = values.flatMap((value, i) => takeIn(state, plan, measurement(i + 1, value)) ?? []);
  return { state, happenings };
}

function alarms(happenings: readonly ChartHappening[]): string[] {
  return happenings.flatMap((each) => (each.type === "alarm" ? each.value.id : []));
}

test("the published hard-bake data give the published limits and no alarm (Montgomery, example 6.1)", () => {
  const { rows } = readMeasurements(new URL("../../data/measurements.csv", import.meta.url).pathname);
  const values = rows.filter(({ characteristic }) => characteristic === "flow width").map(({ value }) => value);
  const { state, happenings } = chart(values, specification({ chart: "xbar-r", subgroupSize: 5, baselinePoints: 25 }));
  assert.equal(state.pointCount, 25);
  assert.equal(state.limits?.location.upper.toFixed(3), "1.693");
  assert.equal(state.limits?.location.lower.toFixed(3), "1.318");
  assert.deepEqual(alarms(happenings), []);
});

test("an alarm is given when a rule begins to be violated, and again only after it was obeyed", () => {
  const { happenings } = chart([10, 11, 10, 11, 20, 20, 10, 20], specification());
  assert.deepEqual(alarms(happenings), [
    "width/location/rule-1/point-5",
    "width/spread/rule-1/point-5",
    "width/location/rule-5/point-6",
    "width/spread/rule-1/point-7",
    "width/location/rule-1/point-8",
    "width/location/rule-5/point-8",
  ]);
});

test("the baseline is judged by its own limits, once they are known", () => {
  const values = [...Array.from({ length: 19 }, (_, i) => 10 + (i % 2)), 30];
  const { happenings } = chart(values, specification({ baselinePoints: 20 }));
  const types = happenings.map(({ type }) => type);
  assert.ok(types.indexOf("limits") < types.indexOf("alarm"));
  assert.ok(alarms(happenings).includes("width/location/rule-1/point-20"));
});

test("a repetition changes nothing but the count of repetitions", () => {
  const { state } = chart([1, 2, 3], specification());
  const before = structuredClone(state);
  assert.equal(takeIn(state, specification(), measurement(2, 99)), undefined);
  assert.deepEqual(state.sources, { a: { lastSequence: 3, recorded: 3, duplicates: 1 } });
  assert.deepEqual({ ...state, sources: {} }, { ...before, sources: {} });
});

test("a chart that is stored and read again at any point goes on as if it never was", () => {
  const values = Array.from({ length: 60 }, (_, i) => 10 + ((i * 7919) % 13) / 10 + (i > 40 ? 2 : 0));
  for (const chartKind of ["xbar-r", "xbar-s", "i-mr"] as const) {
    const plan = specification({ chart: chartKind, subgroupSize: chartKind === "i-mr" ? 1 : 3 });
    const whole = chart(values, plan);
    let state = emptyChart();
    const happenings = values.flatMap((value, i) => {
      state = ChartState.decode(ChartState.encode(state));
      return takeIn(state, plan, measurement(i + 1, value)) ?? [];
    });
    assert.deepEqual(happenings, whole.happenings);
    assert.ok(alarms(happenings).length > 0);
  }
});
