import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CBOR_FREE_OBJECTS } from "../src/cbor-decode.ts";
import { Tagged } from "../src/cbor-tags.ts";
import { type CodecErrorCode, isCodecError } from "../src/codec-error.ts";
import { Reader } from "../src/reader.ts";
import { decode, decodeCbor, decodeHex, encode, encodeHex, fromHex } from "./cbor-support.ts";

function refuses(bytes: Uint8Array, code: CodecErrorCode, path: string, offset: number, options?: object): void {
  assert.throws(
    () => decode(bytes, options),
    (error) => {
      assert.ok(isCodecError(error), String(error));
      assert.deepEqual([error.code, error.path, error.offset], [code, path, offset], String(error));
      return true;
    },
  );
}

/** An object whose keys are sent one by one, so that a key may be there twice. */
function rawMap(...keys: string[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0xb9, keys.length >> 8, keys.length & 255),
    ...keys.flatMap((key) => [encode(key), encode(1)]),
  ]);
}

describe("decodeCbor", () => {
  it("reads one item and leaves the reader behind it, and where it was after a fault", () => {
    const reader = new Reader(fromHex("ff0183010203626162ff"), 1, 9);
    assert.deepEqual([decodeCbor(reader), reader.pos], [1, 2]);
    assert.deepEqual([decodeCbor(reader), reader.pos], [[1, 2, 3], 6]);
    assert.deepEqual([decodeCbor(reader), reader.pos], ["ab", 9]);
    assert.throws(() => decodeCbor(reader), { code: "truncated", offset: 0 });
    assert.equal(reader.pos, 9);
    reader.reset(fromHex("00820163"), 1);
    assert.throws(() => decodeCbor(reader), { code: "truncated", path: "$[1]", offset: 3 });
    assert.equal(reader.pos, 1);
  });

  it("never looks past the reader's end", () => {
    for (const value of [
      { a: [1.5, "text", 2 ** 40], b: { c: "é" } },
      { id: 1 },
      { id: 1, n: 2, longer: 3 },
      [{ x: 1 }, { x: 2 }],
    ]) {
      const bytes = encode(value);
      const reader = new Reader();
      for (let round = 0; round < 100; round++) {
        reader.reset(Buffer.concat([bytes, bytes]), 0, bytes.length);
        assert.deepEqual(decodeCbor(reader), value);
        assert.equal(reader.pos, bytes.length);
        for (let end = 0; end < bytes.length; end++) {
          reader.reset(bytes, 0, end);
          assert.throws(() => decodeCbor(reader), { code: "truncated" });
        }
      }
    }
  });

  it("an error names the path and the offset, also in objects of a kind met often", () => {
    const good = encode({ id: 7, list: [{ name: "x", n: 1 }] });
    const fault = Uint8Array.from(Buffer.from(good).map((byte, i) => (i === good.length - 1 ? 0xff : byte)));
    refuses(fault, "malformed", "$.list[0].n", good.length - 1);
    for (let round = 0; round < 100; round++) decode(good);
    refuses(fault, "malformed", "$.list[0].n", good.length - 1);
    refuses(fromHex("a1656f2062616482f4fc"), "malformed", '$["o bad"][1]', 9);
    refuses(fromHex("a26161f46162a10281"), "truncated", "$.b[2]", 9);
  });

  it("a key twice is refused, wherever it stands, also among many and in objects of a kind met often", () => {
    const many = Array.from({ length: 100 }, (_, i) => `k${i}`);
    for (const keys of [
      ["a", "a"],
      ["a", "b", "a"],
      [...many, "k3"],
      ["__proto__", "__proto__"],
      ["constructor", "constructor"],
      ["1", "1"],
    ]) {
      const unique = [...new Set(keys)];
      for (let round = 0; round < 60; round++) {
        decode(rawMap(...unique));
        assert.throws(() => decode(rawMap(...keys)), { code: "malformed" });
      }
    }
    assert.throws(() => decodeHex("a2810101810102"), { code: "malformed", offset: 1 });
    assert.throws(() => decodeHex("bf01000100ff"), { code: "malformed" });
    assert.throws(() => decodeHex("a2f97e0001f97e0002"), { code: "malformed" });
  });

  it("keys with names of Object.prototype are own keys, in objects few and often, small and large", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
    for (const extra of [0, 50]) {
      const keys = [...names, ...Array.from({ length: extra }, (_, i) => `k${i}`)];
      for (let round = 0; round < 60; round++) {
        const value = decode(rawMap(...keys)) as Record<string, unknown>;
        assert.deepEqual(Object.keys(value), keys);
        assert.equal(Object.getPrototypeOf(value), Object.prototype);
        for (const key of keys) {
          assert.deepEqual(Object.getOwnPropertyDescriptor(value, key), {
            value: 1,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        }
      }
    }
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  it("objects come back the same however often their kind, its start or its rivals were met", () => {
    const kinds: unknown[] = [
      { a: 1, b: 2 },
      { a: 1, b: 2, c: 3 },
      { a: 1, c: 2 },
      { b: "x", a: "y" },
      { a: { a: { a: 1, b: 2 }, b: [] }, b: 2 },
      { a: 1, b: 2, ["x".repeat(30)]: "long key" },
      { 1: "index", a: 0, 0: "keys" },
      { type: "m", x: 1 },
      { type: "m", y: 1 },
      { type: "m", x: "other", z: [{ type: "m", x: 1 }] },
      {},
      new Map<unknown, unknown>([
        ["a", 1],
        ["b", 2],
      ]),
      new Map<unknown, unknown>([[1, { a: 1, b: 2 }]]),
    ];
    let seed = 1;
    for (let round = 0; round < 5000; round++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const value = [kinds[(seed >> 8) % kinds.length], kinds[(seed >> 16) % kinds.length]];
      const back = decode(encode(value));
      assert.deepEqual(back, value);
      assert.equal(encodeHex(back), encodeHex(value));
    }
  });

  it("a map with any key that is not text is a Map, with the entries in their order", () => {
    const value = decodeHex("a461620161310201f461610a") as Map<unknown, unknown>;
    assert.deepEqual(
      [...value],
      [
        ["b", 1],
        ["1", 2],
        [1, false],
        ["a", 10],
      ],
    );
    // Also when the first keys are those of an object met often.
    for (let round = 0; round < 60; round++) decodeHex("a2616101616202");
    assert.deepEqual(
      decodeHex("a26161010203"),
      new Map<unknown, unknown>([
        ["a", 1],
        [2, 3],
      ]),
    );
  });

  it("keys that are spelled in another way are the same keys", () => {
    for (let round = 0; round < 60; round++) {
      assert.deepEqual(decodeHex("a2616101616202"), { a: 1, b: 2 });
      assert.deepEqual(decodeHex("a2780161017f6162ff02"), { a: 1, b: 2 });
    }
  });

  it("byte strings are copies, or views when asked", () => {
    const bytes = Buffer.concat([Uint8Array.of(0), encode([Uint8Array.of(1, 2), Int16Array.of(5)])]);
    const read = (views: boolean): [Uint8Array, Int16Array] =>
      decodeCbor(new Reader(bytes, 1), { views }) as [Uint8Array, Int16Array];
    const [copy] = read(false);
    const [view, numbers] = read(true);
    assert.equal(copy.buffer.byteLength, 2);
    assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
    assert.equal(Object.getPrototypeOf(view), Uint8Array.prototype);
    assert.equal(view.buffer, bytes.buffer);
    bytes[3] = 9;
    assert.deepEqual([copy[0], view[0]], [1, 9]);
    assert.deepEqual(numbers, Int16Array.of(5));
    assert.notEqual(numbers.buffer, bytes.buffer);
    assert.deepEqual(decodeHex("d840420102", { views: true }), Uint8Array.of(1, 2));
  });

  it("strings keep no more than a page of the message, and chunks join", () => {
    const texts = Array.from({ length: 500 }, (_, i) => "xyz".repeat(i % 90) + i);
    assert.deepEqual(decode(encode(texts)), texts);
    const mixed = texts.map((text, i) => (i % 3 === 0 ? `${text}é` : i % 7 === 0 ? { [text]: text } : text));
    assert.deepEqual(decode(encode(mixed)), mixed);
    assert.equal(decodeHex("7f60616162c3bc60ff"), "aü");
    assert.deepEqual(decodeHex("5f404101410240ff"), Uint8Array.of(1, 2));
  });

  it("UTF-8 is read strictly, at every length and place", () => {
    for (const bad of [
      "ff",
      "c328",
      "a0a1",
      "e228a1",
      "f0288cbc",
      "eda080",
      "edb080",
      "f4908080",
      "c0af",
      "e080af",
      "c3",
      "e282",
    ]) {
      for (const size of [0, 3, 20, 100, 300, 5000]) {
        const body = Buffer.concat([Buffer.alloc(size, "a"), Buffer.from(bad, "hex")]);
        const text = Buffer.concat([encode(new Tagged(9, "x".repeat(body.length))).subarray(1, -body.length), body]);
        assert.throws(() => decode(text), { code: "text", path: "$" });
        assert.throws(() => decode(Buffer.concat([fromHex("8361616162"), text])), {
          code: "text",
          path: "$[2]",
        });
        assert.throws(() => decode(Buffer.concat([fromHex("a1"), text, fromHex("01")])), { code: "text" });
      }
    }
  });

  it("objects are bounded by the size of the message, or as told", () => {
    const arrays = (count: number): Uint8Array =>
      Buffer.concat([fromHex("9f"), Buffer.alloc(count, 0x80), fromHex("ff")]);
    assert.equal((decode(arrays(CBOR_FREE_OBJECTS - 1)) as unknown[]).length, CBOR_FREE_OBJECTS - 1);
    refuses(arrays(CBOR_FREE_OBJECTS), "limit", `$[${CBOR_FREE_OBJECTS - 1}]`, CBOR_FREE_OBJECTS);
    for (const one of ["80", "a0", "40", "c100", "d9010280", "f0", "d84140", "5fff", "d864f6", "c240"]) {
      const maxObjects = one === "d9010280" ? 3 : 2;
      assert.equal((decodeHex(`81${one}`, { maxObjects }) as unknown[]).length, 1);
      assert.throws(() => decodeHex(`82${one}${one}`, { maxObjects }), { code: "limit", path: "$[1]" });
    }
    const large = Buffer.concat([
      fromHex("9f"),
      ...Array.from({ length: CBOR_FREE_OBJECTS + 10 }, () => fromHex("816a30313233343536373839")),
      fromHex("ff"),
    ]);
    assert.equal((decode(large) as unknown[]).length, CBOR_FREE_OBJECTS + 10);
  });

  it("a head may claim anything without taking memory", () => {
    for (const head of [
      "9b0000000100000000",
      "bb0000000100000000",
      "5b7fffffffffffffff",
      "7b001fffffffffffff",
      "9bffffffffffffffff",
      "9a7fffffff",
    ]) {
      assert.throws(() => decodeHex(head), { code: "truncated" });
    }
    // Each level claims all that is left: a million elements, 800 MB if they were reserved. The innermost really comes, and
    // how much garbage its growing array leaves in the heap is the engine's choice: some 40 MB, at times twice that.
    const levels = Buffer.concat(Array.from({ length: 100 }, (_, i) => Uint8Array.of(0x9a, 0, 0x0f, 0, i)));
    const before = process.memoryUsage().heapTotal;
    assert.throws(() => decode(Buffer.concat([levels, Buffer.alloc(1 << 20, 0)])), { code: "truncated" });
    assert.ok(process.memoryUsage().heapTotal - before < 256 * 2 ** 20);
  });

  it("no depth of nesting overflows the stack, whatever nests", () => {
    for (const unit of [
      "81",
      "9f",
      "a1",
      "a10081",
      "bf00",
      "c6",
      "d9d9f7",
      "c1",
      "c0",
      "c2",
      "d90102",
      "d90103",
      "d90102 81",
      "d90103a100",
      "d840",
      "5f",
      "7f",
      "a16161",
    ]) {
      const bytes = Buffer.alloc(1 << 20, Buffer.from(unit.replace(" ", ""), "hex"));
      assert.throws(
        () => decode(bytes),
        (error) => isCodecError(error) && ["depth", "malformed", "truncated"].includes(error.code),
        unit,
      );
    }
  });

  it("keys that never repeat, and kinds that never repeat, cost no table", () => {
    const bytes = (i: number): Uint8Array =>
      encode({ [`key${i}`]: { [`in${i * 7}`]: i }, [`other${i}`]: [{ [`x${i}`]: 1, y: 2 }] });
    for (let i = 0; i < 10_000; i++) decode(bytes(i));
    const value = { a: 1, b: { c: [{ d: 1 }] } };
    assert.deepEqual(decode(encode(value)), value);
  });

  it("no text of a message is in any generated source", () => {
    const sources: string[] = [];
    const { Function: original } = globalThis;
    globalThis.Function = new Proxy(original, {
      construct(target, args: string[]) {
        sources.push(args.join("\n"));
        return new target(...args);
      },
    });
    try {
      const keys = ['"]};process.exit()//', "__proto__", "\u2028", "`${evil}`", "evil", "*/evil"];
      const bytes = rawMap(...keys);
      for (let round = 0; round < 5000 && sources.length === 0; round++) decode(bytes);
      assert.deepEqual(Object.keys(decode(bytes) as object), keys);
    } finally {
      globalThis.Function = original;
    }
    // One try even where the platform forbids generated code, unless an earlier test had it already.
    assert.ok(sources.length <= 1);
    for (const source of sources) assert.match(source, /^[\w\s,;:()[\]{}=<>!|&+*/?.-]*$/);
    assert.ok(sources.every((source) => !/evil|process|proto|2028/.test(source)));
  });

  it("unknown tags keep their number and content", () => {
    const tagged = decodeHex("d9ffff82f6c6f5") as Tagged;
    assert.ok(tagged instanceof Tagged);
    assert.deepEqual([tagged.tag, tagged.value], [65535, [null, new Tagged(6, true)]]);
  });
});
