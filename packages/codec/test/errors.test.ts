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
  codecFromSchema,
  date,
  enumeration,
  f64,
  i64,
  i32,
  int,
  lazy,
  map,
  nullable,
  optional,
  readerOf,
  record,
  set,
  string,
  struct,
  tuple,
  typedArray,
  u8,
  u32,
  u64,
  uint,
  union,
  uuid,
  Writer,
} from "../src/index.ts";
import { engines, hex, unhex } from "./engines.ts";

interface Chain {
  next: Chain[];
}
const Chain: Codec<Chain> = struct({ next: array(lazy(() => Chain)) });
const loop: Chain = { next: [] };
loop.next.push(loop);
const deep = (levels: number): Chain => {
  let chain: Chain = { next: [] };
  for (let i = 0; i < levels; i++) chain = { next: [chain] };
  return chain;
};
const orders = struct({ orders: array(struct({ price: f64, tags: record(set(string)) })) });

const refused: readonly (readonly [string, AnyCodec, unknown, string, RegExp])[] = [
  [
    "a wrong type deep down",
    orders,
    {
      orders: [
        { price: 1, tags: {} },
        { price: "x", tags: {} },
      ],
    },
    "type",
    /^\$\.orders\[1\]\.price: expected f64, got string "x"$/,
  ],
  [
    "a missing field",
    orders,
    { orders: [{ tags: {} }] },
    "missing",
    /^\$\.orders\[0\]\.price: expected f64, got undefined$/,
  ],
  [
    "a wrong element of a set in a record",
    orders,
    { orders: [{ price: 1, tags: { "odd key": new Set([1]) } }] },
    "type",
    /^\$\.orders\[0\]\.tags\[string "odd key"\]\[0\]: expected string, got number 1$/,
  ],
  ["no object", orders, null, "type", /^\$: expected object, got null$/],
  ["bool", bool, 1, "type", /expected bool, got number 1/],
  ["u8 too big", u8, 256, "range", /expected u8, got number 256/],
  ["u8 broken", u8, 1.5, "range", /expected u8, got number 1.5/],
  ["u32 negative", u32, -1, "range", /expected u32, got number -1/],
  ["u32 as text", u32, "1", "type", /expected u32, got string "1"/],
  ["uint past 2^53", uint, 2 ** 53, "range", /expected uint/],
  ["int NaN", int, Number.NaN, "range", /expected int, got number NaN/],
  ["u64 number", u64, 1, "type", /expected u64, got number 1/],
  ["u64 too big", u64, 2n ** 64n, "range", /expected u64, got bigint/],
  ["i64 too small", i64, -(2n ** 63n) - 1n, "range", /expected i64, got bigint/],
  ["a number in a list", array(u32), [1, 2, -3], "range", /^\$\[2\]: expected u32, got number -3$/],
  ["a number in a list of int", array(int), [1, 2, 0.5], "range", /^\$\[2\]: expected int, got number 0.5$/],
  ["a fraction among wide ints", array(int), [2 ** 40, 0.5], "range", /^\$\[1\]: expected int, got number 0.5$/],
  ["2^53 in a list", array(int), [1, 2 ** 53], "range", /^\$\[1\]: expected int/],
  // Its upper half, cut to 32 bits, is zero.
  ["2^80 in a list", array(int), [1, 2 ** 80], "range", /^\$\[1\]: expected int/],
  ["an infinity in a list", array(uint), [1, Number.POSITIVE_INFINITY], "range", /^\$\[1\]: expected uint/],
  ["a negative number in a list of uint", array(uint), [1, -1], "range", /^\$\[1\]: expected uint, got number -1$/],
  ["a negative number among wide uints", array(uint), [2 ** 40, -1], "range", /^\$\[1\]: expected uint/],
  ["text in a list of int", array(int), [2 ** 40, "1"], "type", /^\$\[1\]: expected int, got string "1"$/],
  ["a bigint in a list", array(u64), [1n, -1n], "range", /^\$\[1\]: expected u64, got bigint -1$/],
  ["a hole in a list", array(f64), [1, undefined, 3], "missing", /^\$\[1\]: expected f64, got undefined$/],
  ["a lone surrogate", struct({ a: string }), { a: "x\ud800" }, "text", /^\$\.a: expected text, got a lone surrogate$/],
  [
    "two halves in two strings",
    array(string),
    ["漢\ud83d", "\ude00"],
    "text",
    /^\$\[0\]: expected text, got a lone surrogate$/,
  ],
  ["a surrogate in a long text", string, `${"漢".repeat(3000)}\udc00${"字".repeat(3000)}`, "text", /lone surrogate/],
  ["an invalid date", date, new Date(Number.NaN), "range", /expected date, got an invalid Date/],
  ["a number for a date", date, 5, "type", /expected date, got number 5/],
  ["a bad uuid", uuid, "0123", "range", /expected uuid, got string "0123"/],
  ["an array for bytes", bytes, [1], "type", /expected bytes, got array of 1/],
  [
    "another typed array",
    typedArray(Float32Array),
    new Float64Array(1),
    "type",
    /expected Float32Array, got Float64Array/,
  ],
  [
    "an unknown enum value",
    struct({ e: enumeration(["a", "b"]) }),
    { e: "c" },
    "variant",
    /^\$\.e: expected one of "a", "b", got string "c"$/,
  ],
  [
    "an unknown union tag",
    union({ a: u8, b: u8 }),
    { type: "c", value: 1 },
    "variant",
    /expected type to be one of "a", "b", got string "c"/,
  ],
  [
    "a wrong payload",
    union({ a: u8, b: string }),
    { type: "b", value: 1 },
    "type",
    /^\$\.value: expected string, got number 1$/,
  ],
  ["a short tuple", tuple([u8, u8]), [1], "type", /expected array of 2, got array of 1/],
  ["a wrong key", map(u8, u8), new Map([[300, 1]]), "range", /^\$\[number 300\]: expected u8, got number 300$/],
  ["a cycle", Chain, loop, "cycle", /the value contains itself/],
  ["a deep value", Chain, deep(600), "depth", /nested deeper than 512/],
  ["undefined for nullable", nullable(string), undefined, "missing", /expected string, got undefined/],
  ["null for optional", struct({ a: optional(string) }), { a: null }, "type", /^\$\.a: expected string, got null$/],
];

