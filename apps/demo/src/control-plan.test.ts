import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatControlPlan, readControlPlan } from "./control-plan.ts";
import { planForFile } from "./report/plan-for-file.ts";

function plan(rows: object): string {
  const path = join(mkdtempSync(join(tmpdir(), "pipit-demo-test-")), "plan.json");
  writeFileSync(path, JSON.stringify(rows));
  return path;
}

test("a row that says no more than its limits is kept on X̄ and R charts of five, and survives being written", () => {
  const read = readControlPlan(plan({ width: { unit: "mm", lower: 1, upper: 2 } }));
  assert.deepEqual(
    [...read.values()],
    [
      {
        characteristic: "width",
        unit: "mm",
        lower: 1,
        upper: 2,
        chart: "xbar-r",
        subgroupSize: 5,
        baselinePoints: 25,
      },
    ],
  );
  assert.deepEqual(readControlPlan(plan(JSON.parse(formatControlPlan(read)) as object)), read);
});

test("a wrong row is refused with the characteristic's name", () => {
  const wrong: readonly (readonly [row: object, words: RegExp])[] = [
    [{ unit: "mm", lower: 2, upper: 1 }, /row "width": expected lower < upper/],
    [{ lower: 1 }, /row "width": expected unit, lower and upper/],
    [{ unit: "mm", chart: "pie" }, /row "width": expected unit, lower and upper, and perhaps chart/],
    [{ unit: "mm", subgroupSize: 11 }, /row "width": expected a subgroupSize from 2 to 10/],
    [{ unit: "mm", chart: "xbar-s", subgroupSize: 26 }, /expected a subgroupSize from 2 to 25/],
    [{ unit: "mm", baselinePoints: 1 }, /expected baselinePoints of at least 2/],
  ];
  for (const [row, words] of wrong) assert.throws(() => readControlPlan(plan({ width: row })), words);
  assert.throws(() => readControlPlan("/nowhere/plan.json"), /Cannot read the control plan \/nowhere\/plan.json/);
});

test("a plan is fitted to a file: fewer points for the baseline, and single values for what it does not know", () => {
  const given = readControlPlan(plan({ width: { unit: "mm", lower: 1, upper: 2 } }));
  const fitted = planForFile(
    given,
    new Map([
      ["width", 52],
      ["colour", 9],
    ]),
  );
  assert.deepEqual(
    [...fitted.values()].map(({ characteristic, chart, baselinePoints }) => [characteristic, chart, baselinePoints]),
    [
      ["width", "xbar-r", 10],
      ["colour", "i-mr", 9],
    ],
  );
});
