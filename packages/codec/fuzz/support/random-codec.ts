import {
  type AnyCodec,
  any,
  array,
  bool,
  bytes,
  type Codec,
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
} from "../../src/index.ts";

/** The seeded generator that a round is given. */
export interface Random {
  u32(): number;
  bytes(count: number): Uint8Array;
}

/** A generator for tests that bring none (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  const u32 = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { u32, bytes: (count) => Uint8Array.from({ length: count }, u32) };
}

/** A codec and a maker of values that it takes. */
export interface Sampled {
  readonly codec: Codec<unknown>;
  readonly sample: () => unknown;
}

/** Deeper than this, only leaves. */
const deepest = 4;

/** Names that have hurt others. */
const oddNames = ["a", "b", "id", "__proto__", "constructor", "toString", "", '"];//', "\u2028", "ключ", "a b"];

/** Texts of each kind that an encoder may treat its own way. */
const texts = [
  "",
  "a",
  "tiny text",
  "Ünïcödé",
  "天地玄黄",
  "🙂🚀",
  "a\u0000b",
  "ÿĀ",
  "\ufeff\ufffd",
  "x".repeat(40),
  "宇".repeat(70),
  "y".repeat(3000),
];

/** A whole number from 0 to `end` - 1. */
export function below(random: Random, end: number): number {
  return Math.floor((random.u32() / 2 ** 32) * end);
}

/** Any schema: every type occurs, nested up to a depth. */
export function randomCodec(random: Random, depth = 0): Sampled {
  const leaf = depth >= deepest || below(random, 3) === 0;
  return leaf ? randomLeaf(random) : randomContainer(random, depth);
}

