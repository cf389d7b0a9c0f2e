/** Hostile messages may not take memory out of proportion: counted, not measured, so that every run says the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isCodecError } from "../src/codec-error.ts";
import {
  any,
  array,
  bytes,
  type Codec,
  f64,
  int,
  lazy,
  map,
  nullable,
  optional,
  record,
  set,
  string,
  struct,
  tuple,
  u8,
  u32,
  u64,
} from "../src/index.ts";
import { engines } from "./engines.ts";

type Counted = new (...args: never[]) => { readonly length: number };

/** Slots and bytes that `work` takes by constructors and slices. Literals are not seen: each needs a byte of its own. */
function taken(work: () => void): number {
  let sum = 0;
  const world = globalThis as unknown as Record<string, Counted>;
  const [lists, buffers] = [Array.prototype, ArrayBuffer.prototype];
  const [PlainArray, PlainBytes, slice, cut] = [world["Array"], world["Uint8Array"], lists.slice, buffers.slice];
  const counting = (plain: Counted): Counted =>
    new Proxy(plain, {
      construct(target, args: never[]) {
        const made = new target(...args);
        sum += made.length;
        return made;
      },
    });
  world["Array"] = counting(PlainArray as Counted);
  world["Uint8Array"] = counting(PlainBytes as Counted);
  lists.slice = function (...range) {
    const made = slice.apply(this, range) as unknown[];
    sum += made.length;
    return made;
  };
  buffers.slice = function (...range: [number, number]) {
    const made = cut.apply(this, range);
    sum += made.byteLength;
    return made;
  };
  try {
    work();
  } finally {
    Object.assign(world, { Array: PlainArray, Uint8Array: PlainBytes });
    lists.slice = slice;
    buffers.slice = cut;
  }
  return sum;
}

/** Slots for each byte of the message: 8 where an element takes a bit, and that once more for what is copied on the way. */
const SLOTS_PER_BYTE = 16;
/** Slots that any message may take: free values, and what the objects of `any` need for themselves. */
const FREE_SLOTS = 70_000;
const SIZE = 1 << 16;

const Tree: Codec<unknown> = struct({
  get children(): Codec<unknown> {
    return array(Tree) as Codec<unknown>;
  },
}) as never;
const Lists: Codec<unknown> = lazy(() => array(nullable(Lists))) as never;
const Records: Codec<unknown> = lazy(() => record(tuple([Records, array(Records)]))) as never;

const schemas: Readonly<Record<string, Codec<unknown>>> = {
  "a tree": Tree,
  "lists of lists": Lists,
  "records of lists": Records,
  "lists four deep": array(array(array(array(u32)))) as never,
  "a list of doubles": array(f64) as never,
  "a list of ints": array(int) as never,
  "a list of u64": array(u64) as never,
  "a list of nothing": array(struct({})) as never,
  "a set": set(nullable(u8)) as never,
  "a map": map(u32, array(string)) as never,
  "a struct with a default": array(struct({ a: optional(array(u8), { default: () => [] }) })) as never,
  any,
  "lists of any": array(any) as never,
};

/** Base-128 numbers that each claim all that is left. */
function claims(size: number, levels: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let pos = 0;
  for (let level = 0; level < levels; level++) {
    for (let rest = size - pos - 8; ; rest >>= 7) {
      bytes[pos++] = rest > 127 ? (rest & 127) | 128 : rest;
      if (rest <= 127) break;
    }
  }
  return bytes;
}

/** CBOR arrays in each other that each claim all that is left. */
function cborClaims(size: number, levels: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (let level = 0; level < levels; level++) {
    bytes[5 * level] = 0x9a;
    view.setUint32(5 * level + 1, size - 5 * level - 5);
  }
  return bytes;
}

const messages: Readonly<Record<string, Uint8Array>> = {
  "claims in each other": claims(SIZE, 500),
  "one claim": claims(SIZE, 1),
  "CBOR claims in each other": cborClaims(SIZE, 500),
  "a CBOR claim of everything": Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0),
  "a base-128 claim of everything": Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 15),
  zeros: new Uint8Array(SIZE),
  ones: new Uint8Array(SIZE).fill(1),
  "arrays of one": new Uint8Array(SIZE).fill(0x81),
};

