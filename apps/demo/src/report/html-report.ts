import type { Specification } from "../contracts/index.ts";
import { capabilityIndices } from "../statistics/capability.ts";
import { histogram } from "../statistics/histogram.ts";
import { mean, standardDeviation } from "../statistics/summary.ts";
import type { BadRow } from "../stations/measurements-file.ts";
import type { Charted } from "./charted.ts";
import { controlChart, escaped, histogramChart, type Mark, short } from "./svg.ts";
import type { Violation } from "./violations.ts";

/** Rows of a table on the page; the CSV has them all. */
const mostRows = 200;

/** A characteristic with all that is said about it. */
export interface ReportedCharacteristic {
  readonly specification: Specification;
  readonly charted: Charted;
  /** All its values, in the file's order. */
  readonly values: readonly number[];
}

/** What a report is made of. */
export interface ReportData {
  /** Name of the file that was read. */
  readonly file: string;
  readonly characteristics: readonly ReportedCharacteristic[];
  readonly violations: readonly Violation[];
  readonly bad: readonly BadRow[];
}

const chartNames = { "xbar-r": ["X̄", "R"], "xbar-s": ["X̄", "s"], "i-mr": ["Individuals", "Moving range"] } as const;

/** A page of its own: no script, no font, no picture from elsewhere. */
export function htmlReport({ file, characteristics, violations, bad }: ReportData): string {
  const count = characteristics.reduce((sum, { values }) => sum + values.length, 0);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Control charts of ${escaped(file)}</title>
<style>${style}</style>
<main>
<h1>Control charts of ${escaped(file)}</h1>
<p>${count} measurements of ${characteristics.length} characteristics, ${violations.length} violations, ${bad.length} rows that could not be read.</p>
${characteristics.map(section).join("\n")}
<h2>Violations</h2>
${table(
  ["line", "time", "station", "characteristic", "value", "what", "why"],
  violations.map(({ line, time, station, characteristic, value, kind, detail }) => [
    String(line),
    time.toISOString(),
    station,
    characteristic,
    short(value),
    kind,
    detail,
  ]),
)}
<h2>Rows that could not be read</h2>
${table(
  ["line", "reason"],
  bad.map(({ line, reason }) => [String(line), reason]),
)}
</main>
</html>
`;
}

function section({ specification, charted, values }: ReportedCharacteristic): string {
  const { characteristic, unit, chart, subgroupSize, lower, upper } = specification;
  const { limits, points, alarms } = charted;
  const [locationName, spreadName] = chartNames[chart];
  const marks = (which: "location" | "spread"): Mark[] =>
    alarms
      .filter((alarm) => alarm.chart === which)
      .map(({ point, rule, description }) => ({
        index: point - 1,
        title: `Point ${point}, rule ${rule}: ${description}`,
      }));
  // The first single value has no moving range: its place stays, at the second one's height.
  const spreads = points.map(({ spread }, i) => spread ?? points[i + 1]?.spread ?? 0);
  const spread = {
    mean: mean(values),
    sigmaWithin: limits?.sigmaWithin,
    sigmaOverall: standardDeviation(values),
    lower,
    upper,
  };
  const { cp, cpk, pp, ppk } = capabilityIndices(spread);
  const figures: readonly (readonly [string, number | undefined])[] = [
    // Three digits of an index are more than 125 measurements can tell.
    ...(
      [
        ["Cp", cp],
        ["Cpk", cpk],
        ["Pp", pp],
        ["Ppk", ppk],
      ] as const
    ).map(([name, index]) => [name, index === undefined ? undefined : Number(index.toFixed(3))] as const),
    ["mean", spread.mean],
    ["σ within", spread.sigmaWithin],
    ["σ overall", spread.sigmaOverall],
  ];
  const leftOver = values.length % subgroupSize;
  return `<section>
<h2>${escaped(characteristic)}${unit === "" ? "" : ` <small>${escaped(unit)}</small>`}</h2>
<p>${values.length} measurements, ${points.length} points${subgroupSize > 1 ? ` of ${subgroupSize}` : ""}${leftOver > 0 ? `; the last ${leftOver} make no whole subgroup and are not drawn` : ""}. ${limits === undefined ? "Too few points for control limits." : `Limits from the first ${limits.basedOn}.`}</p>
<dl>${figures.map(([name, value]) => `<div><dt>${name}</dt><dd>${value === undefined ? "–" : short(value)}</dd></div>`).join("")}</dl>
<h3>${locationName}</h3>${controlChart(
    `${locationName} chart of ${characteristic}`,
    points.map(({ location }) => location),
    limits?.location,
    marks("location"),
  )}
<h3>${spreadName}</h3>${controlChart(`${spreadName} chart of ${characteristic}`, spreads, limits?.spread, marks("spread"))}
<h3>Distribution</h3>${histogramChart(`Histogram of ${characteristic}`, histogram(values), lower, upper)}
</section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "<p>None.</p>";
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const shown = rows.slice(0, mostRows);
  const more = rows.length > mostRows ? `<p>The first ${mostRows} of ${rows.length}.</p>` : "";
  return `<div class="table"><table><thead>${cells("th", head)}</thead><tbody>${shown.map((row) => cells("td", row)).join("")}</tbody></table></div>${more}`;
}

const style = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66707c; --line: #d5dae0; --values: #2463b3; --bad: #c22f2f; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b0; --line: #39424e; --values: #7fb1f2; --bad: #ff7b72; --paper: #14181d; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 1rem 0 0; font-size: 1rem; } small { color: var(--soft); }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
.values { fill: none; stroke: var(--values); stroke-width: 1.3; } .value, .bin { fill: var(--values); } .mark { fill: var(--bad); }
.centre { stroke: var(--ink); } .limit { stroke: var(--bad); stroke-dasharray: 6 3; } .zone { stroke: var(--line); }
dl { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; } dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); }
`;