/** A message whose default is taken from another one. */
interface Nested {
  x: number;
  a?: number;
  b?: number;
  c: number;
  d: number;
}

const bad: readonly (readonly [string, AnyCodec, string, string])[] = [
  ["nothing", string, "", "truncated"],
  ["an extra byte", u8, "01 02", "trailing"],
  ["unused bits", bool, "02", "malformed"],
  ["bits of a null", nullable(bool), "02", "malformed"],
  ["an unknown enum value", enumeration(["a", "b", "c"]), "03", "variant"],
  ["an unknown union case", union({ a: u8, b: u8, c: u8 }), "03 00", "variant"],
  ["an over-long integer", uint, "80 00", "malformed"],
  ["an integer past 2^53", uint, "ff ff ff ff ff ff ff 1f", "range"],
  ["u32 past 32 bits", u32, "80 80 80 80 10", "range"],
  ["a count bomb", array(string), "ff ff ff ff 0f 00", "truncated"],
  ["a count bomb of numbers", array(f64), "ff ff ff ff ff ff 0f", "truncated"],
  ["a count bomb of nothing", array(struct({})), "ff ff ff ff 0f", "limit"],
  ["a string past the text", string, "0a 61 02", "truncated"],
  ["text that no string takes", string, "00 61 02", "trailing"],
  ["a wide string in narrow text", string, "03 61 02", "truncated"],
  ["bad UTF-8", string, "03 ff 02 01", "text"],
  ["a surrogate in UTF-16", string, "03 00 d8 05 01", "text"],
  ["a torn pair", tuple([string, string]), "03 03 3d d8 00 de 09 01", "malformed"],
  ["odd UTF-16", string, "03 00 07 01", "malformed"],
  ["bytes past the end", bytes, "05 01", "truncated"],
  ["equal keys of a record", record(u8), "02 02 01 02 02 61 61 04", "malformed"],
  ["equal keys of a map", map(u8, u8), "02 01 01 01 02", "malformed"],
  ["equal elements of a set", set(u8), "02 01 01", "malformed"],
  ["a date past its range", date, "fe ff ff ff ff ff ff ff 3f", "range"],
  ["a list block of width 9", array(int), "01 09 00 00 00 00 00 00 00 00 00", "malformed"],
  ["a bigint of width 9", u64, "09 00 00 00 00 00 00 00 00 00", "malformed"],
  ["a depth bomb", Chain, "01".repeat(600), "depth"],
];

