import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type AnyCodec,
  any,
  array,
  bool,
  bytes,
  type Codec,
  CodecError,
  date,
  enumeration,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  int,
  lazy,
  map,
  nullable,
  optional,
  Reader,
  record,
  set,
  string,
  struct,
  tuple,
  typedArray,
  u8,
  u16,
  u32,
  u64,
  uint,
  union,
  uuid,
  Writer,
} from "../src/index.ts";
import { mayCompile } from "../src/compile.ts";
import { engines, hex } from "./engines.ts";

interface Tree {
  value: number;
  children: Tree[];
}
const Tree: Codec<Tree> = struct({ value: int, children: array(lazy(() => Tree)) });
const Getter = struct({
  name: string,
  get next() {
    return nullable(Getter);
  },
});
const nested = (depth: number): Tree => ({ value: depth, children: depth === 0 ? [] : [nested(depth - 1)] });
const long = "漢字かな交じり文".repeat(700);
const many = Array.from({ length: 300 }, (_, i) => i * 977);
/** Whole blocks of a list of integers, of each width once, from narrow to wide and back. */
const blocks = [1, 3, 5, 7, 6, 4, 2, 5].flatMap((width) =>
  Array.from({ length: 64 }, (_, i) => (i === 9 ? 2 ** (8 * width - 1) - 1 : i)),
);

