import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type AnyCodec,
  any,
  array,
  bool,
  type Codec,
  CodecError,
  codecFromSchema,
  date,
  diff,
  enumeration,
  f32,
  f64,
  fingerprintOf,
  i8,
  i16,
  i32,
  i64,
  int,
  lazy,
  map,
  nullable,
  optional,
  readerOf,
  record,
  type Schema,
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
} from "../src/index.ts";
import { mayCompile } from "../src/compile.ts";

/** What `reader` makes of `value` written with `writer`. */
function across(writer: AnyCodec, reader: AnyCodec, value: unknown): unknown {
  const from = writer as Codec<unknown>;
  const schema = JSON.parse(JSON.stringify(from.schema)) as Schema;
  return readerOf(reader as Codec<unknown>, schema).decode(from.encode(value));
}

const everything = struct({
  a: array(u32),
  b: array(int),
  c: array(u64),
  d: array(f64),
  e: array(bool),
  f: record(nullable(string)),
  g: map(u8, bool),
  h: set(string),
  i: tuple([u8, bool, string]),
  j: union({ x: string, y: struct({ z: bool }), n: nullable(bool) }),
  k: typedArray(Uint16Array),
  l: nullable(enumeration(["p", "q", "r"])),
  m: optional(uuid),
  n: i64,
  o: i32,
  p: array(i8),
  q: array(array(string)),
  r: array(f32),
  s: array(i32),
  t: array(uint),
});
const sample = {
  a: [1, 70000, 3, 4, 5],
  b: [-1, 2 ** 50, -3],
  c: [0n, 2n ** 63n, 7n],
  d: [0.5],
  e: [true, false],
  f: { x: null, y: "漢" },
  g: new Map([[1, true]]),
  h: new Set(["s"]),
  i: [1, true, "t"],
  j: { type: "n", value: true },
  k: new Uint16Array([1, 2]),
  l: "r",
  n: -5n,
  o: -7,
  p: [-1, 2],
  q: [["a"], []],
  r: [1.5],
  s: [-1, 5, 9],
  t: [1, 2 ** 45],
};