function randomLeaf(random: Random): Sampled {
  const whole = (codec: unknown, least: number, most: number): Sampled =>
    sampled(codec, () => pick(random, [least, most, least + below(random, most - least), Math.max(least, 0)]));
  const big = (codec: unknown, least: bigint, most: bigint): Sampled =>
    sampled(codec, () => pick(random, [least, most, BigInt(random.u32())]));
  const makers: (() => Sampled)[] = [
    () => sampled(bool, () => below(random, 2) === 1),
    () => whole(u8, 0, 2 ** 8 - 1),
    () => whole(u16, 0, 2 ** 16 - 1),
    () => whole(u32, 0, 2 ** 32 - 1),
    () => whole(i8, -(2 ** 7), 2 ** 7 - 1),
    () => whole(i16, -(2 ** 15), 2 ** 15 - 1),
    () => whole(i32, -(2 ** 31), 2 ** 31 - 1),
    () => whole(uint, 0, Number.MAX_SAFE_INTEGER),
    () => whole(int, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    () => big(u64, 0n, 2n ** 64n - 1n),
    () => big(i64, -(2n ** 63n), 2n ** 63n - 1n),
    () => sampled(f32, () => pick(random, [0, -0, Math.fround(random.u32() / 7), Number.NaN, -Infinity])),
    () => sampled(f64, () => pick(random, [0, -0, random.u32() / 7, Number.NaN, Infinity])),
    () => sampled(string, () => pick(random, texts)),
    () => sampled(bytes, () => random.bytes(below(random, 50))),
    () => sampled(date, () => new Date(pick(random, [0, -1, 8.64e15, -8.64e15, random.u32() * 1000]))),
    () => sampled(uuid, () => randomUuid(random)),
    () =>
      sampled(typedArray(Float64Array), () => Float64Array.from({ length: below(random, 5) }, () => random.u32() / 3)),
    () => sampled(typedArray(Uint16Array), () => Uint16Array.from({ length: below(random, 9) }, () => random.u32())),
    () => sampled(enumeration(["x", "y", "z"]), () => pick(random, ["x", "y", "z"])),
    () => sampled(any, () => randomAny(random, 0)),
  ];
  return pick(random, makers)();
}

function randomContainer(random: Random, depth: number): Sampled {
  const inner = (): Sampled => randomCodec(random, depth + 1);
  const some = <T>(make: () => T, most = 6): T[] => Array.from({ length: below(random, most) }, make);
  const makers: (() => Sampled)[] = [
    () => {
      const { codec, sample } = inner();
      return sampled(array(codec), () => some(sample));
    },
    () => {
      // Neither `any` nor another `nullable` may stand in it: null would mean two things.
      const text = sampled(string, () => pick(random, texts));
      const { codec, sample } = below(random, 2) === 0 ? text : randomStruct(random, depth + 1);
      return sampled(nullable(codec), () => (below(random, 2) === 0 ? null : sample()));
    },
    () => {
      const parts = some(inner, 4);
      return sampled(tuple(parts.map(({ codec }) => codec)), () => parts.map(({ sample }) => sample()));
    },
    () => {
      const { codec, sample } = inner();
      return sampled(record(codec), () => ownProperties(some(() => [pick(random, oddNames), sample()])));
    },
    () => {
      const { codec, sample } = inner();
      return sampled(map(u32, codec), () => new Map(some(() => [random.u32(), sample()])));
    },
    () => sampled(set(string), () => new Set(some(() => pick(random, texts)))),
    () => randomStruct(random, depth),
    () => randomStruct(random, depth),
    () => {
      const cases = [...new Set(some(() => pick(random, oddNames.slice(0, 6)), 4)).add("only")].map((tag) => ({
        tag,
        ...inner(),
      }));
      const codec = union(ownProperties(cases.map((one) => [one.tag, one.codec])) as Record<string, AnyCodec>);
      return sampled(codec, () => {
        const { tag, sample } = pick(random, cases);
        return { type: tag, value: sample() };
      });
    },
    () => randomTree(random),
  ];
  return pick(random, makers)();
}

function randomStruct(random: Random, depth: number): Sampled {
  const names = [...new Set(Array.from({ length: below(random, 7) }, () => pick(random, oddNames)))];
  const fields = names.map((name) => {
    const inner = randomCodec(random, depth + 1);
    // An optional `any` that is undefined counts as absent, so it would not come back.
    return { name, absent: inner.codec.schema !== "any" && below(random, 3) === 0, ...inner };
  });
  const declared = fields.map(({ name, absent, codec }): [string, unknown] => [name, absent ? optional(codec) : codec]);
  return sampled(struct(ownProperties(declared) as Record<string, AnyCodec>), () => {
    const present = fields.filter(({ absent }) => !absent || below(random, 2) === 0);
    return ownProperties(present.map(({ name, sample }) => [name, sample()]));
  });
}

interface Tree {
  label: string;
  children: Tree[];
}

function randomTree(random: Random): Sampled {
  const tree: Codec<Tree> = struct({ label: string, children: array(lazy(() => tree)) });
  const grow = (depth: number): Tree => ({
    label: pick(random, texts),
    children: Array.from({ length: depth === 0 ? 0 : below(random, 3) }, () => grow(depth - 1)),
  });
  return sampled(tree, () => grow(4));
}

function randomAny(random: Random, depth: number): unknown {
  const inner = (): unknown => randomAny(random, depth + 1);
  const leaves = [
    null,
    undefined,
    true,
    0,
    -1,
    random.u32(),
    1.5,
    -0,
    Number.NaN,
    pick(random, texts),
    random.bytes(3),
  ];
  if (depth >= deepest || below(random, 2) === 0) return pick(random, leaves);
  const count = below(random, 4);
  if (below(random, 2) === 0) return Array.from({ length: count }, inner);
  return ownProperties(Array.from({ length: count }, () => [pick(random, oddNames), inner()]));
}

/** `__proto__` becomes a key like any other. */
function ownProperties(entries: [string, unknown][]): Record<string, unknown> {
  const made = {};
  for (const [key, value] of entries) {
    Object.defineProperty(made, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return made;
}

function randomUuid(random: Random): string {
  const hex = Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function sampled(codec: unknown, sample: () => unknown): Sampled {
  return { codec: codec as Codec<unknown>, sample };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[below(random, choices.length)] as T;
}
