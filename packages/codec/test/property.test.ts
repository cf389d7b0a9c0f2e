import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import * as p from "../src/index.ts";
import { hex } from "./engines.ts";

interface Case {
  readonly codec: p.AnyCodec;
  readonly value: fc.Arbitrary<unknown>;
}

const text = fc
  .oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.string({ unit: "grapheme", maxLength: 30 }),
  )
  .filter((s) => !/\p{Surrogate}/u.test(s));
const safe = fc.maxSafeInteger();
const leaves: Case[] = [
  { codec: p.bool, value: fc.boolean() },
  { codec: p.u8, value: fc.nat(255) },
  { codec: p.i16, value: fc.integer({ min: -32768, max: 32767 }) },
  { codec: p.u32, value: fc.nat(0xffffffff) },
  { codec: p.i32, value: fc.integer() },
  { codec: p.uint, value: fc.nat(Number.MAX_SAFE_INTEGER) },
  { codec: p.int, value: safe },
  { codec: p.u64, value: fc.bigInt(0n, 2n ** 64n - 1n) },
  { codec: p.i64, value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
  { codec: p.f64, value: fc.double() },
  { codec: p.string, value: text },
  { codec: p.bytes, value: fc.uint8Array({ maxLength: 20 }) },
  { codec: p.date, value: fc.date({ noInvalidDate: true }) },
  { codec: p.uuid, value: fc.uuid() },
  { codec: p.enumeration(["a", "b", "c"]), value: fc.constantFrom("a", "b", "c") },
  { codec: p.typedArray(Int32Array), value: fc.int32Array({ maxLength: 5 }) },
];

const key = fc.oneof(
  fc.constantFrom("a", "__proto__", "constructor", "toString", "\u2028", '"]}', "0"),
  fc.string({ maxLength: 5 }).filter((s) => !/\p{Surrogate}/u.test(s)),
);
const none = Symbol("absent");

const { schema } = fc.letrec<{ schema: Case }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(...leaves),
    tie("schema").map(({ codec, value }) => ({ codec: p.array(codec), value: fc.array(value, { maxLength: 20 }) })),
    tie("schema").map(
      ({ codec, value }): Case =>
        (codec as p.Codec<unknown>)["~def"].kind === "nullable"
          ? { codec, value }
          : { codec: p.nullable(codec), value: fc.option(value, { nil: null }) },
    ),
    tie("schema").map(({ codec, value }) => ({
      codec: p.record(codec),
      value: fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    })),
    tie("schema").map(({ codec, value }) => ({
      codec: p.map(p.u8, codec),
      value: fc.array(fc.tuple(fc.nat(255), value), { maxLength: 5 }).map((entries) => new Map(entries)),
    })),
    fc.array(tie("schema"), { maxLength: 4 }).map((items) => ({
      codec: p.tuple(items.map((item) => item.codec)),
      value: fc.tuple(...items.map((item) => item.value)),
    })),
    fc
      .uniqueArray(fc.tuple(key, tie("schema"), fc.boolean()), { maxLength: 12, selector: ([name]) => name })
      .map(structCase),
    fc
      .uniqueArray(fc.tuple(key, tie("schema")), { minLength: 1, maxLength: 5, selector: ([name]) => name })
      .map(unionCase),
  ),
}));

function structCase(fields: [string, Case, boolean][]): Case {
  return {
    codec: p.struct(
      Object.fromEntries(fields.map(([name, { codec }, absent]) => [name, absent ? p.optional(codec) : codec])),
    ),
    value: fc
      .tuple(...fields.map(([, { value }, absent]) => (absent ? fc.option(value, { nil: none }) : value)))
      .map((values) => ordered(fields.map(([name], i) => [name, values[i]]))),
  };
}

/** Own properties in this order, without the absent ones. */
function ordered(entries: (readonly [string, unknown])[]): unknown {
  return Object.fromEntries(entries.filter(([, value]) => value !== none));
}

