/**
 * CBOR beside JSON, and beside cbor-x where the folder that `PEERS` names has it, in interleaved rounds. Prints how many
 * times as fast this package is as each (0.9 quantile of the rounds, so that a busy machine disturbs little).
 *
 *     PEERS=<folder with node_modules> node --conditions=pipit-source --import tsx packages/codec/bench/cbor.ts [name…]
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { decodeCbor } from "../test/cbor-support.ts";
import { encodeCbor } from "../src/cbor-encode.ts";
import { Reader } from "../src/reader.ts";
import { Writer } from "../src/writer.ts";
import { dataSets } from "./data.ts";

interface Subject {
  readonly name: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}
interface CborX {
  readonly Encoder: new (options: object) => Omit<Subject, "name">;
}

const ROUNDS = 60;
const ROUND_MS = 6;
const SLAB_BYTES = 1 << 22;

let slab = new Writer(SLAB_BYTES);
const reader = new Reader();
const subjects: Subject[] = [
  {
    name: "pipit",
    encode(value) {
      if (slab.pos > SLAB_BYTES / 2) slab = new Writer(SLAB_BYTES);
      const start = slab.pos;
      encodeCbor(slab, value);
      return new Uint8Array(slab.bytes.buffer, start, slab.pos - start);
    },
    decode(bytes) {
      reader.reset(bytes);
      return decodeCbor(reader);
    },
  },
  {
    name: "JSON",
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse((bytes as Buffer).toString()),
  },
];
const peers = process.env["PEERS"];
if (peers !== undefined && existsSync(join(peers, "node_modules/cbor-x"))) {
  const { Encoder } = createRequire(join(peers, "index.js"))("cbor-x") as CborX;
  for (const [name, useRecords] of [
    ["cbor-x", false],
    ["cbor-x inband", true],
  ] as const) {
    const codec = new Encoder({ useRecords, mapsAsObjects: true, tagUint8Array: false });
    subjects.push({ name, encode: (value) => codec.encode(value), decode: (bytes) => codec.decode(bytes) });
  }
}

function perSecond(run: () => void): number {
  let count = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  do {
    for (let i = 0; i < 4; i++) run();
    count += 4;
  } while (performance.now() - start < ROUND_MS);
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

function compare(value: unknown, direction: "encode" | "decode"): string {
  const rounds = new Map<Subject, number[]>();
  const able = subjects.filter((subject) => {
    try {
      assert.deepEqual(subject.decode(Buffer.from(subject.encode(value))), value);
      return true;
    } catch {
      return false;
    }
  });
  const inputs = new Map(able.map((subject) => [subject, Buffer.from(subject.encode(value))]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of able) {
      const input = inputs.get(subject) as Buffer;
      const rate = perSecond(direction === "encode" ? () => subject.encode(value) : () => subject.decode(input));
      rounds.set(subject, [...(rounds.get(subject) ?? []), rate]);
    }
  }
  const rate = (subject: Subject): number => rounds.get(subject)?.sort((a, b) => a - b)[Math.floor(ROUNDS * 0.9)] ?? 0;
  const [own, ...others] = able;
  if (own === undefined) return "round trip failed";
  const ratios = others.map((other) => `${other.name} ${(rate(own) / rate(other)).toFixed(2)}`);
  return `${rate(own).toFixed(0).padStart(9)}/s  ${ratios.join("  ")}`;
}

const wanted = process.argv.slice(2);
for (const { name, value } of dataSets) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const direction of ["encode", "decode"] as const) {
    console.log(`${name.padEnd(12)} ${direction}  ${compare(value, direction)}`);
  }
}
