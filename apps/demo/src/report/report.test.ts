import assert from "node:assert/strict";
import { test } from "node:test";
import type { Specification } from "../contracts/index.ts";
import { htmlReport } from "./html-report.ts";
import { controlChart, escaped } from "./svg.ts";
import { outOfSpecification, ruleViolation, violationsCsv } from "./violations.ts";

const time = new Date("2026-03-02T06:00:00Z");
const specification: Specification = {
  characteristic: "width",
  unit: "mm",
  lower: 1,
  upper: 2,
  chart: "i-mr",
  subgroupSize: 1,
  baselinePoints: 2,
};
const row = { line: 7, time, station: "a", characteristic: "width", value: 2.5 };

test("violations are written with their line, quoted where a comma, a quote or a formula asks for it", () => {
  const outside = outOfSpecification(row, specification);
  assert.ok(outside);
  assert.equal(outOfSpecification({ ...row, value: 2 }, specification), undefined);
  const alarm = ruleViolation(
    {
      id: "x",
      characteristic: '=HYPERLINK("a")',
      chart: "location",
      rule: 1,
      point: 3,
      value: -1.5,
      station: "b, left",
      sequence: 9,
      time,
      description: "one point beyond three sigma",
    },
    12,
  );
  assert.equal(
    violationsCsv([outside, alarm]),
    [
      "line,timestamp,station,characteristic,value,kind,detail",
      "7,2026-03-02T06:00:00.000Z,a,width,2.5,specification,above the upper limit 2",
      `12,2026-03-02T06:00:00.000Z,"b, left","'=HYPERLINK(""a"")",-1.5,location chart,"rule 1, point 3: one point beyond three sigma"`,
      "",
    ].join("\n"),
  );
});

test("what a file says cannot become markup", () => {
  const hostile = "<script>alert('x')</script>";
  const summary = {
    characteristic: hostile,
    chart: "i-mr",
    unit: "",
    owner: "",
    version: 1,
    lastEvent: 0,
    pointCount: 0,
    alarmCount: 0,
    measurementCount: 1,
    outOfSpecification: 0,
  } as const;
  const html = htmlReport({
    file: hostile,
    characteristics: [
      {
        specification: { ...specification, characteristic: hostile },
        charted: { summary, limits: undefined, points: [], alarms: [] },
        values: [1],
      },
    ],
    violations: [{ ...row, station: hostile, kind: "specification", detail: hostile }],
    bad: [{ line: 2, reason: hostile }],
  });
  assert.ok(!html.includes("<script"));
  assert.ok(html.includes(escaped(hostile)));
});

test("a chart has its limits, a mark per violation, and a bounded number of points", () => {
  const values = Array.from({ length: 100_000 }, (_, i) => (i === 50_000 ? 99 : i % 7));
  const svg = controlChart("X̄", values, { lower: 0, centre: 3, upper: 6 }, [{ index: 50_000, title: "rule 1" }]);
  assert.match(svg, /UCL 6/);
  assert.equal(svg.match(/class="mark"/g)?.length, 1);
  assert.ok((svg.match(/points="([^"]*)"/)?.[1]?.split(" ").length ?? 0) <= 1600);
  // The outlier is still there: thinning keeps the least and the greatest of each stretch.
  assert.ok(svg.includes(`,${(12).toFixed(1)}`));
});