function unionCase(cases: [string, Case][]): Case {
  return {
    codec: p.union(Object.fromEntries(cases.map(([name, { codec }]) => [name, codec]))),
    value: fc.oneof(...cases.map(([type, { value }]) => value.map((v) => ({ type, value: v })))),
  };
}

const schemaAndValue = schema.chain(({ codec, value }) => fc.tuple(fc.constant(codec as p.Codec<unknown>), value));
const runs = { numRuns: 400 };

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() };
  } catch (error) {
    assert.ok(error instanceof p.CodecError, String((error as Error).stack));
    return { code: error.code, path: error.path };
  }
}

test("any value of any schema comes back, by both engines with the same bytes, and through the schema alone", () => {
  fc.assert(
    fc.property(schemaAndValue, ([codec, value]) => {
      const bytes = codec.encode(value);
      assert.deepStrictEqual(codec.decode(bytes), value);
      const slow = p.interpreted(codec);
      assert.equal(hex(slow.encode(value)), hex(bytes));
      assert.deepStrictEqual(slow.decode(bytes), value);
      const copy = p.codecFromSchema(JSON.parse(JSON.stringify(codec.schema)));
      assert.equal(copy.fingerprint, codec.fingerprint);
      assert.deepStrictEqual(copy.decode(bytes), value);
    }),
    runs,
  );
});

test("a reader wrapped around the same schema resolves to the same value, whether it keeps or skips it", () => {
  fc.assert(
    fc.property(schemaAndValue, ([codec, value]) => {
      const writer = p.struct({ gone: codec, kept: codec, name: p.string });
      const reader = p.struct({ name: p.string, kept: codec });
      const bytes = writer.encode({ gone: value, kept: value, name: "n" });
      assert.deepStrictEqual(p.readerOf(reader, writer.schema).decode(bytes), { name: "n", kept: value });
    }),
    runs,
  );
});

test("every truncation and every flipped bit gives a value or a CodecError, the same by both engines", () => {
  fc.assert(
    fc.property(schemaAndValue, fc.nat(), ([codec, value], at) => {
      const bytes = codec.encode(value, { copy: true });
      const slow = p.interpreted(codec);
      for (let size = 0; size < Math.min(bytes.length, 200); size++) {
        const result = outcome(() => codec.decode(bytes.subarray(0, size)));
        assert.ok("code" in (result as object), `accepted ${size} of ${hex(bytes)}`);
      }
      for (let k = 0; k < 20 && bytes.length > 0; k++) {
        const bit = (at + k * 7919) % (bytes.length * 8);
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        assert.deepStrictEqual(
          outcome(() => codec.decode(flipped)),
          outcome(() => slow.decode(flipped)),
        );
      }
    }),
    { numRuns: 150 },
  );
});

test("random bytes give a value or a CodecError, the same by both engines, and values encode again", () => {
  fc.assert(
    fc.property(schema, fc.uint8Array({ maxLength: 64 }), ({ codec: any }, bytes) => {
      const codec = any as p.Codec<unknown>;
      const result = outcome(() => codec.decode(bytes)) as { value?: unknown; code?: string };
      assert.deepStrictEqual(
        result,
        outcome(() => p.interpreted(codec).decode(bytes)),
      );
      if (result.code === undefined) assert.deepStrictEqual(codec.decode(codec.encode(result.value)), result.value);
      outcome(() =>
        p
          .readerOf(p.struct({ x: p.u8, y: p.optional(p.string) }), p.struct({ z: codec, x: p.u8 }).schema)
          .decode(bytes),
      );
    }),
    { numRuns: 2000 },
  );
});

test("no schema from outside gives anything but a codec or a CodecError", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.constantFrom("struct", "array", "union", "tuple", "ref", "nullable", "enumeration", "map"),
      (json, type) => {
        for (const schema of [json, { type, of: json }, { type, fields: json, of: json, key: json, id: json }]) {
          outcome(() => p.codecFromSchema(schema as p.Schema).schema);
          outcome(() => p.diff(schema as p.Schema, p.string));
        }
      },
    ),
    { numRuns: 1000 },
  );
});
