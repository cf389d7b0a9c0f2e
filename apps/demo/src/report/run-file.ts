import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Stations } from "../contracts/index.ts";
import { formatControlPlan, readControlPlan } from "../control-plan.ts";
import { chartsOf } from "../processes/connect.ts";
import { Progress } from "../progress.ts";
import { numberRows } from "../stations/file-source.ts";
import { type MeasurementRow, readMeasurements } from "../stations/measurements-file.ts";
import { startSystem, type System } from "../supervisor/start-system.ts";
import { textTable } from "../text-table.ts";
import { readCharted } from "./charted.ts";
import { htmlReport, type ReportedCharacteristic } from "./html-report.ts";
import { planForFile } from "./plan-for-file.ts";
import { outOfSpecification, ruleViolation, type Violation, violationsCsv } from "./violations.ts";

/** Options of {@link runFile}. */
export interface FileOptions {
  readonly csvPath: string;
  readonly planPath: string;
  /** Folder that the report is written to. */
  readonly out: string;
  readonly signal: AbortSignal;
}

/** How often the station is asked how far it is, in milliseconds. */
const pollMs = 100;

/** Bad rows that are listed one by one on the terminal; the report has more. */
const mostListed = 50;

/**
 * Sends a file's measurements through the system and writes a report on them.
 *
 * @returns whether every measurement of the file was recorded
 * @throws UnusableFile when there is nothing to read; Error when the plan is wrong
 */
export async function runFile({ csvPath, planPath, out, signal }: FileOptions): Promise<boolean> {
  const { rows, bad } = readMeasurements(csvPath);
  for (const { line, reason } of bad.slice(0, mostListed)) console.log(`${csvPath}:${line}: ${reason}`);
  if (bad.length > mostListed) console.log(`… and ${bad.length - mostListed} more, in the report`);
  if (bad.length > 0) console.log(`${bad.length} bad rows left out, ${rows.length} measurements read`);

  const groups = byCharacteristic(rows);
  const plan = planForFile(readControlPlan(planPath), new Map([...groups].map(([name, { length }]) => [name, length])));
  for (const { characteristic, lower, upper } of plan.values()) {
    if (lower === undefined && upper === undefined) {
      console.log(`"${characteristic}" has no row in the plan: charted as single values, not judged`);
    }
  }

  const folder = mkdtempSync(join(tmpdir(), "pipit-demo-plan-"));
  const fittedPlan = join(folder, "plan.json");
  writeFileSync(fittedPlan, formatControlPlan(plan));
  let system: System | undefined;
  try {
    system = await startSystem({
      planPath: fittedPlan,
      csvPath,
      counts: { stations: 1, inspection: 2, charts: 2, "non-conformance": 2, operators: 0 },
      signal,
    });
    await follow(system, rows.length, signal);
    const charts = chartsOf(system.client);
    const summaries = new Map((await charts.list({})).charts.map((summary) => [summary.characteristic, summary]));

    const reported: ReportedCharacteristic[] = [];
    const violations: Violation[] = [];
    const lines = linesOf(rows);
    let complete = true;
    for (const [characteristic, ofIt] of groups) {
      const [specification, summary] = [plan.get(characteristic), summaries.get(characteristic)];
      if (specification === undefined || summary === undefined) throw new Error(`Nobody knows "${characteristic}"`);
      const charted = await readCharted(charts, summary);
      const outside = ofIt.flatMap((row) => outOfSpecification(row, specification) ?? []);
      const alarms = charted.alarms.map((alarm) => ruleViolation(alarm, lines(alarm.station, alarm.sequence)));
      violations.push(...outside, ...alarms);
      reported.push({ specification, charted, values: ofIt.map(({ value }) => value) });
      complete &&= summary.measurementCount === ofIt.length && summary.outOfSpecification === outside.length;
    }
    violations.sort((a, b) => a.line - b.line);

    mkdirSync(out, { recursive: true });
    const [page, table] = [join(out, "report.html"), join(out, "violations.csv")];
    writeFileSync(page, htmlReport({ file: basename(csvPath), characteristics: reported, violations, bad }));
    writeFileSync(table, violationsCsv(violations));
    console.log(`\n${summaryTable(reported)}\n`);
    console.log(`${rows.length} measurements, ${violations.length} violations, ${bad.length} bad rows`);
    if (!complete) console.error("The charts' counts are not those of the file");
    console.log(`Report: ${page}\nViolations: ${table}`);
    return complete;
  } finally {
    await system?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Draws the progress until the whole file is recorded. */
async function follow({ client }: System, total: number, signal: AbortSignal): Promise<void> {
  const stations = client.service(Stations);
  const progress = new Progress(total, "measurements");
  let shown = 0;
  while (true) {
    const [station] = (await stations.progress({}, { signal, waitForReady: true })).stations;
    if (station !== undefined && station.acknowledged > shown) {
      progress.advance(station.acknowledged - shown);
      shown = station.acknowledged;
    }
    if (station?.finished === true) break;
    await sleep(pollMs, undefined, { signal });
  }
  progress.end();
}

/** The rows of each characteristic, in the file's order. */
function byCharacteristic(rows: readonly MeasurementRow[]): Map<string, MeasurementRow[]> {
  const groups = new Map<string, MeasurementRow[]>();
  for (const row of rows) {
    const group = groups.get(row.characteristic);
    if (group === undefined) groups.set(row.characteristic, [row]);
    else group.push(row);
  }
  return groups;
}

/** Finds the line of a station's measurement. */
function linesOf(rows: readonly MeasurementRow[]): (station: string, sequence: number) => number {
  const key = (station: string, sequence: number): string => JSON.stringify([station, sequence]);
  const lines = new Map(
    numberRows(rows).map(({ station, sequence }, i) => [key(station, sequence), rows[i]?.line ?? 0]),
  );
  return (station, sequence) => lines.get(key(station, sequence)) ?? 0;
}

function summaryTable(reported: readonly ReportedCharacteristic[]): string {
  return textTable(
    ["characteristic", "measurements", "out of specification", "points", "alarms"],
    reported.map(({ specification, charted: { summary, points, alarms } }) => [
      specification.characteristic,
      String(summary.measurementCount),
      String(summary.outOfSpecification),
      String(points.length),
      String(alarms.length),
    ]),
  );
}