for (const engine of engines) {
  describe(`${engine.name}: memory`, () => {
    for (const [name, schema] of Object.entries(schemas)) {
      it(`no message makes ${name} take more than a small multiple of its size`, () => {
        const codec = engine.of(schema);
        for (const [kind, message] of Object.entries(messages)) {
          const slots = taken(() => {
            try {
              codec.decode(message);
            } catch (error) {
              assert.ok(isCodecError(error), String(error));
            }
          });
          const most = FREE_SLOTS + SLOTS_PER_BYTE * message.length;
          assert.ok(slots <= most, `${kind}: ${slots} slots for ${message.length} bytes`);
        }
      });
    }

    const skip = "Bun" in globalThis && "its engine does not look up a constructor anew in code that is warm";
    it("the count sees what lists, copies and bytes take", { skip }, () => {
      const codec = engine.of(tuple([array(struct({ a: u8 })), array(f64)]));
      const structs = Array.from({ length: 100 }, () => ({ a: 1 }));
      const bytes = codec.encode([structs, Array.from({ length: 50 }, (_, i) => i / 3)]);
      const slots = taken(() => void codec.decode(bytes));
      assert.ok(slots >= 150, String(slots));
    });
  });
}

describe("a codec", () => {
  const skip = "Bun" in globalThis && "its collector does not run on demand by this name";
  for (const engine of engines) {
    it(`${engine.name}: lets go of a long message and its value`, { skip }, async () => {
      const codec = engine.of(struct({ list: array(f64), text: string, blob: bytes, more: any }));
      const refs = useOnce(codec);
      await collect();
      assert.deepEqual(
        refs.map((ref) => ref.deref() !== undefined),
        [false, false],
      );
    });

    it(`${engine.name}: lets go of a long message that it refused`, { skip }, async () => {
      const codec = engine.of(struct({ list: array(f64), text: string, blob: bytes, more: any }));
      const whole = codec.encode({ list: [1, 2], text: "漢".repeat(50_000), blob: new Uint8Array(100_000), more: {} });
      const broken: readonly ((message: Uint8Array) => Uint8Array)[] = [
        (message) => message.subarray(0, -1), // the lengths of its text
        (message) => message.subarray(1), // its first values
        (message) => message.fill(0xff, 0, 8),
        (message) => message.fill(0xd8, -3000, -1000), // half of a pair in its text
      ];
      for (const [at, breaks] of broken.entries()) {
        const ref = refuseOnce(codec, whole, breaks);
        await collect();
        assert.ok(ref.deref() === undefined, `message ${at} is kept`);
      }
    });
  }

  async function collect(): Promise<void> {
    await setImmediate();
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
  }

  /** Has a broken copy of a message refused; gives its memory. */
  function refuseOnce(
    codec: Codec<Record<string, unknown>>,
    message: Uint8Array,
    breaks: (copy: Uint8Array) => Uint8Array,
  ): WeakRef<object> {
    const bytes = breaks(new Uint8Array(message));
    assert.throws(() => codec.decode(bytes), isCodecError);
    return new WeakRef(bytes.buffer);
  }

  /** Encodes a value and decodes its message; gives both. */
  function useOnce(codec: Codec<Record<string, unknown>>): WeakRef<object>[] {
    const value = { list: [1, 2], text: "漢".repeat(50_000), blob: new Uint8Array(5_000_000), more: { a: 1 } };
    const bytes = codec.encode(value);
    codec.decode(bytes);
    return [new WeakRef(value), new WeakRef(bytes.buffer)];
  }
});

describe("any inside messages", () => {
  /** CBOR arrays without elements, in one array. */
  const empties = (count: number): unknown[] => Array.from({ length: count }, () => []);

  for (const engine of engines) {
    it(`${engine.name}: all values of a message share one count of objects`, () => {
      const codec = engine.of(array(any));
      const half = empties(131_000);
      assert.equal(codec.decode(codec.encode([half, half])).length, 2);
      const bytes = codec.encode([half, half, half]);
      assert.throws(() => codec.decode(bytes), { code: "limit", path: /^\$\[2\]\[\d+\]$/ });
      // Nothing of it is left for the next message.
      assert.equal(codec.decode(codec.encode([half, half])).length, 2);
    });

    it(`${engine.name}: an error in one says where in the whole message it is`, () => {
      const codec = engine.of(struct({ a: u32, b: any }));
      assert.throws(() => codec.decode(Uint8Array.of(1, 3, 0x82, 1, 0xff)), {
        code: "malformed",
        path: "$.b[1]",
        offset: 4,
      });
      assert.throws(() => engine.of(any).decode(Uint8Array.of(0x83, 1, 0xff, 1)), { path: "$[1]", offset: 2 });
    });
  }
});