describe("a reader of another version", () => {
  test("takes fields by name in any order, passes over others of every type, and fills in its own", () => {
    const writer = struct({ id: u32, extra: everything, name: string, last: bool });
    const reader = struct({
      name: string,
      last: bool,
      id: u32,
      added: optional(string),
      filled: optional(u8, { default: 7 }),
    });
    assert.deepStrictEqual(across(writer, reader, { id: 5, extra: sample, name: "é漢", last: true }), {
      name: "é漢",
      last: true,
      id: 5,
      filled: 7,
    });
  });

  test("reads nested everything next to a change", () => {
    const writer = struct({ gone: u8, all: everything });
    const reader = struct({ all: everything });
    assert.deepStrictEqual(across(writer, reader, { gone: 1, all: sample }), { all: sample });
  });

  const numbers: readonly (readonly [AnyCodec, readonly number[], readonly AnyCodec[]])[] = [
    [u8, [0, 255], [u16, u32, uint, i16, i32, int, f32, f64]],
    [u16, [0, 65535], [u32, uint, i32, int, f32, f64]],
    [u32, [0, 300, 2 ** 32 - 1], [uint, int, f64]],
    [uint, [0, 300, 2 ** 53 - 1], [int, f64]],
    [i8, [-128, 127], [i16, i32, int, f32, f64]],
    [i16, [-32768, 5], [i32, int, f32, f64]],
    [i32, [-(2 ** 31), 2 ** 31 - 1], [int, f64]],
    [int, [-(2 ** 53) + 1, 2 ** 53 - 1, -1, 127, -128, 128], [f64]],
    [f32, [0.5, -1], [f64]],
  ];
  test("widens numbers alone and in lists", () => {
    for (const [writer, values, readers] of numbers) {
      for (const reader of readers) {
        for (const value of values) assert.equal(across(writer, reader, value), value);
        const many = Array.from({ length: 37 }, (_, i) => values[i % values.length]);
        assert.deepStrictEqual(across(array(writer), array(reader), many), many);
        assert.equal(diff(reader as Codec<unknown>, writer as Codec<unknown>).compatible, false);
      }
    }
    assert.equal(across(u32, u64, 5), 5n);
    assert.deepStrictEqual(across(array(int), array(i64), [-5, 2 ** 40]), [-5n, 2n ** 40n]);
  });

  test("lets a value become nullable, and refuses null where it has no place", () => {
    assert.equal(across(string, nullable(string), "x"), "x");
    assert.deepEqual(diff(nullable(string), string).problems, ["value: writer may send null, reader wants string"]);
  });

  test("knows fields by their old names", () => {
    const reader = struct({ fullName: string }, { aliases: { fullName: ["name", "title"] } });
    assert.deepEqual(across(struct({ title: string }), reader, { title: "x" }), { fullName: "x" });
    assert.deepEqual(across(struct({ fullName: string, title: u8 }), reader, { fullName: "a", title: 1 }), {
      fullName: "a",
    });
  });

  test("a schema that travelled still says aliases and fallbacks, so that a writer can tell who will read it", () => {
    const Shape = union({ dot: struct({}), line: u8 }, { fallback: { type: "dot", value: {} } });
    const reader = struct(
      { fullName: string, colour: enumeration(["red", "other"], { fallback: "other" }), shape: Shape },
      { aliases: { fullName: ["name"] } },
    );
    const writer = struct({ name: string, colour: enumeration(["blue"]), shape: union({ ring: u8 }) });
    const travelled = codecFromSchema(JSON.parse(JSON.stringify(reader.schema)) as Schema);
    assert.deepEqual(travelled.schema, reader.schema);
    assert.equal(fingerprintOf(travelled), fingerprintOf(reader));
    assert.deepEqual(diff(writer, travelled), diff(writer, reader));
    assert.equal(diff(writer, travelled).compatible, true);
  });

  test("refuses schemas with a fallback that is no choice, or aliases that are no names", () => {
    for (const schema of [
      { type: "enumeration", of: ["a"], fallback: "b" },
      { type: "union", of: [{ tag: "a", of: "u8" }], fallback: 1 },
      { type: "struct", fields: [{ name: "a", of: "u8", aliases: "b" }] },
      { type: "struct", fields: [{ name: "a", of: "u8", aliases: [1] }] },
    ]) {
      assert.throws(() => codecFromSchema(schema as never), { code: "schema" });
    }
  });

  test("falls back where the writer has more choices", () => {
    const old = enumeration(["a", "b"], { fallback: "b" });
    assert.deepEqual(across(array(enumeration(["z", "b", "a"])), array(old), ["z", "b", "a"]), ["b", "b", "a"]);
    const cases = union({ x: string }, { fallback: { type: "x", value: "?" } });
    const grown = union({ y: everything, x: string });
    assert.deepEqual(
      across(array(grown), array(cases), [
        { type: "y", value: sample },
        { type: "x", value: "s" },
      ]),
      [
        { type: "x", value: "?" },
        { type: "x", value: "s" },
      ],
    );
  });

  test("follows recursion on both sides", () => {
    interface Old {
      v: number;
      kids: Old[];
    }
    interface New {
      kids: New[];
      v: number;
      extra?: string;
    }
    const Old: Codec<Old> = struct({ v: u8, kids: array(lazy(() => Old)) });
    const New: Codec<New> = struct({ kids: array(lazy(() => New)), v: f64, extra: optional(string) });
    const value = {
      v: 1,
      kids: [
        { v: 2, kids: [] },
        { v: 3, kids: [{ v: 4, kids: [] }] },
      ],
    };
    assert.deepStrictEqual(across(Old, New, value), value);
  });

  const bridged: readonly (readonly [string, AnyCodec, AnyCodec, unknown, unknown])[] = [
    ["a field that became optional", struct({ a: u8 }), struct({ a: optional(u8) }), { a: 1 }, { a: 1 }],
    [
      "a default for what the writer may leave out",
      struct({ a: optional(u8) }),
      struct({ a: optional(u8, { default: 9 }) }),
      {},
      { a: 9 },
    ],
    ["a fresh default each time", struct({}), struct({ a: optional(array(u8), { default: () => [] }) }), {}, { a: [] }],
    ["a choice that the writer did not know", enumeration(["a", "c"]), enumeration(["c", "b", "a"]), "c", "c"],
    [
      "a case that the writer did not know",
      union({ y: u8 }),
      union({ x: string, y: u16 }),
      { type: "y", value: 5 },
      { type: "y", value: 5 },
    ],
    [
      "a reader that wants nothing",
      struct({ a: array(any), b: array(u64), c: date }),
      struct({}),
      { a: [1], b: [1n], c: new Date(1) },
      {},
    ],
    [
      "names that are own properties",
      struct({ ["__proto__"]: u8 }),
      struct({ ["__proto__"]: u32 }),
      JSON.parse('{"__proto__":1}'),
      JSON.parse('{"__proto__":1}'),
    ],
  ];
  for (const [name, writer, reader, given, wanted] of bridged) {
    test(`bridges ${name}`, () => {
      assert.deepStrictEqual(across(writer, reader, given), wanted);
      assert.deepEqual(diff(writer as Codec<unknown>, reader as Codec<unknown>).problems, []);
    });
  }

  test("is the codec itself where schemas are the same", () => {
    assert.equal(readerOf(everything, everything.schema), everything);
  });
});

