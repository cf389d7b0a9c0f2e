import type { Shape, StructShape } from "./shape.ts";

/** One row of the tables. */
export interface DataSet {
  readonly name: string;
  readonly title: string;
  readonly shape: Shape;
  readonly make: () => unknown;
}

const bool: Shape = { kind: "bool" };
const u32: Shape = { kind: "u32" };
const i32: Shape = { kind: "i32" };
const int: Shape = { kind: "int" };
const f64: Shape = { kind: "f64" };
const u64: Shape = { kind: "u64" };
const text: Shape = { kind: "string" };
const blob: Shape = { kind: "bytes" };
const list = (of: Shape): Shape => ({ kind: "list", of });

const tiny: Shape = { kind: "struct", name: "Tiny", fields: { id: u32, name: text, ok: bool } };
const tree: Shape = {
  kind: "struct",
  name: "Tree",
  fields: { id: u32, label: text, children: list({ kind: "ref", name: "Tree" }) },
};
const chain: Shape = {
  kind: "struct",
  name: "Chain",
  fields: { id: u32, tag: text, next: { kind: "optional", of: { kind: "ref", name: "Chain" } } },
};
const address: StructShape = {
  kind: "struct",
  name: "Address",
  fields: { street: text, city: text, postCode: text, country: text, latitude: f64, longitude: f64 },
};
const item: StructShape = {
  kind: "struct",
  name: "Item",
  fields: { sku: text, title: text, quantity: u32, price: f64 },
};
const status: Shape = { kind: "enum", name: "Status", values: ["new", "paid", "packed", "sent", "done"] };
const user: StructShape = {
  kind: "struct",
  name: "User",
  fields: {
    id: u32,
    key: text,
    firstName: text,
    lastName: text,
    email: text,
    phone: text,
    active: bool,
    verified: bool,
    admin: bool,
    age: u32,
    level: i32,
    balance: f64,
    rating: f64,
    createdAt: int,
    updatedAt: int,
    status,
    tags: list(text),
    address,
    items: list(item),
    note: text,
  },
};

/** All data sets, in the order of the tables. The same values on every machine. */
export const dataSets: readonly DataSet[] = [
  { name: "tiny", title: "tiny request", shape: tiny, make: () => ({ id: 4711, name: "Ada L.", ok: true }) },
  { name: "userAscii", title: "user, ASCII", shape: user, make: () => makeUser(generator(1), 1, ascii) },
  { name: "user", title: "user, CJK + emoji", shape: user, make: () => makeUser(generator(2), 1, mixed) },
  { name: "users", title: "1,000 users", shape: list(user), make: () => makeUsers(1000) },
  { name: "tree", title: "recursive tree", shape: tree, make: () => makeTree(generator(3), 4, { next: 1 }) },
  { name: "chain", title: "deep chain", shape: chain, make: () => makeChain(generator(4), 90) },
  { name: "map", title: "map of 1,000 keys", shape: { kind: "record", of: u32 }, make: () => makeMap(1000) },
  { name: "i32", title: "10,000 i32", shape: list(i32), make: () => makeReadings(10_000) },
  { name: "int", title: "10,000 int (53 bit)", shape: list(int), make: () => makeIntegers(10_000) },
  { name: "f64", title: "10,000 f64", shape: list(f64), make: () => many(10_000, generator(8)) },
  { name: "u64", title: "1,000 u64", shape: list(u64), make: () => makeBigints(1000) },
  { name: "textAscii", title: "100 kB ASCII", shape: text, make: () => repeated(ascii, 100_000) },
  { name: "textChinese", title: "100 kB Chinese", shape: text, make: () => repeated(chinese, 33_333) },
  { name: "blob", title: "1 MiB blob, as a view", shape: blob, make: () => makeBlob(1 << 20) },
];

type Uniform = () => number;

const ascii = "the quick brown fox jumps over a lazy dog while seven wizards box near the quiet jolly vale ";
const chinese = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜";
const mixed = `${ascii.slice(0, 40)}${chinese.slice(0, 8)} 🙂🚀 `;