const cases: readonly (readonly [string, AnyCodec, readonly unknown[]])[] = [
  ["bool", bool, [true, false]],
  ["u8", u8, [0, 1, 127, 128, 255]],
  ["u16", u16, [0, 255, 256, 65535]],
  ["u32", u32, [0, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 - 1]],
  ["u64", u64, [0n, 1n, 255n, 256n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]],
  ["i8", i8, [0, -1, 127, -128]],
  ["i16", i16, [0, -1, 32767, -32768]],
  ["i32", i32, [0, -1, 63, -64, 64, 2 ** 31 - 1, -(2 ** 31)]],
  ["i64", i64, [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  ["uint", uint, [0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1]],
  ["int", int, [0, 1, -1, 63, -64, 64, -65, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1]],
  ["f32", f32, [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]],
  ["f64", f64, [0, -0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, Number.MAX_VALUE]],
  ["string", string, ["", "a", "é", "ÿ", "Ā", "漢字", "😀", "a😀b", "x".repeat(5000), long, "\0", "\ufeff", "\ufffd"]],
  ["bytes", bytes, [new Uint8Array(0), new Uint8Array([1, 2, 255]), new Uint8Array(1000)]],
  ["date", date, [new Date(0), new Date(1_700_000_000_123), new Date(-1), new Date(8.64e15)]],
  ["uuid", uuid, ["00000000-0000-0000-0000-000000000000", "0123abcd-4567-89ab-cdef-fedcba987654"]],
  ["any", any, [null, 1, "x", [1, { a: true }], new Map([[1, 2]])]],
  [
    "struct of any",
    struct({ a: any, b: string }),
    [
      { a: { x: ["y"] }, b: "c" },
      { a: "x".repeat(300), b: "é漢" },
    ],
  ],
  ["empty struct", struct({}), [{}]],
  ["array(string)", array(string), [[], ["a", "", "漢", "b"], many.map(String)]],
  ["array(bool)", array(bool), [[], [true], [true, false, true, true, false, false, true, true, true]]],
  ["array(u8)", array(u8), [[], [1, 2, 255]]],
  ["array(i16)", array(i16), [[1, -2, 32767]]],
  ["array(u32)", array(u32), [[], [0], [1, 256, 65536, 2 ** 24, 2 ** 32 - 1], many]],
  ["array(i32)", array(i32), [[], [0, -1, 2 ** 31 - 1, -(2 ** 31)], many.map((n) => (n % 2 ? n : -1 - n))]],
  ["array(uint)", array(uint), [[], [0, 1, 2 ** 53 - 1], [2 ** 31], many, blocks.map((n) => Math.min(n, 2 ** 53 - 1))]],
  [
    "array(int)",
    array(int),
    [
      [],
      [-1, 1, 127, -128],
      [32767, -32768],
      [2 ** 23 - 1, -(2 ** 23)],
      many,
      [2 ** 40, -3],
      [2 ** 31, -(2 ** 31) - 1],
      blocks.map((n) => -Math.min(n, 2 ** 53 - 1) + 0),
    ],
  ],
  ["array(u64)", array(u64), [[], [0n, 1n, 2n ** 64n - 1n], many.map(BigInt)]],
  ["array(i64)", array(i64), [[], [0n, -1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 31n], many.map((n) => -BigInt(n))]],
  ["array(f32)", array(f32), [[], [1.5, -0, Number.NaN]]],
  ["array(f64)", array(f64), [[], [1, 0.5, -0, Number.NaN], many]],
  ["array(date)", array(date), [[new Date(5), new Date(-5)]]],
  ["array(array(bool))", array(array(bool)), [[], [[true], [], [false, true]]]],
  ["array(nullable(enumeration))", array(nullable(enumeration(["a", "b", "c", "d", "e"]))), [["a", null, "e", "c"]]],
  ["array(empty struct)", array(struct({})), [[], [{}, {}, {}]]],
  [
    "array(union)",
    array(union({ a: bool, b: string })),
    [
      [
        { type: "a", value: true },
        { type: "b", value: "x" },
      ],
    ],
  ],
  ["nullable(string)", nullable(string), [null, "", "x"]],
  ["nullable(bool)", nullable(bool), [null, true, false]],
  [
    "tuple",
    tuple([u8, string, bool, nullable(f64)]),
    [
      [1, "x", true, null],
      [255, "", false, 0.5],
    ],
  ],
  ["empty tuple", tuple([]), [[]]],
  ["record", record(u8), [{}, { a: 1, constructor: 2, toString: 3 }, JSON.parse('{"__proto__":1,"b":2}')]],
  ["record of structs", record(struct({ x: bool })), [{ a: { x: true }, 漢: { x: false } }]],
  [
    "map",
    map(u8, string),
    [
      new Map(),
      new Map([
        [1, "a"],
        [2, "漢"],
      ]),
    ],
  ],
  [
    "map with heads",
    map(bool, bool),
    [
      new Map([
        [true, false],
        [false, true],
      ]),
    ],
  ],
  ["set", set(string), [new Set(), new Set(["a", "b"])]],
  ["set of enumeration", set(enumeration(["a", "b", "c"])), [new Set(["c", "a"])]],
  ["enumeration of one", enumeration(["only"]), ["only"]],
  ["enumeration of 300", enumeration(many.map(String)), ["0", "977", String(299 * 977)]],
  ["array of enumeration of 300", array(enumeration(many.map(String))), [["0", "977"]]],
  [
    "union",
    union({ text: string, point: struct({ x: f64, on: bool }), flag: bool, none: struct({}) }),
    [
      { type: "text", value: "x" },
      { type: "point", value: { x: 1, on: true } },
      { type: "flag", value: true },
      { type: "none", value: {} },
    ],
  ],
  ["union of one", union({ only: bool }), [{ type: "only", value: true }]],
  ["typedArray", typedArray(Float64Array), [new Float64Array([1, 2.5]), new Float64Array(0)]],
  ["BigInt64Array", typedArray(BigInt64Array), [new BigInt64Array([-1n])]],
  [
    "optional fields",
    struct({ a: optional(string), b: u8, c: optional(bool), d: optional(nullable(bool)), e: bool }),
    [
      { b: 1, e: true },
      { a: "x", b: 1, c: false, d: null, e: false },
      { b: 2, d: true, e: true },
      { a: "y", b: 2, c: true, d: false, e: true },
    ],
  ],
  [
    "odd names",
    struct({ ["__proto__"]: u8, constructor: optional(u8), 'a"]};throw 1//': u8, "\u2028": string }),
    [
      JSON.parse('{"__proto__":1,"a\\"]};throw 1//":3,"\u2028":"x"}'),
      JSON.parse('{"__proto__":1,"constructor":2,"a\\"]};throw 1//":3,"\u2028":"x"}'),
    ],
  ],
  [
    "twenty flags",
    struct(Object.fromEntries(many.slice(0, 20).map((n) => [`f${n}`, nullable(enumeration(["a", "b", "c"]))]))),
    [Object.fromEntries(many.slice(0, 20).map((n, i) => [`f${n}`, ["a", "b", "c", null][i % 4]]))],
  ],
  ["tree", Tree, [nested(0), nested(3), nested(500)]],
  [
    "getter",
    Getter,
    [
      { name: "a", next: null },
      { name: "a", next: { name: "b", next: { name: "漢", next: null } } },
    ],
  ],
];

for (const engine of engines) {
  describe(engine.name, () => {
    for (const [name, declared, values] of cases) {
      const codec = engine.of(declared) as Codec<unknown>;
      test(`${name}: decode(encode(x)) is x`, () => {
        for (const value of values) assert.deepStrictEqual(codec.decode(codec.encode(value)), value);
      });
      test(`${name}: every strict prefix and every extension is refused`, () => {
        for (const value of values.slice(0, 4)) {
          const message = codec.encode(value);
          const step = message.length > 500 ? 37 : 1;
          for (let size = 0; size < message.length; size += step) {
            assert.throws(() => codec.decode(message.subarray(0, size)), CodecError, `${size} of ${hex(message)}`);
          }
          assert.throws(() => codec.decode(Uint8Array.of(...message.subarray(0, 2000), 0)), CodecError);
        }
      });
      test(`${name}: encodeTo appends and decodeFrom reads in place`, () => {
        const writer = new Writer(8);
        writer.reserve(3);
        writer.bytes.set([7, 7, 7]);
        writer.pos = 3;
        const ends = values.map((value) => {
          codec.encodeTo(writer, value);
          return writer.pos;
        });
        const reader = new Reader();
        let start = 3;
        values.forEach((value, i) => {
          reader.reset(writer.bytes, start, ends[i]);
          assert.equal(hex(writer.bytes.subarray(start, ends[i])), hex(codec.encode(value)));
          assert.deepStrictEqual(codec.decodeFrom(reader), value);
          assert.equal(reader.pos, ends[i]);
          start = ends[i] as number;
        });
        assert.deepEqual([...writer.bytes.subarray(0, 3)], [7, 7, 7]);
      });
    }
  });
}

const skipCode = !mayCompile() && "no text may become code here";
test("both engines give the same bytes, and the compiled one never gives up on good values", { skip: skipCode }, () => {
  const [compiled, interpreted] = engines;
  for (const [name, declared, values] of cases) {
    if (name === "any") continue;
    const codec = compiled?.of(declared) as Codec<unknown> & {
      engine: {
        compiled: {
          encode(w: Writer, v: unknown): void;
          decode(b: Uint8Array, view: undefined, from: number, to: number, views: boolean): unknown;
        };
      };
    };
    for (const value of values) {
      const bytes = hex((interpreted as (typeof engines)[number]).of(declared as Codec<unknown>).encode(value));
      const writer = new Writer();
      codec.engine.compiled.encode(writer, value);
      assert.equal(hex(writer.take()), bytes, name);
      assert.deepStrictEqual(codec.engine.compiled.decode(writer.take(), undefined, 0, writer.pos, false), value, name);
    }
  }
});

for (const engine of engines) {
  test(`any hands on whether bytes are to be views (${engine.name})`, () => {
    const value = { blob: Uint8Array.of(1, 2, 3) };
    for (const codec of [any, struct({ id: u32, body: any })] as readonly Codec<unknown>[]) {
      const coder = engine.of(codec);
      const message = coder.encode(codec === any ? value : { id: 1, body: value });
      for (const views of [true, false]) {
        const decoded = coder.decode(message, { views }) as { blob: Uint8Array; body?: typeof value };
        const { blob } = decoded.body ?? decoded;
        assert.deepStrictEqual([...blob], [1, 2, 3]);
        assert.equal(blob.buffer === message.buffer, views);
      }
    }
  });

  test(`text that is gathered in several pieces lies in one section (${engine.name})`, () => {
    const words = Array.from({ length: 9000 }, (_, i) => `word ${i}`);
    const tree = (depth: number): { name: string; of: unknown[] } => ({
      name: "é".repeat(depth * 400),
      of: depth === 0 ? [] : [1, 2, 3].map(() => tree(depth - 1)),
    });
    const Tree: Codec<unknown> = struct({ name: string, of: array(lazy(() => Tree)) }) as Codec<unknown>;
    for (const more of [[], ["é"], ["漢字"]]) {
      const texts = [...words, ...more, ...words];
      const codec = engine.of(array(string));
      const bytes = codec.encode(texts);
      const narrow = texts.filter((text) => text !== "漢字").join("");
      assert.ok(Buffer.from(bytes).includes(Buffer.from(narrow, "latin1")));
      assert.deepStrictEqual(codec.decode(bytes), texts);
    }
    const trees = engine.of(struct({ first: string, tree: Tree, last: string }));
    const value = { first: "a", tree: tree(6), last: "z" };
    assert.deepStrictEqual(trees.decode(trees.encode(value)), value);
  });

  test(`the same value gives the same bytes after 100,000 other messages (${engine.name})`, () => {
    const codec = engine.of(struct({ id: int, name: string, list: array(int), data: array(f64) }));
    const value = { id: 2 ** 40, name: "é漢 text", list: [1, -(2 ** 40), 3], data: [0.5, Number.NaN] };
    const before = hex(codec.encode(value, { copy: true }));
    for (let i = 0; i < 100_000; i++) {
      codec.encode({ id: -i, name: (i & 1) === 0 ? "plain" : "漢字", list: [i, 2 ** (i % 50)], data: [i] });
    }
    assert.equal(hex(codec.encode(value)), before);
  });
}
