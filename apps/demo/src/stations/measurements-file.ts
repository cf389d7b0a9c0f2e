import { readFileSync } from "node:fs";

/** A measurement as the file has it. */
export interface MeasurementRow {
  /** From 1, as editors count. */
  readonly line: number;
  readonly time: Date;
  readonly station: string;
  readonly characteristic: string;
  readonly value: number;
}

/** A row that cannot be read. */
export interface BadRow {
  /** From 1, as editors count. */
  readonly line: number;
  readonly reason: string;
}

/** What a file holds: nothing is dropped silently. */
export interface ReadMeasurements {
  readonly rows: readonly MeasurementRow[];
  readonly bad: readonly BadRow[];
}

const header = "timestamp,station,characteristic,value";

/** Why a file cannot be used at all, in one line for its reader. */
export class UnusableFile extends Error {}

/** @throws UnusableFile when the file is missing, empty, or begins with another header */
export function readMeasurements(path: string): ReadMeasurements {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw new UnusableFile(`Cannot read ${path}: ${reason}`);
  }
  return parseMeasurements(text, path);
}

/** @throws UnusableFile as {@link readMeasurements} */
export function parseMeasurements(text: string, path: string): ReadMeasurements {
  const [first = "", ...lines] = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (text.trim() === "")
    throw new UnusableFile(`${path} is empty: expected the header "${header}" and one measurement a line`);
  if (first.trim() !== header)
    throw new UnusableFile(`${path}: expected the header "${header}", got ${JSON.stringify(first.slice(0, 60))}`);
  const rows: MeasurementRow[] = [];
  const bad: BadRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const parsed = parseRow(line, index + 2);
    if (typeof parsed === "string") bad.push({ line: index + 2, reason: parsed });
    else rows.push(parsed);
  }
  if (rows.length === 0) {
    const [worst] = bad;
    throw new UnusableFile(
      `${path} has no measurement${worst === undefined ? "" : `; line ${worst.line}: ${worst.reason}`}`,
    );
  }
  return { rows, bad };
}

function parseRow(text: string, line: number): MeasurementRow | string {
  const fields = text.split(",").map((field) => field.trim());
  if (fields.length !== 4) return `expected 4 fields, got ${fields.length}`;
  const [timestamp = "", station = "", characteristic = "", number = ""] = fields;
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return `timestamp ${JSON.stringify(timestamp)} is no time`;
  if (station === "") return "station is empty";
  if (characteristic === "") return "characteristic is empty";
  const value = Number(number);
  if (number === "" || !Number.isFinite(value)) return `value ${JSON.stringify(number)} is no number`;
  return { line, time, station, characteristic, value };
}