describe("diff", () => {
  const cases: readonly (readonly [string, AnyCodec, AnyCodec, readonly string[]])[] = [
    [
      "another type",
      struct({ orders: array(struct({ price: string })) }),
      struct({ orders: array(struct({ price: f64 })) }),
      ["orders[].price: writer has string, reader wants f64"],
    ],
    ["a missing field", struct({}), struct({ a: u8 }), ["a: writer does not have it, reader requires it"]],
    [
      "an optional one",
      struct({ a: optional(u8) }),
      struct({ a: u8 }),
      ["a: writer may leave it out, reader requires it"],
    ],
    ["a longer tuple", tuple([u8, u8]), tuple([u8]), ["value: writer has a tuple of 2, reader wants one of 1"]],
    [
      "a new choice",
      struct({ s: enumeration(["a", "b"]) }),
      struct({ s: enumeration(["a"]) }),
      ['s: writer may send "b", which the reader does not have and has no fallback for'],
    ],
    ["narrower numbers", record(u16), record(u8), ["{}: writer has u16, reader wants u8"]],
    [
      "typed arrays",
      typedArray(Int8Array),
      typedArray(Uint8Array),
      ["value: writer has Int8Array, reader wants Uint8Array"],
    ],
  ];
  for (const [name, writer, reader, problems] of cases) {
    test(`says what ${name} means, and readerOf throws exactly that`, () => {
      assert.deepEqual(diff(writer as Codec<unknown>, reader as Codec<unknown>).problems, problems);
      assert.throws(
        () => readerOf(reader as Codec<unknown>, (writer as Codec<unknown>).schema),
        (error: CodecError) => error.code === "incompatible" && error.message.includes(problems[0] as string),
      );
    });
  }
});

