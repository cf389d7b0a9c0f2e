import type { Alarm, Specification } from "../contracts/index.ts";
import { judge } from "../inspection/judge.ts";
import type { MeasurementRow } from "../stations/measurements-file.ts";

/** Something in the file that somebody should look at. */
export interface Violation {
  /** Line of the file, from 1: of the measurement itself, or of the one that completed the point. */
  readonly line: number;
  readonly time: Date;
  readonly station: string;
  readonly characteristic: string;
  readonly value: number;
  /** `specification`, `location chart` or `spread chart`. */
  readonly kind: string;
  readonly detail: string;
}

/** The row of a measurement outside of its specification limits. */
export function outOfSpecification(row: MeasurementRow, specification: Specification): Violation | undefined {
  const verdict = judge(row.value, specification);
  if (verdict !== "below" && verdict !== "above") return undefined;
  const limit = verdict === "below" ? specification.lower : specification.upper;
  return {
    ...row,
    kind: "specification",
    detail: `${verdict} the ${verdict === "below" ? "lower" : "upper"} limit ${limit}`,
  };
}

/** An alarm as a violation; `line` is that of the measurement that completed its point. */
export function ruleViolation(
  { time, station, characteristic, value, chart, rule, description, point }: Alarm,
  line: number,
): Violation {
  const detail = `rule ${rule}, point ${point}: ${description}`;
  return { line, time, station, characteristic, value, kind: `${chart} chart`, detail };
}

/** RFC 4180, with a header. Lines end in LF, as those of the input do. */
export function violationsCsv(violations: readonly Violation[]): string {
  const lines = violations.map(({ line, time, station, characteristic, value, kind, detail }) =>
    [String(line), time.toISOString(), station, characteristic, String(value), kind, detail].map(quoted).join(","),
  );
  return `${["line,timestamp,station,characteristic,value,kind,detail", ...lines].join("\n")}\n`;
}

function quoted(field: string): string {
  // A spreadsheet takes a field that begins like this for a formula; what a file says must stay text. A number is one.
  const plain = /^[=+\-@\t]/.test(field) && Number.isNaN(Number(field)) ? `'${field}` : field;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
