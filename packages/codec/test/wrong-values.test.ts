/** Every type against values of every other: each is refused with its path, and the writer stays as it was. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
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
  map,
  nullable,
  optional,
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
import { engines } from "./engines.ts";

/** One value of each kind that JavaScript has. */
const kinds: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  boolean: true,
  number: 5,
  fraction: 1.5,
  bigint: 5n,
  string: "a",
  symbol: Symbol("a"),
  function: () => 5,
  "plain object": {},
  array: [],
  Date: new Date(0),
  Map: new Map(),
  Set: new Set(),
  Uint8Array: new Uint8Array(3),
  Float64Array: new Float64Array(3),
  DataView: new DataView(new ArrayBuffer(3)),
  "number object": Object(5),
  promise: Promise.resolve(5),
};

/** Each type with a good value, and the kinds of which it takes the one above. */
const types: readonly (readonly [name: string, codec: unknown, good: unknown, takes: readonly string[]])[] = [
  ["bool", bool, true, ["boolean"]],
  ["u8", u8, 1, ["number"]],
  ["u16", u16, 1, ["number"]],
  ["u32", u32, 1, ["number"]],
  ["u64", u64, 1n, ["bigint"]],
  ["i8", i8, 1, ["number"]],
  ["i16", i16, 1, ["number"]],
  ["i32", i32, 1, ["number"]],
  ["i64", i64, 1n, ["bigint"]],
  ["uint", uint, 1, ["number"]],
  ["int", int, 1, ["number"]],
  ["f32", f32, 1, ["number", "fraction"]],
  ["f64", f64, 1, ["number", "fraction"]],
  ["string", string, "x", ["string"]],
  ["bytes", bytes, new Uint8Array(1), ["Uint8Array"]],
  ["date", date, new Date(1), ["Date"]],
  ["uuid", uuid, "00000000-0000-0000-0000-000000000000", []],
  ["nullable", nullable(u8), null, ["null", "number"]],
  ["array", array(string), ["x"], ["array"]],
  ["set", set(string), new Set(["x"]), ["Set"]],
  ["tuple", tuple([u8]), [1], []],
  ["record", record(u8), { a: 1 }, ["plain object"]],
  ["map", map(string, u8), new Map([["a", 1]]), ["Map"]],
  ["struct", struct({ a: u8 }), { a: 1 }, []],
  ["struct of optional fields", struct({ a: optional(u8), b: optional(string) }), { a: 1 }, ["plain object"]],
  ["struct of anything", struct({ a: any, b: nullable(any) }), { a: 1, b: null }, ["plain object"]],
  ["struct without fields", struct({}), {}, ["plain object"]],
  ["enumeration", enumeration(["x", "a"]), "x", ["string"]],
  ["union", union({ x: u8, y: u8 }), { type: "x", value: 1 }, []],
  ["typedArray", typedArray(Float64Array), new Float64Array(1), ["Float64Array"]],
];

/** Numbers just outside of each type. */
const outside: readonly (readonly [name: string, codec: unknown, values: readonly unknown[]])[] = [
  ["u8", u8, [-1, 256, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]],
  ["u16", u16, [-1, 65_536, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 32]],
  ["u32", u32, [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY]],
  ["uint", uint, [-1, 2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY]],
  ["u64", u64, [-1n, 2n ** 64n]],
  ["i8", i8, [-129, 128, 0.5, Number.NaN, 2 ** 32]],
  ["i16", i16, [-32_769, 32_768, 0.5, Number.NaN, 2 ** 32]],
  ["i32", i32, [-(2 ** 31) - 1, 2 ** 31, 0.5, Number.NaN, Number.NEGATIVE_INFINITY]],
  ["int", int, [-(2 ** 53), 2 ** 53, 0.5, Number.NaN, Number.NEGATIVE_INFINITY]],
  ["i64", i64, [-(2n ** 63n) - 1n, 2n ** 63n]],
  ["date", date, [new Date(Number.NaN)]],
];

