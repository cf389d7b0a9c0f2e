/**
 * What the largest schemas that a stranger may send cost, before a byte of theirs is decoded: 4,096 nodes, 65,536
 * characters, 64 levels, 16,384 pairs. Median of rounds in milliseconds of processor time; the goal is 50 for each.
 *
 *     node --conditions=pipit-source --import tsx packages/codec/bench/resolve.ts
 */
import {
  codecFromSchema,
  diff,
  fingerprintOf,
  isCodecError,
  readerOf,
  type FieldSchema,
  type Schema,
} from "../src/index.ts";

const ROUNDS = 9;

type Fields = readonly FieldSchema[];

const struct = (fields: Fields, id?: number): Schema => ({
  type: "struct",
  fields,
  ...(id === undefined ? {} : { id }),
});
const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const wide = (count: number, prefix: string, of: Schema): Schema =>
  struct(names(count, prefix).map((name) => ({ name, of })));

/** `size` structs in a ring, each optional in the one before, with `width` numbers beside it. */
function ring(size: number, width: number): Schema {
  let inner: Schema = { type: "ref", id: 1 };
  for (let i = size; i > 0; i--) {
    const numbers = names(width, "n").map((name) => ({ name, of: "u8" as const }));
    inner = struct([{ name: "next", of: inner, optional: true }, ...numbers], i === 1 ? 1 : undefined);
  }
  return inner;
}

/** One large struct that many fields refer to. */
function shared(count: number, prefix: string): Schema {
  const large = names(800, "x").map((name) => ({ name, of: "string" as const }));
  const refs = names(count, prefix).map((name) => ({ name, of: { type: "ref", id: 1 } as const }));
  return struct([{ name: "first", of: struct(large, 1) }, ...refs]);
}

/** Nested lists, as deep as is allowed. */
function deep(levels: number): Schema {
  let inner: Schema = "u8";
  for (let i = 0; i < levels; i++) inner = { type: "array", of: inner };
  return inner;
}

const aliased: Schema = struct(names(40, "f").map((name) => ({ name, of: "u8", aliases: names(48, `${name}old`) })));
const cases: readonly (readonly [name: string, writer: Schema, reader: Schema])[] = [
  ["1,700 equal fields and one more", wide(1701, "f", "u8"), wide(1700, "f", "u8")],
  [
    "1,700 fields in the other order",
    wide(1700, "f", "u8"),
    struct(
      names(1700, "f")
        .reverse()
        .map((name) => ({ name, of: "u8" })),
    ),
  ],
  ["1,700 unknown fields", wide(1700, "f", "string"), wide(1, "g", "u8")],
  ["1,700 fields to widen", wide(1700, "f", "u8"), wide(1700, "f", "f64")],
  ["1,700 aliases", wide(1700, "z", "u8"), aliased],
  ["700 unknown fields of one large struct", shared(700, "f"), wide(1, "g", "u8")],
  ["two rings that never meet", ring(59, 3), ring(61, 3)],
  ["two rings at the limit", ring(59, 24), ring(61, 24)],
  ["63 levels", deep(63), { type: "array", of: deep(62) }],
  [
    "2,700 unknown choices",
    { type: "enumeration", of: names(2700, "a") },
    { type: "enumeration", of: names(2700, "b") },
  ],
  ["names of 64 KiB", wide(4, "f".repeat(16_000), "u8"), wide(4, "g".repeat(16_000), "u8")],
];

function milliseconds(work: () => unknown): string {
  const times: number[] = [];
  let end = "";
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.cpuUsage();
    try {
      work();
    } catch (error) {
      if (!isCodecError(error)) throw error;
      end = ` ${error.code}`;
    }
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  return `${(times.toSorted((a, b) => a - b)[ROUNDS >> 1] as number).toFixed(1)}${end}`;
}

console.log("| schemas | codecFromSchema | readerOf | diff |\n|---|--:|--:|--:|");
for (const [name, writer, reader] of cases) {
  const local = codecFromSchema(reader);
  const row = [
    milliseconds(() => fingerprintOf(codecFromSchema(writer))),
    milliseconds(() => readerOf(local, writer)),
    milliseconds(() => diff(writer, reader)),
  ];
  console.log(`| ${name} | ${row.join(" | ")} |`);
}
