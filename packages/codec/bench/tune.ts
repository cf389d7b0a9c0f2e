/**
 * For tuning: this codec beside peers that happen to be installed in the folder that `PEERS` names, in interleaved
 * rounds, median per row. `npm run bench -- codec` at the root is the benchmark that counts.
 *
 *     PEERS=<folder with node_modules> node --conditions=pipit-source --import tsx packages/codec/bench/tune.ts [name…]
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { deserialize, serialize } from "node:v8";
import { interpreted } from "../src/index.ts";
import { type DataSet, dataSets } from "./data.ts";

interface Subject {
  readonly name: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const ROUNDS = 5;
const ROUND_MS = 15;

function subjects(set: DataSet): Subject[] {
  const { codec } = set;
  const views = { views: set.views === true };
  const slow = interpreted(codec);
  const list: Subject[] = [
    { name: "pipit", encode: (v) => codec.encode(v as never), decode: (b) => codec.decode(b, views) },
    { name: "interp", encode: (v) => slow.encode(v as never), decode: (b) => slow.decode(b, views) },
    { name: "v8", encode: (v) => serialize(v), decode: (b) => deserialize(b) },
    {
      name: "JSON",
      encode: (v) => Buffer.from(JSON.stringify(v)),
      decode: (b) => JSON.parse((b as Buffer).toString()),
    },
  ];
  const folder = process.env["PEERS"];
  if (folder !== undefined) {
    const require = createRequire(`${folder}/package.json`);
    const { Packr } = require("msgpackr");
    const packr = new Packr({ structures: [], int64AsType: "bigint" });
    list.push({ name: "msgpackr-rec", encode: (v) => packr.pack(v), decode: (b) => packr.unpack(b) });
    const cbor = require("cbor-x");
    const encoder = new cbor.Encoder({ structures: [] });
    list.push({ name: "cbor-x-rec", encode: (v) => encoder.encode(v), decode: (b) => encoder.decode(b) });
  }
  return list;
}

/** Processor time and not the clock's, since other work may share the machine. */
function time(work: () => void): number {
  let count = 1;
  for (;;) {
    const start = process.cpuUsage();
    for (let i = 0; i < count; i++) work();
    const { user, system } = process.cpuUsage(start);
    const ns = (user + system) * 1000;
    if (ns > ROUND_MS * 1e6) return ns / count;
    count = Math.max(count * 2, Math.ceil((count * ROUND_MS * 1.2e6) / Math.max(ns, 1e5)));
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const only = process.argv.slice(2);
for (const set of dataSets) {
  if (only.length > 0 && !only.includes(set.name)) continue;
  const rows = subjects(set).filter((subject) => {
    try {
      assert.deepEqual(subject.decode(subject.encode(set.value)), set.value);
      return true;
    } catch (error) {
      if (subject.name === "pipit") throw error;
      return false;
    }
  });
  const times = rows.map((subject) => ({
    subject,
    bytes: subject.encode(set.value),
    encode: [] as number[],
    decode: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const row of times) {
      row.encode.push(time(() => row.subject.encode(set.value)));
      row.decode.push(time(() => row.subject.decode(row.bytes)));
    }
  }
  const line = times.map(
    (row) =>
      `${row.subject.name} ${median(row.encode).toFixed(0)}/${median(row.decode).toFixed(0)} ${row.bytes.length}B`,
  );
  console.log(`${set.name.padEnd(10)} ${line.join("  ")}`);
}
