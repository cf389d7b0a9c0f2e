import assert from "node:assert/strict";
import { test } from "node:test";
import { type DnsCell, type DnsOutcome, emptyDnsCell, nextDnsCell } from "./dns-cell.ts";

const outcomes: Record<string, DnsOutcome<string>> = {
  A: { type: "answer", records: ["a"], ttlMs: 1 },
  B: { type: "answer", records: ["b"], ttlMs: 1 },
  n: { type: "negative" },
  f: { type: "failure", error: new Error("SERVFAIL") },
};

test("a DNS cell believes answers, outlasts failures, and gives up after three denials in a row", () => {
  const table: [steps: string, records: string[] | undefined][] = [
    ["", undefined],
    ["f", undefined],
    ["ffff", undefined],
    ["n", []],
    ["fn", []],
    ["A", ["a"]],
    ["AB", ["b"]],
    ["Affffffffff", ["a"]],
    ["An", ["a"]],
    ["Ann", ["a"]],
    ["Annn", []],
    ["Annnn", []],
    ["AnnAnn", ["a"]],
    ["AnnB", ["b"]],
    ["Anfnfn", []],
    ["Annff", ["a"]],
    ["AnnnB", ["b"]],
    ["nA", ["a"]],
  ];
  for (const [steps, records] of table) {
    let cell: DnsCell<string> = emptyDnsCell;
    for (const step of steps) cell = nextDnsCell(cell, outcomes[step] as DnsOutcome<string>);
    assert.deepEqual(cell.records, records, steps);
  }
});
