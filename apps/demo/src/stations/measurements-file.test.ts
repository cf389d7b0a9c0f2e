import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMeasurements, readMeasurements, UnusableFile } from "./measurements-file.ts";

const header = "timestamp,station,characteristic,value";

test("every row is either read or named by its line number", () => {
  const { rows, bad } = parseMeasurements(
    [
      header,
      "2026-03-02T06:00:00Z,bake-1,flow width,1.3235",
      "2026-03-02T06:00:00Z,bake-1,flow width",
      "",
      "yesterday,bake-1,flow width,1.3",
      "2026-03-02T06:00:00Z,,flow width,1.3",
      "2026-03-02T06:00:00Z,bake-1,,1.3",
      "2026-03-02T06:00:00Z,bake-1,flow width,1.3x",
      " 2026-03-02T06:00:10Z , bake-1 , flow width , -2e-1 ",
    ].join("\r\n"),
    "m.csv",
  );
  assert.deepEqual(rows, [
    { line: 2, time: new Date("2026-03-02T06:00:00Z"), station: "bake-1", characteristic: "flow width", value: 1.3235 },
    { line: 9, time: new Date("2026-03-02T06:00:10Z"), station: "bake-1", characteristic: "flow width", value: -0.2 },
  ]);
  assert.deepEqual(bad, [
    { line: 3, reason: "expected 4 fields, got 3" },
    { line: 5, reason: 'timestamp "yesterday" is no time' },
    { line: 6, reason: "station is empty" },
    { line: 7, reason: "characteristic is empty" },
    { line: 8, reason: 'value "1.3x" is no number' },
  ]);
});

test("a file that cannot be used is refused in one line", () => {
  const refusals: readonly (readonly [text: string, words: RegExp])[] = [
    ["", /^m\.csv is empty: expected the header/],
    ["a,b\n1,2", /^m\.csv: expected the header "timestamp,station,characteristic,value", got "a,b"$/],
    [`${header}\n`, /^m\.csv has no measurement$/],
    [`${header}\nx\n`, /^m\.csv has no measurement; line 2: expected 4 fields, got 1$/],
  ];
  for (const [text, words] of refusals) {
    assert.throws(
      () => parseMeasurements(text, "m.csv"),
      (error: unknown) => error instanceof UnusableFile && words.test(error.message),
    );
  }
  assert.throws(
    () => readMeasurements("/nowhere/m.csv"),
    /^Error: Cannot read \/nowhere\/m\.csv: there is no such file$/,
  );
});

test("the sample holds the published examples: 125 measurements of each, with the book's means and ranges", () => {
  const { rows, bad } = readMeasurements(new URL("../../data/measurements.csv", import.meta.url).pathname);
  assert.deepEqual(bad, []);
  const published = { "flow width": [1.5056, 0.32521], "ring diameter": [74.001, 0.023] } as const;
  for (const [characteristic, [mean, range]] of Object.entries(published)) {
    const values = rows.filter((row) => row.characteristic === characteristic).map(({ value }) => value);
    assert.equal(values.length, 125);
    const samples = Array.from({ length: 25 }, (_, i) => values.slice(i * 5, i * 5 + 5));
    const grandMean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const meanRange =
      samples.reduce((sum, sample) => sum + Math.max(...sample) - Math.min(...sample), 0) / samples.length;
    assert.ok(Math.abs(grandMean - mean) < 0.0005, `${characteristic}: ${grandMean}`);
    assert.ok(Math.abs(meanRange - range) < 0.0005, `${characteristic}: ${meanRange}`);
  }
});