for (const engine of engines) {
  describe(`${engine.name}: encoding`, () => {
    for (const [name, declared, value, code, message] of refused) {
      test(`refuses ${name} and leaves the writer as it was`, () => {
        const codec = engine.of(declared) as Codec<unknown>;
        const writer = new Writer();
        writer.reserve(2);
        writer.pos = 2;
        assert.throws(
          () => codec.encodeTo(writer, value),
          (error: CodecError) => {
            assert.ok(error instanceof CodecError);
            assert.equal(error.code, code);
            assert.match(error.message, message);
            return true;
          },
        );
        assert.equal(writer.pos, 2);
        assert.equal(codec.is(value), false);
      });
    }

    test("an encode inside another, from a getter, harms neither", () => {
      const codec = engine.of(struct({ a: string, b: string, c: u8 }));
      const inner = hex(codec.encode({ a: "in", b: "ner", c: 1 }));
      const value = {
        a: "out",
        get b() {
          return hex(codec.encode({ a: "in", b: "ner", c: 1 }));
        },
        c: 2,
      };
      assert.deepEqual(codec.decode(codec.encode(value)), { a: "out", b: inner, c: 2 });
    });

    test("a getter that throws is told from a fault of the codec", () => {
      const codec = engine.of(struct({ a: u8 }));
      const value = {
        get a(): number {
          throw new Error("boom");
        },
      };
      assert.throws(
        () => codec.encode(value),
        (error: CodecError) =>
          error.code === "getter" && error.path === "$.a" && (error.cause as Error).message === "boom",
      );
    });

    test("ignores unknown keys and what a value inherits from Object", () => {
      const codec = engine.of(struct({ a: u8, toString: optional(string) }));
      assert.deepEqual(codec.decode(codec.encode({ a: 1, more: 2 } as never)), { a: 1 });
    });

    test("gives the same bytes after 100,000 other messages", () => {
      const codec = engine.of(struct({ a: string, b: array(string), c: optional(int) }));
      const value = { a: "abc", b: ["x", "漢"], c: -5 };
      const before = hex(codec.encode(value));
      for (let i = 0; i < 100_000; i++)
        codec.encode({ a: i % 3 ? "y".repeat(i % 50) : "é漢😀".repeat(i % 9), b: [String(i), "Ā"], c: undefined });
      assert.equal(hex(codec.encode(value)), before);
    });
  });

  describe(`${engine.name}: decoding`, () => {
    test("a decode inside another, from a default, harms neither", () => {
      const codec: Codec<Nested> = engine.of(
        struct({
          x: u32,
          a: optional(u32, { default: (): number => codec.decode(inner).a ?? 0 }),
          b: optional(u32),
          c: u32,
          d: u32,
        }),
      ) as never;
      // As long as the outer one, so that nothing is amiss at the end.
      const inner = codec.encode({ x: 1, a: 9, c: 2, d: 3 });
      const value = { x: 7, b: 8, c: 4, d: 5 };
      for (let i = 0; i < 3; i++) assert.deepEqual(codec.decode(codec.encode(value)), { a: 9, ...value });
    });

    for (const [name, declared, text, code] of bad) {
      test(`refuses ${name}`, () => {
        const codec = engine.of(declared) as Codec<unknown>;
        assert.throws(
          () => codec.decode(unhex(text)),
          (error: CodecError) => {
            assert.ok(error instanceof CodecError);
            assert.equal(error.code, code, error.message);
            assert.equal(typeof error.offset, "number");
            return true;
          },
        );
      });
    }

    test("names an offset inside what was cut off", () => {
      const lists = {
        u64: [u64, 5n],
        u64s: [array(u64), [1n, 2n ** 60n, 3n]],
        i32s: [array(i32), [1, -70_000, 3, 4, 5]],
      };
      for (const [name, [declared, value]] of Object.entries(lists)) {
        const codec = engine.of(declared as Codec<unknown>);
        const bytes = codec.encode(value);
        for (let length = 0; length < bytes.length; length++) {
          assert.throws(
            () => codec.decode(bytes.slice(0, length)),
            (error: CodecError) => error.code === "truncated" && (error.offset ?? Number.NaN) <= length,
            `${name}, ${length} bytes`,
          );
        }
      }
    });

    test("charges elements of no size, in fields that a reader passes over too", () => {
      const nothing = array(struct({ none: tuple([]), one: enumeration(["only"]) }));
      const writer = struct({ gone: array(nothing), kept: u8 });
      const reader = readerOf(engine.of(struct({ kept: u8 })), writer.schema);
      const copy = codecFromSchema(writer.schema) as typeof writer;
      const one = { none: [] as [], one: "only" as const };
      const few = writer.encode({ gone: [[one, one, one]], kept: 7 });
      assert.deepEqual(reader.decode(few), { kept: 7 });
      assert.deepEqual(copy.decode(few), writer.decode(few));
      // Ten lists of 2^20 elements each, in 32 bytes.
      const bomb = unhex(`0a ${"80 80 40 ".repeat(10)} 07`);
      for (const decoder of [reader, copy, engine.of(writer)]) {
        assert.throws(() => decoder.decode(bomb), { code: "limit" });
      }
    });

    test("counts depth in fields that a reader passes over", () => {
      const writer = struct({ gone: Chain, kept: u8 });
      const reader = readerOf(engine.of(struct({ kept: u8 })), writer.schema);
      assert.deepEqual(reader.decode(writer.encode({ gone: deep(500), kept: 7 })), { kept: 7 });
      assert.throws(() => reader.decode(unhex(`${"01".repeat(600)}0007`)), { code: "depth" });
    });

    test("charges defaults that a newer reader fills in for what no byte pays for", () => {
      const added = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`f${i}`, optional(u8, { default: 1 })]));
      const reader = readerOf(engine.of(array(struct({ a: u8, ...added }))), array(struct({ a: u8 })).schema);
      const message = (count: number) =>
        array(struct({ a: u8 })).encode(Array.from({ length: count }, () => ({ a: 1 })));
      assert.equal(reader.decode(message(500)).length, 500);
      assert.throws(
        () => reader.decode(message(40_000)),
        (error: CodecError) => error.code === "limit",
      );
    });

    test("copies bytes, unless views are asked for", () => {
      const codec = engine.of(bytes);
      const message = codec.encode(new Uint8Array([1, 2, 3]), { copy: true });
      const copy = codec.decode(message);
      const view = codec.decode(message, { views: true });
      message[1] = 9;
      assert.deepEqual([copy[0], view[0]], [1, 9]);
    });
  });
}

