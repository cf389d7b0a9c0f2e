import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { Simple, Tagged } from "../src/cbor-tags.ts";
import { isCodecError } from "../src/codec-error.ts";
import { decode, encode, toHex } from "./cbor-support.ts";

const text = fc.oneof(
  fc.string({ maxLength: 50 }),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.string({ unit: "binary", minLength: 200, maxLength: 600 }),
);
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("id", "name", "a", "b", "type", "__proto__", "constructor", "1", "") },
  text,
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.float(),
  fc.constantFrom(0, -0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 64),
);
const bigint = fc
  .oneof(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }))
  .filter((value) => !Number.isSafeInteger(Number(value)));
const scalar = fc.oneof(
  text,
  number,
  bigint,
  fc.boolean(),
  fc.constantFrom(null, undefined, new Simple(3), new Simple(255)),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 40 }),
  fc.int16Array({ maxLength: 9 }),
  fc.float32Array({ maxLength: 9 }),
  fc.float64Array({ maxLength: 9 }),
  fc.bigInt64Array({ maxLength: 9 }),
  fc.uint8ClampedArray({ maxLength: 9 }),
);
const mapKey = fc.oneof(text, number, bigint, fc.boolean(), fc.constant(null));

/** A plain object, with keys that a literal could not name. */
function toObject(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    { weight: 4, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 8 }) },
    { weight: 3, arbitrary: fc.array(fc.tuple(key, tie("value")), { maxLength: 8 }).map(toObject) },
    {
      weight: 1,
      arbitrary: fc.array(fc.tuple(mapKey, tie("value")), { maxLength: 5 }).map((entries) => new Map(entries)),
    },
    { weight: 1, arbitrary: fc.array(mapKey, { maxLength: 5 }).map((values) => new Set(values)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 100, max: 200 }), tie("value"))
        .map(([tag, inner]) => new Tagged(tag, inner)),
    },
  ),
}));

/** Whether decoding gives a value, and not a refusal. Anything else is an error of the test. */
function accepts(bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    if (isCodecError(error)) {
      assert.ok((error.offset as number) >= 0 && (error.offset as number) <= bytes.length, String(error));
      return false;
    }
    if (error instanceof Error && error.message.endsWith("bytes left over")) return false;
    throw error;
  }
}

describe("CBOR properties", () => {
  it("decode(encode(x)) equals x, and encodes to the same bytes", () => {
    fc.assert(
      fc.property(value, (x) => {
        const bytes = encode(x);
        const back = decode(bytes);
        assert.deepStrictEqual(back, x);
        assert.equal(toHex(encode(back)), toHex(bytes));
        assert.deepStrictEqual(decode(bytes, { views: true }), x);
      }),
      { numRuns: 1500 },
    );
  });

  it("deterministic bytes do not depend on the order of keys, and mean the same value", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key, value), { maxLength: 40, selector: ([name]) => name }),
        fc.infiniteStream(fc.nat()),
        (entries, dice) => {
          const shuffled = entries
            .map((entry) => [dice.next().value as number, entry] as const)
            .sort(([a], [b]) => a - b);
          const bytes = encode(toObject(entries), { deterministic: true });
          assert.equal(
            toHex(encode(toObject(shuffled.map(([, entry]) => entry)), { deterministic: true })),
            toHex(bytes),
          );
          assert.equal(toHex(encode(decode(bytes), { deterministic: true })), toHex(bytes));
          const names = entries.map(([name]) => Buffer.from(encode(name))).sort(Buffer.compare);
          const bare = toObject(entries.map(([name]) => [name, 0]));
          const sorted = Object.keys(decode(encode(bare, { deterministic: true })) as object);
          if (!sorted.some((name) => /^\d+$/.test(name))) {
            assert.deepEqual(
              sorted.map((name) => toHex(encode(name))),
              names.map(toHex),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("no shorter input decodes", () => {
    fc.assert(
      fc.property(value, (x) => {
        const bytes = encode(x);
        const step = Math.ceil(bytes.length / 200);
        for (let size = 0; size < bytes.length; size += step) {
          assert.ok(!accepts(bytes.subarray(0, size)), `${toHex(bytes)} cut to ${size}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("changed bytes give a value that can be encoded again, or a CodecError", () => {
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        (x, changes) => {
          const bytes = encode(x);
          for (const [at, mask] of changes) {
            const changed = Uint8Array.from(bytes);
            const index = at % bytes.length;
            changed[index] = (changed[index] ?? 0) ^ mask;
            if (accepts(changed)) assert.deepStrictEqual(decode(encode(decode(changed))), decode(changed));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("random bytes give a value or a CodecError", () => {
    const heads = fc.oneof(
      fc.nat(255),
      fc.constantFrom(
        0x18,
        0x5f,
        0x61,
        0x62,
        0x7f,
        0x81,
        0x82,
        0x9f,
        0xa0,
        0xa1,
        0xa2,
        0xbf,
        0xc0,
        0xc1,
        0xc2,
        0xd8,
        0xd9,
        0xf4,
        0xf8,
        0xf9,
        0xff,
      ),
    );
    fc.assert(
      fc.property(fc.array(heads, { maxLength: 60 }), (bytes) => {
        accepts(Uint8Array.from(bytes));
      }),
      { numRuns: 10_000 },
    );
  });
});
