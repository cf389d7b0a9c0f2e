import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeCbor } from "../src/cbor-encode.ts";
import { CBOR_MAX_DEPTH, Simple, Tagged } from "../src/cbor-tags.ts";
import { type CodecErrorCode, isCodecError } from "../src/codec-error.ts";
import { Writer } from "../src/writer.ts";
import { decode, decodeHex, encode, encodeHex } from "./cbor-support.ts";

function refuses(value: unknown, code: CodecErrorCode, path: string, options?: { readonly maxDepth?: number }): void {
  assert.throws(
    () => encode(value, options),
    (error) => {
      assert.ok(isCodecError(error), String(error));
      assert.deepEqual([error.code, error.path], [code, path], String(error));
      return true;
    },
  );
}

class Point {
  x = 1;
  y = 2;
  get sum(): number {
    return this.x + this.y;
  }
  toJSON(): string {
    return "never asked";
  }
}

describe("encodeCbor", () => {
  it("takes the shortest head at each boundary", () => {
    for (const [value, hex] of [
      [23, "17"],
      [24, "1818"],
      [255, "18ff"],
      [256, "190100"],
      [65535, "19ffff"],
      [65536, "1a00010000"],
      [4294967295, "1affffffff"],
      [4294967296, "1b0000000100000000"],
      [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
      [-24, "37"],
      [-25, "3818"],
      [-256, "38ff"],
      [-257, "390100"],
      [-4294967296, "3affffffff"],
      [-4294967297, "3b0000000100000000"],
      [Number.MIN_SAFE_INTEGER, "3b001ffffffffffffe"],
      [2 ** 53, "fa5a000000"],
      [-(2 ** 64), "fadf800000"],
      [5n, "05"],
      [-25n, "3818"],
      [2n ** 64n - 1n, "1bffffffffffffffff"],
      [-(2n ** 64n), "3bffffffffffffffff"],
      [2n ** 64n, "c249010000000000000000"],
    ] as const) {
      assert.equal(encodeHex(value), hex);
    }
  });

  it("takes the shortest float that is exact", () => {
    for (const [value, hex] of [
      [-0, "f98000"],
      [0.5, "f93800"],
      [2 ** -24, "f90001"],
      [2 ** -25, "fa33000000"],
      [1023 * 2 ** -24, "f903ff"],
      [1023.5 * 2 ** -24, "fa387fe000"],
      [2 ** -14, "f90400"],
      [1 + 2 ** -10, "f93c01"],
      [1 + 2 ** -11, "fa3f801000"],
      [65519.5, "fa477fef80"],
      [2 ** -149, "fa00000001"],
      [2 ** -150, "fb3690000000000000"],
      [5e-324, "fb0000000000000001"],
      [1.7976931348623157e308, "fb7fefffffffffffff"],
      [Number.NaN, "f97e00"],
    ] as const) {
      assert.equal(encodeHex(value), hex);
      assert.ok(Object.is(decodeHex(hex), value));
    }
  });

  it("every half is written as a half and comes back", () => {
    const bytes = Uint8Array.of(0xf9, 0, 0);
    for (let bits = 0; bits < 0x10000; bits++) {
      bytes[1] = bits >> 8;
      bytes[2] = bits & 0xff;
      const value = decode(bytes) as number;
      if (Number.isNaN(value) || Number.isInteger(value)) continue;
      assert.deepEqual(encode(value), bytes);
    }
  });

  it("writes text of every length and width with the shortest head", () => {
    const units = ["a", "é", "水", "😀", "a水"];
    for (const unit of units) {
      for (const size of [
        0, 1, 5, 7, 11, 12, 20, 23, 24, 25, 39, 40, 41, 60, 85, 86, 127, 128, 255, 256, 4095, 4096, 4097, 21846, 65535,
        65536,
      ]) {
        const text = unit.repeat(size).slice(0, size + (size & 1 && unit === "😀" ? 1 : 0));
        if (/\p{Surrogate}/u.test(text)) continue;
        const bytes = encode(text);
        const utf8 = Buffer.from(text);
        const head = utf8.length < 24 ? 1 : utf8.length < 256 ? 2 : utf8.length < 65536 ? 3 : 5;
        assert.equal(bytes.length, head + utf8.length);
        assert.ok(utf8.equals(bytes.subarray(head)), `${size} of ${unit}`);
        assert.equal(decode(bytes), text);
      }
    }
  });

  it("keeps undefined, holes and the order of keys, and leaves out what is not own, enumerable and named by a string", () => {
    assert.equal(encodeHex({ b: undefined, a: null }), "a26162f76161f6");
    const holes = Object.assign(Array<number>(3), { 0: 1, 2: 3 });
    assert.equal(encodeHex(holes), "8301f703");
    const odd = Object.create({ inherited: 1 }, { hidden: { value: 1 }, seen: { value: 2, enumerable: true } });
    odd[Symbol("s")] = 1;
    assert.equal(encodeHex(odd), "a1647365656e02");
    assert.equal(encodeHex(new Point()), "a2617801617902");
    assert.equal(encodeHex(Object.assign(Object.create(null), { a: 1 })), "a1616101");
  });

  it("keys that a stranger put on all objects are not written", () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    prototype["polluted"] = 1;
    try {
      assert.equal(encodeHex({ a: 1 }), "a1616101");
    } finally {
      delete prototype["polluted"];
    }
  });

  it("__proto__ and constructor are keys like others", () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3}');
    const back = decode(encode(value)) as object;
    assert.deepEqual(Object.entries(back), Object.entries(value));
    assert.equal(Object.getPrototypeOf(back), Object.prototype);
  });

  it("objects of 0 to 300 keys have the shortest head, flat and nested", () => {
    for (const size of [0, 1, 23, 24, 25, 31, 32, 33, 255, 256, 300]) {
      const value: Record<string, unknown> = Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i]));
      const bytes = encode({ value, after: 1 });
      assert.deepEqual(decode(bytes), { value, after: 1 });
      assert.equal(Buffer.compare(bytes, encode(new Tagged(259, { value, after: 1 })).subarray(3)), 0);
      assert.equal(encode(value)[0], size < 24 ? 0xa0 + size : size < 256 ? 0xb8 : 0xb9);
    }
  });

  it("deterministic sorts entries by the bytes of their keys, at each level", () => {
    const value = {
      bb: 1,
      a: { z: 1, y: [{ d: 1, c: 2 }] },
      "": 2,
      é: 3,
      c: new Map<unknown, unknown>([
        ["x", 1],
        [-1, 2],
        [10, 3],
        [false, 4],
        [100, 5],
      ]),
    };
    assert.equal(
      encodeHex(value, { deterministic: true }),
      "a5" +
        "6002" +
        "6161" +
        "a2" +
        "6179" +
        "81a2" +
        "616302" +
        "616401" +
        "617a01" +
        "6163" +
        "d90103a5" +
        "0a03" +
        "186405" +
        "2002" +
        "617801" +
        "f404" +
        "62626201" +
        "62c3a903",
    );
    const shuffled = Object.fromEntries(Object.entries(value).reverse());
    assert.equal(encodeHex(shuffled, { deterministic: true }), encodeHex(value, { deterministic: true }));
    assert.deepEqual(decode(encode(value, { deterministic: true })), value);
  });

  it("what is not data is refused with its path", () => {
    refuses(() => 1, "type", "$");
    refuses({ a: [1, Symbol("s")] }, "type", "$.a[1]");
    refuses({ orders: [{ "odd key": Promise.resolve() }] }, "type", '$.orders[0]["odd key"]');
    for (const value of [
      new WeakMap(),
      /x/,
      new Error("x"),
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1)),
      Object(1),
      Object("s"),
      new URL("http://x"),
    ]) {
      refuses([value], "type", "$[0]");
    }
    refuses({ d: new Date(Number.NaN) }, "range", "$.d");
    refuses([2n ** 8192n], "range", "$[0]");
    refuses(new Map<unknown, unknown>([["k", () => 1]]), "type", "$.k");
    refuses(new Map<unknown, unknown>([[1, () => 1]]), "type", "$[number 1]");
    refuses(new Set([[() => 1]]), "type", "$[0][0]");
    refuses(new Tagged(9, [() => 1]), "type", "$.value[0]");
  });

  it("lone surrogates are refused in values and keys, at every length", () => {
    for (const size of [0, 5, 22, 40, 41, 100, 5000]) {
      const fill = "x".repeat(size);
      for (const text of [`${fill}\ud800`, `\udc00${fill}`, `${fill}\ud800${fill}`, `水${fill}\udc00\ud800`]) {
        refuses({ a: [text] }, "text", "$.a[0]");
        refuses(
          { a: { [text]: 1 } },
          "text",
          `$.a[${JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)}]`,
        );
      }
    }
  });

  it("keys and elements that are the same in CBOR are refused", () => {
    refuses(
      {
        m: new Map<unknown, unknown>([
          [1, 0],
          [1n, 0],
        ]),
      },
      "type",
      "$.m",
    );
    refuses(
      {
        m: new Map([
          [[], 0],
          [[], 0],
        ]),
      },
      "type",
      "$.m",
    );
    refuses({ s: new Set([1, 1n]) }, "type", "$.s");
    assert.deepEqual(
      decode(
        encode(
          new Map([
            [[1], 0],
            [[2], 0],
          ]),
        ),
      ),
      new Map([
        [[1], 0],
        [[2], 0],
      ]),
    );
    assert.deepEqual(decode(encode(new Set([2 ** 60, 2n ** 60n]))), new Set([2 ** 60, 2n ** 60n]));
  });

  it("a value that contains itself is refused with the way around", () => {
    const self: Record<string, unknown> = { a: 1 };
    self["self"] = self;
    refuses(self, "cycle", "$.self");
    const ring: { list: unknown[]; map: Map<string, unknown> } = { list: [], map: new Map() };
    ring.list.push(0, { inner: ring });
    refuses([{ ring }], "cycle", "$[0].ring.list[1].inner");
    const viaMap = new Map<string, unknown>();
    viaMap.set("m", new Set([[viaMap]]));
    // Once around from the container that happens to lie at the limit, here the set.
    refuses({ viaMap }, "cycle", "$.viaMap.m[0][0].m");
    const shared = { x: 1 };
    assert.deepEqual(decode(encode([shared, shared])), [shared, shared]);
  });

  it("nesting past the limit is refused on both sides at the same level", () => {
    for (const wrap of [
      (v: unknown) => [v],
      (v: unknown) => ({ v }),
      (v: unknown) => new Map([[1, v]]),
      (v: unknown) => new Tagged(9, v),
      (v: unknown) => new Set([v]),
    ]) {
      for (const maxDepth of [0, 1, 5, undefined]) {
        let value: unknown = new Date(0);
        for (let i = 0; i < (maxDepth ?? CBOR_MAX_DEPTH); i++) value = wrap(value);
        const bytes = encode(value, { maxDepth });
        // The bytes again, not the values: comparing maps in maps takes some runtimes for ever.
        assert.deepEqual(encode(decode(bytes, { maxDepth }), { maxDepth }), bytes);
        assert.throws(() => encode(wrap(value), { maxDepth }), { code: "depth" });
        assert.throws(() => decode(encode(wrap(value), { maxDepth: CBOR_MAX_DEPTH + 1 }), { maxDepth }), {
          code: "depth",
        });
      }
    }
  });

  it("an error of the value's own code arrives as the cause", () => {
    const cause = new Error("mine");
    const value = {
      a: [
        {
          get b(): number {
            throw cause;
          },
        },
      ],
    };
    assert.throws(
      () => encode(value),
      (error) => isCodecError(error) && error.code === "getter" && error.path === "$.a[0].b" && error.cause === cause,
    );
  });

  it("after an error the writer is where it was, and encodes the next value right", () => {
    const writer = new Writer(8);
    encodeCbor(writer, "kept");
    const { pos } = writer;
    assert.throws(() => encodeCbor(writer, { a: "x".repeat(1000), b: [Symbol("s")] }));
    assert.equal(writer.pos, pos);
    encodeCbor(writer, { a: 1 });
    assert.equal(Buffer.from(writer.take()).toString("hex"), "646b657074a1616101");
  });

  it("a getter that encodes something else, well or not, changes nothing", () => {
    const make = (inner: () => unknown): unknown => ({
      a: 1,
      get b() {
        return inner();
      },
      c: { a: 1, z: [1, 2] },
    });
    const busy = make(() => {
      encode({ a: 1, b: { x: 1 }, c: { other: new Map([[{}, 1]]) } }, { deterministic: true });
      assert.throws(() => encode({ a: [() => 1] }), { path: "$.a[0]" });
      const cyclic: unknown[] = [];
      cyclic.push(cyclic);
      assert.throws(() => encode(cyclic), { code: "cycle" });
      return "b";
    });
    for (const options of [{}, { deterministic: true }]) {
      assert.equal(encodeHex(busy, options), encodeHex({ a: 1, b: "b", c: { a: 1, z: [1, 2] } }, options));
    }
  });

  it("every millisecond of a date comes back", () => {
    for (const ms of [
      0,
      1,
      -1,
      999,
      1e12 + 123,
      -4450520996716428,
      8.64e15,
      -8.64e15,
      8.64e15 - 1,
      4503599627370497,
      4398046511104 * 1000 + 1,
    ]) {
      assert.deepEqual(decode(encode(new Date(ms))), new Date(ms));
    }
  });

  it("Tagged and Simple refuse what has no form in CBOR", () => {
    for (const tag of [-1, 1.5, 2 ** 53, -1n, 2n ** 64n]) assert.throws(() => new Tagged(tag, 0), { code: "range" });
    for (const value of [-1, 20, 23, 24, 31, 256, 1.5]) assert.throws(() => new Simple(value), { code: "range" });
  });

  it("the same value gives the same bytes after 100,000 other messages", () => {
    const value = {
      id: 1,
      name: "x",
      nested: { id: 2, list: [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }] },
      map: new Map([["k", { id: 1 }]]),
    };
    const before = encodeHex(value);
    for (let i = 0; i < 100_000; i++) {
      const bytes = encode({
        [`k${i % 5000}`]: i,
        id: { [`n${i % 77}`]: { name: i } },
        name: { id: [{ [`a${i % 300}`]: 1, b: 2 }] },
      });
      if (i % 1000 === 0) decode(bytes);
    }
    assert.equal(encodeHex(value), before);
    assert.deepEqual(decode(encode(value)), value);
  });
});