test("small messages share a slab that is never written again, and copy gives a buffer of its own", () => {
  const codec = struct({ a: u32, b: string });
  const first = codec.encode({ a: 1, b: "x" });
  const second = codec.encode({ a: 2, b: "y" });
  const own = codec.encode({ a: 1, b: "x" }, { copy: true });
  assert.equal(first.buffer, second.buffer);
  assert.equal(own.buffer.byteLength, own.length);
  for (let i = 0; i < 20_000; i++) codec.encode({ a: 3, b: "z" });
  assert.deepEqual(first, own);
});

for (const { name, of } of engines) {
  test(`${name}: a writer whose memory was given away takes no message and drops none in silence`, () => {
    const codec = of(struct({ a: u32 }));
    const writer = new Writer();
    codec.encodeTo(writer, { a: 5 });
    structuredClone(writer.buffer, { transfer: [writer.buffer as ArrayBuffer] });
    writer.pos = 0;
    assert.throws(() => codec.encodeTo(writer, { a: 5 }));
  });
}

test("a message keeps at most 64 KiB and 64 times its size alive, whatever was encoded before it", () => {
  for (const long of [30_000, 300_000, 3_000_000]) {
    const codec = struct({ data: bytes });
    const first = codec.encode({ data: new Uint8Array(long) });
    const sizes = [0, 10, 1000, 10_000, 100_000];
    const kept = sizes.map((size) => codec.encode({ data: new Uint8Array(size).fill(7) }));
    for (const message of kept) {
      assert.ok(message.buffer.byteLength <= 65_536 + 64 * message.length, `${message.length} after ${long}`);
    }
    codec.encode({ data: new Uint8Array(long).fill(1) });
    assert.deepEqual(
      [first, ...kept].map((message) => codec.decode(message).data),
      [new Uint8Array(long), ...sizes.map((size) => new Uint8Array(size).fill(7))],
    );
  }
});