describe("a schema that travelled", () => {
  test("reads and writes what it was taken from, with the same fingerprint", () => {
    const copy = codecFromSchema(JSON.parse(JSON.stringify(everything.schema)) as Schema);
    assert.equal(fingerprintOf(copy), fingerprintOf(everything));
    assert.deepStrictEqual(copy.decode(everything.encode(sample as never)), sample);
    assert.deepEqual(copy.encode(sample), everything.encode(sample as never));
  });

  test("keeps its fingerprint under documentation and changes it with the order of fields", () => {
    const plain = struct({ a: u8, b: string });
    assert.equal(
      fingerprintOf(plain),
      fingerprintOf(struct({ a: u8, b: string }, { doc: "x", name: "Y", aliases: { a: ["z"] } })),
    );
    assert.equal(fingerprintOf(plain), "cadbfe90205b12ab");
    assert.notEqual(fingerprintOf(plain), fingerprintOf(struct({ b: string, a: u8 })));
  });

  test("keeps the order of names that an object would put first", () => {
    const fields = [
      { name: "b", of: "string" },
      { name: "2", of: "u8" },
      { name: "1", of: "u8" },
    ] as const;
    const bytes = tuple([string, u8, u8]).encode(["x", 2, 1]);
    const schema: Schema = { type: "struct", fields };
    assert.deepEqual(codecFromSchema(schema).schema, schema);
    assert.deepEqual(codecFromSchema(schema).decode(bytes), { b: "x", 1: 1, 2: 2 });
    assert.deepEqual(readerOf(struct({ 1: u8, 2: u16 }), schema).decode(bytes), { 1: 1, 2: 2 });
    const choice: Schema = {
      type: "union",
      of: [
        { tag: "b", of: "u8" },
        { tag: "0", of: "string" },
      ],
    };
    assert.deepEqual(codecFromSchema(choice).decode(Uint8Array.of(0, 7, 0)), { type: "b", value: 7 });
  });

  const hostile: readonly (readonly [string, unknown])[] = [
    ["no schema", 5],
    ["an unknown type", "u7"],
    ["an unknown composite", { type: "list", of: "u8" }],
    ["a dangling ref", { type: "ref", id: 1 }],
    ["a ref to itself", { type: "nullable", id: 1, of: { type: "ref", id: 1 } }],
    [
      "one name twice",
      {
        type: "struct",
        fields: [
          { name: "a", of: "u8" },
          { name: "a", of: "u8" },
        ],
      },
    ],
    ["too many nodes", { type: "tuple", of: Array(5000).fill("u8") }],
    ["too deep", JSON.parse(`${'{"type":"array","of":'.repeat(65)}"u8"${"}".repeat(65)}`)],
    ["too long", { type: "enumeration", of: ["x".repeat(70000)] }],
    ["no fields", { type: "struct" }],
    ["a null field", { type: "struct", fields: [null] }],
    ["no choices", { type: "enumeration", of: [] }],
    ["another global", { type: "typedArray", of: "Function" }],
  ];
  for (const [name, schema] of hostile) {
    test(`is refused with ${name}`, () => {
      for (const attempt of [
        () => codecFromSchema(schema as Schema),
        () => readerOf(string, schema as Schema),
        () => diff(schema as Schema, string),
      ]) {
        assert.throws(attempt, (error: CodecError) => error instanceof CodecError && error.code === "schema");
      }
    });
  }

  /** Every text that becomes code while `work` runs. */
  function sourcesOf(work: () => void): string[] {
    const seen: string[] = [];
    const real = globalThis.Function;
    globalThis.Function = new Proxy(real, {
      construct(target, args) {
        seen.push(args.join(""));
        return Reflect.construct(target, args);
      },
    });
    try {
      work();
    } finally {
      globalThis.Function = real;
    }
    return seen;
  }

  const evil = ['"]};globalThis.hacked=1//', "__proto__", "\u2028", "constructor", "${x}", "</script>"];

  test("never becomes code, whatever its names", () => {
    const schema: Schema = {
      type: "struct",
      fields: evil.map((name) => ({ name, of: { type: "enumeration", of: evil } })),
    };
    const seen = sourcesOf(() => {
      const value = Object.fromEntries(evil.map((name) => [name, evil[0]]));
      const codec = codecFromSchema(schema);
      assert.deepEqual(codec.decode(codec.encode(value)), value);
      const reader = struct({ ["__proto__"]: optional(enumeration(evil)) });
      assert.ok(Object.hasOwn(readerOf(reader, schema).decode(codec.encode(value)), "__proto__"));
      diff(schema, reader);
      reader.encode({ ["__proto__"]: evil[0] });
    });
    // Names of the reader's own may stand in its code, as quoted strings only.
    assert.ok(seen.every((text) => !text.includes("hacked") || text.includes('\\"]};globalThis.hacked')));
    assert.equal(
      seen.some((text) => text.includes("\u2028")),
      false,
    );
    assert.equal((globalThis as { hacked?: number }).hacked, undefined);
  });

  // Where `new Function` does not ask the global, nothing is seen: Bun's does not.
  const unseen = "Bun" in globalThis && "Bun's new Function passes by the global that this test listens at";

  test("leaves none of its text in any generated source, deep, wide and mutually recursive as it may be", {
    skip: unseen,
  }, () => {
    const names = [...evil, "plain"].map((name) => `stranger${name}`);
    const wide = (first: Schema, rest: Schema): Schema => ({
      type: "struct",
      id: 1,
      name: "strangerTitle",
      doc: "strangerDoc",
      fields: [
        ...names.map((name, i) => ({
          name,
          of: i === 0 ? first : rest,
          optional: true as const,
          aliases: [`${name}Alias`],
        })),
        { name: "kept", of: "u8" as const },
      ],
    });
    let deep: Schema = { type: "enumeration", of: names, fallback: names[0] as string };
    for (let i = 0; i < 40; i++) deep = { type: "array", of: deep };
    const other: Schema = { type: "union", id: 2, of: names.map((tag) => ({ tag, of: { type: "ref", id: 1 } })) };
    const schemas = [wide(deep, deep), wide(other, { type: "ref", id: 2 })];
    const seen = sourcesOf(() => {
      const reader = struct({ kept: u8 });
      assert.deepEqual(reader.decode(reader.encode({ kept: 7 })), { kept: 7 });
      for (const schema of schemas) {
        const codec = codecFromSchema(schema);
        const bytes = codec.encode({ kept: 7 });
        for (let i = 0; i < 50; i++) {
          assert.deepEqual(codec.decode(bytes), { kept: 7 });
          assert.deepEqual(readerOf(reader, schema).decode(bytes), { kept: 7 });
        }
        assert.equal(diff(schema, reader).compatible, true);
        assert.equal(diff(reader, schema).compatible, true);
      }
    });
    if (mayCompile()) assert.notEqual(seen.length, 0, "the reader is compiled, and so seen");
    assert.ok(seen.every((text) => !text.includes("stranger")));
  });

  test("is resolved in few steps even where two recursions never meet", () => {
    const ring = (size: number): Schema => {
      let inner: Schema = { type: "ref", id: 1 };
      for (let i = size; i > 0; i--)
        inner = {
          type: "struct",
          ...(i === 1 ? { id: 1 } : {}),
          fields: [{ name: "n", of: { type: "nullable", of: inner } }],
        };
      return inner;
    };
    assert.equal(diff(ring(19), ring(21)).compatible, true);
    // 899 pairs, each inside the one before: past the levels that a stack surely holds.
    assert.throws(() => diff(ring(29), ring(31)), { code: "limit" });
  });
});