/** Uniform in [0, 1): a linear congruential generator, good enough for test data. */
function generator(seed: number): Uniform {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function below(random: Uniform, end: number): number {
  return Math.floor(random() * end);
}

function words(random: Uniform, source: string, shortest: number, longest: number): string {
  const characters = Array.from(source);
  const start = below(random, characters.length);
  const length = shortest + below(random, longest - shortest + 1);
  return Array.from({ length }, (_, i) => characters[(start + i) % characters.length]).join("");
}

function repeated(source: string, length: number): string {
  return source.repeat(Math.ceil(length / source.length)).slice(0, length);
}

function digits(random: Uniform, count: number): string {
  return many(count, () => below(random, 10)).join("");
}

function makeUser(random: Uniform, id: number, source: string): unknown {
  const hex = (count: number): string => many(count, () => below(random, 16).toString(16)).join("");
  return {
    id,
    key: [8, 4, 4, 4, 12].map(hex).join("-"),
    firstName: words(random, source, 4, 9),
    lastName: words(random, source, 5, 12),
    email: `${hex(8)}@example.com`,
    phone: `+49 ${digits(random, 9)}`,
    active: random() < 0.9,
    verified: random() < 0.5,
    admin: random() < 0.1,
    age: 18 + below(random, 60),
    level: below(random, 200) - 100,
    balance: Math.round(random() * 1e6) / 100,
    rating: random() * 5,
    createdAt: 1_700_000_000_000 + below(random, 1e10),
    updatedAt: 1_710_000_000_000 + below(random, 1e10),
    status: ["new", "paid", "packed", "sent", "done"][below(random, 5)],
    tags: many(2, () => words(random, ascii, 3, 8)),
    address: {
      street: words(random, source, 10, 20),
      city: words(random, source, 5, 12),
      postCode: digits(random, 5),
      country: "DE",
      latitude: random() * 180 - 90,
      longitude: random() * 360 - 180,
    },
    items: many(2, () => ({
      sku: hex(8),
      title: words(random, source, 8, 18),
      quantity: 1 + below(random, 20),
      price: Math.round(random() * 10_000) / 100,
    })),
    note: words(random, source, 10, 30),
  };
}

function makeUsers(count: number): unknown {
  const random = generator(5);
  return Array.from({ length: count }, (_, i) => makeUser(random, i + 1, i % 10 === 0 ? mixed : ascii));
}

/** Some thousand nodes: every inner node has 5 or 6 children. */
function makeTree(random: Uniform, depth: number, ids: { next: number }): unknown {
  const id = ids.next++;
  const children = depth === 0 ? [] : many(5 + below(random, 2), () => makeTree(random, depth - 1, ids));
  return { id, label: words(random, ascii, 6, 12), children };
}

/** As deep as peers with a limit of 100 levels can read. */
function makeChain(random: Uniform, depth: number): unknown {
  const here = { id: below(random, 1000), tag: words(random, ascii, 2, 3) };
  return depth === 1 ? here : { ...here, next: makeChain(random, depth - 1) };
}

function makeMap(count: number): unknown {
  const random = generator(9);
  return Object.fromEntries(many(count, () => [`k${digits(random, 12)}`, below(random, 1 << 20)]));
}

/** Half are small counts, half are readings of 16 bits, a few of those negative. */
function makeReadings(count: number): number[] {
  const random = generator(6);
  return many(count, () => (random() < 0.5 ? below(random, 128) : below(random, 39_321) - 6553));
}

/** From 35 to 53 bits, each length as likely. */
function makeIntegers(count: number): number[] {
  const random = generator(7);
  return many(count, () => {
    const size = Math.floor(2 ** (35 + random() * 18));
    return random() < 0.5 ? -size : size;
  });
}

/** Hashes and counters. */
function makeBigints(count: number): bigint[] {
  const random = generator(10);
  const word = (): bigint => BigInt(below(random, 2 ** 32));
  return many(count, () =>
    random() < 0.55 ? (word() << 32n) | word() : BigInt(below(random, 2 ** (8 + below(random, 17)))),
  );
}

function makeBlob(length: number): Uint8Array {
  const random = generator(11);
  return Uint8Array.from({ length }, () => below(random, 256));
}
