import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import * as p from "../src/index.ts";
import { randomCodec, seededRandom } from "../fuzz/support/random-codec.ts";
import { hex } from "./engines.ts";

/** The fuzzer's schemas and values, one for each seed, which a failure prints. */
const schemaAndValue = fc.nat(0xffffffff).map((seed) => {
  const { codec, sample } = randomCodec(seededRandom(seed));
  return [codec, sample()] as const;
});
const schema = schemaAndValue.map(([codec]) => codec);
const runs = { numRuns: 400 };

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() };
  } catch (error) {
    assert.ok(error instanceof p.CodecError, String((error as Error).stack));
    return { code: error.code, path: error.path, offset: error.offset };
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
      assert.equal(p.fingerprintOf(copy), p.fingerprintOf(codec));
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
        const { offset = Number.NaN } = result as { offset?: number };
        assert.ok(offset >= 0 && offset <= size, `accepted ${size} of ${hex(bytes)}, or without an offset`);
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
    fc.property(schema, fc.uint8Array({ maxLength: 64 }), (codec, bytes) => {
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