test("is() wants what decoding gives: defaults present", () => {
  const codec = struct({ a: optional(u8, { default: 1 }), b: optional(u8) });
  assert.equal(codec.is({}), false);
  assert.equal(codec.is({ a: 1 }), true);
  assert.deepEqual(codec.decode(codec.encode({})), { a: 1 });
});

test("Standard Schema: validates input, fills defaults, names the path", () => {
  const codec = struct({ list: array(struct({ n: u8 })), a: optional(u8, { default: 1 }) });
  const { validate, vendor, version } = codec["~standard"];
  assert.deepEqual([vendor, version], ["pipit", 1]);
  assert.deepEqual(validate({ list: [{ n: 1, more: 2 }] }), { value: { list: [{ n: 1 }], a: 1 } });
  assert.deepEqual(validate({ list: [{ n: 300 }] }), {
    issues: [{ message: "expected u8, got number 300", path: ["list", 0, "n"] }],
  });
});

test("declarations refuse what is no codec, and name the field", () => {
  assert.throws(() => struct({ a: 3 }), { name: "TypeError", message: 'struct field "a" is not a codec' });
  assert.throws(() => array(optional(u8) as never), TypeError);
  assert.throws(() => nullable(nullable(u8)), TypeError);
  assert.throws(() => enumeration(["a", "a"]), TypeError);
  assert.throws(() => union({}), TypeError);
  assert.throws(() => struct({ a: u8 }, { aliases: { b: ["c"] } }), TypeError);
  assert.throws(() => typedArray(DataView as never), TypeError);
});

test("a schema that is nothing but itself is refused at first use", () => {
  const self: AnyCodec = lazy(() => self) as AnyCodec;
  assert.throws(() => (self as Codec<unknown>).encode(1), { code: "schema" });
  const never: Codec<unknown> = nullable(lazy(() => never)) as never;
  assert.throws(() => never.encode(1), { code: "schema" });
});

test("any alone is plain CBOR", () => {
  assert.equal(hex(any.encode([1, "a"])), "82016161");
});