for (const engine of engines) {
  describe(`${engine.name}: wrong values`, () => {
    /** Expects that `wrong` is refused alone, in a field and in a list, and that the writer then takes what is right. */
    const refuses = (codec: Codec<unknown>, good: unknown, wrong: unknown, codes: readonly string[]): void => {
      const field = engine.of(struct({ before: string, list: array(struct({ it: codec })), dense: array(codec) }));
      for (const [value, path] of [
        [{ before: "é漢", list: [{ it: good }, { it: wrong }], dense: [] }, "$.list[1].it"],
        [{ before: "é漢", list: [], dense: [good, good, wrong] }, "$.dense[2]"],
      ] as const) {
        const writer = new Writer(64);
        field.encodeTo(writer, { before: "", list: [], dense: [] });
        const before = writer.take();
        assert.throws(
          () => field.encodeTo(writer, value),
          (error) => {
            assert.ok(error instanceof CodecError);
            assert.ok(error.path.startsWith(path), `${error.path}, wanted ${path}`);
            assert.ok(codes.includes(error.code), `${error.code}, wanted ${codes.join()}`);
            return true;
          },
        );
        assert.deepEqual(writer.take(), before);
        const right = { before: "é漢", list: [{ it: good }], dense: [good] };
        field.encodeTo(writer, right);
        assert.deepStrictEqual(field.decode(writer.take().subarray(before.length)), right);
      }
    };

    for (const [name, codec, good, takes] of types) {
      test(`${name} takes no value of another kind`, () => {
        for (const [kind, value] of Object.entries(kinds)) {
          if (takes.includes(kind)) continue;
          refuses(codec as Codec<unknown>, good, value, ["type", "missing", "range", "variant"]);
        }
      });
    }

    test("an object of any class is a struct, and so is what has one of the fields", () => {
      class Options {
        readonly #secret = 5;
        retries?: number;
        name = String(this.#secret);
      }
      const codec: Codec<unknown> = engine.of(struct({ retries: optional(u8), toString: optional(u8) }));
      for (const none of [new Options(), Object.create(null), { other: 5 }, { retries: undefined }]) {
        assert.deepEqual(codec.encode(none), Uint8Array.of(0));
      }
      assert.deepEqual(codec.encode(Object.assign(new Map(), { retries: 0 })), Uint8Array.of(1, 0));
      assert.throws(() => codec.encode(new Map([["retries", 5]])), {
        message: "$: expected object, got Map",
      });
      assert.throws(() => engine.of(array(codec)).encode([{}, Promise.resolve({})]), {
        message: "$[1]: expected object, got Promise",
      });
      assert.equal(codec.is([]), false);
    });

    test("a list that changes while it is read is refused or written whole", () => {
      for (const [first, then] of [
        [5, "x"],
        [5, 2 ** 40],
        [2 ** 40, 5],
        [2 ** 40, undefined],
        [300, 2 ** 52],
      ] as const) {
        for (const of of [u32, i32, int, uint, f64]) {
          for (let reads = 0; reads < 12; reads++) {
            let count = 0;
            const list: number[] = [5, 5, 5, 0, 5, 5];
            Object.defineProperty(list, 3, { get: () => (count++ < reads ? first : then) });
            const codec = engine.of(array(of));
            const message = written(() => codec.encode(list));
            if (message === undefined) continue;
            const read = codec.decode(message);
            assert.equal(read.length, 6);
            assert.deepEqual([...read.slice(0, 3), ...read.slice(4)], [5, 5, 5, 5, 5]);
          }
        }
      }
    });

    for (const [name, codec, values] of outside) {
      test(`${name} takes nothing outside of its range`, () => {
        const good = types.find(([type]) => type === name)?.[2];
        for (const value of values) refuses(codec as Codec<unknown>, good, value, ["range"]);
      });
    }
  });
}

/** The message, or nothing where the value is refused. */
function written(encode: () => Uint8Array): Uint8Array | undefined {
  try {
    return encode();
  } catch (error) {
    assert.ok(error instanceof CodecError);
    return undefined;
  }
}
