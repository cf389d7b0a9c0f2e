/** Seeded data sets for tuning, each with its schema. */
import {
  array,
  bool,
  bytes,
  type Codec,
  enumeration,
  f64,
  i32,
  int,
  lazy,
  optional,
  record,
  string,
  struct,
  u8,
  u32,
  u64,
} from "../src/index.ts";

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Tree {
  id: number;
  label: string;
  children: Tree[];
}
const Tree: Codec<Tree> = struct({ id: u32, label: string, children: array(lazy(() => Tree)) });
interface Chain {
  n: number;
  next: Chain[];
}
const Chain: Codec<Chain> = struct({ n: u32, next: array(lazy(() => Chain)) });

const User = struct({
  id: u32,
  username: string,
  email: string,
  firstName: string,
  lastName: string,
  age: u8,
  active: bool,
  verified: bool,
  role: enumeration(["user", "admin", "guest", "owner"]),
  score: f64,
  balance: int,
  createdAt: int,
  updatedAt: int,
  phone: optional(string),
  bio: string,
  locale: string,
  tags: array(string),
  address: struct({ street: string, city: string, zip: string, country: string, lat: f64, lon: f64 }),
  items: array(struct({ sku: string, name: string, quantity: u32, price: f64, gift: bool })),
  note: optional(string),
});

const words = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november".split(" ");

function user(rnd: () => number, wide: boolean) {
  const word = () => words[Math.floor(rnd() * words.length)] as string;
  const n = (k: number) => Math.floor(rnd() * k);
  return {
    id: n(1e6),
    username: `${word()}${n(1000)}`,
    email: `${word()}.${word()}@example.com`,
    firstName: wide ? "小林" : word(),
    lastName: wide ? "さくら" : word(),
    age: n(90),
    active: rnd() > 0.3,
    verified: rnd() > 0.5,
    role: (["user", "admin", "guest", "owner"] as const)[n(4)] as "user",
    score: rnd() * 100,
    balance: n(1e6),
    createdAt: 1_600_000_000_000 + n(1e11),
    updatedAt: 1_600_000_000_000 + n(1e11),
    phone: `+49 30 ${n(1e7)}`,
    bio: wide ? "likes 🍣 and long walks" : `${word()} ${word()} ${word()} ${word()}`,
    locale: "en-US",
    tags: [word(), word(), word()],
    address: {
      street: `${word()} street ${n(200)}`,
      city: wide ? "東京都" : word(),
      zip: String(n(99999)),
      country: "DE",
      lat: rnd() * 90,
      lon: rnd() * 180,
    },
    items: Array.from({ length: 3 }, () => ({
      sku: `SKU-${n(99999)}`,
      name: word(),
      quantity: n(10),
      price: n(10000) / 100,
      gift: rnd() > 0.8,
    })),
  };
}

function tree(rnd: () => number, depth: number, next: { id: number }): Tree {
  const id = next.id++;
  const label = `node-${id}`;
  return {
    id,
    label,
    children: depth === 0 ? [] : Array.from({ length: 3 + Math.floor(rnd() * 2) }, () => tree(rnd, depth - 1, next)),
  };
}

function chain(depth: number): Chain {
  return { n: depth, next: depth === 0 ? [] : [chain(depth - 1)] };
}

export interface DataSet {
  readonly name: string;
  readonly codec: Codec<never, never>;
  readonly value: unknown;
  readonly views?: boolean;
}

function make(name: string, codec: unknown, value: unknown, views = false): DataSet {
  return { name, codec: codec as Codec<never, never>, value, views };
}

const rnd = random(42);
export const dataSets: readonly DataSet[] = [
  make("rpc", struct({ id: u32, name: string, ok: bool }), { id: 1234, name: "world", ok: true }),
  make("userAscii", User, user(rnd, false)),
  make("user", User, user(rnd, true)),
  make(
    "users1k",
    array(User),
    Array.from({ length: 1000 }, (_, i) => user(rnd, i % 4 === 0)),
  ),
  make("tree", Tree, tree(rnd, 5, { id: 0 })),
  make("chain", Chain, chain(200)),
  make(
    "map1k",
    record(u32),
    Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key-${(i * 7919) % 100003}`, Math.floor(rnd() * 1e6)])),
  ),
  make(
    "i32x10k",
    array(i32),
    Array.from({ length: 10000 }, () => Math.floor((rnd() - 0.5) * 2 ** (rnd() * 24))),
  ),
  make(
    "int53x10k",
    array(int),
    Array.from({ length: 10000 }, () => Math.floor((rnd() - 0.5) * 2 ** 48)),
  ),
  make(
    "f64x10k",
    array(f64),
    Array.from({ length: 10000 }, () => rnd() * 1000),
  ),
  make(
    "u64x1k",
    array(u64),
    Array.from({ length: 1000 }, () => BigInt(Math.floor(rnd() * 2 ** 32)) << BigInt(Math.floor(rnd() * 32))),
  ),
  make("textAscii", string, "The quick brown fox jumps over the lazy dog. ".repeat(2222)),
  make(
    "textHan",
    string,
    Array.from({ length: 33333 }, () => String.fromCharCode(0x4e00 + Math.floor(rnd() * 20000))).join(""),
  ),
  make(
    "blob1m",
    bytes,
    new Uint8Array(1 << 20).map(() => Math.floor(rnd() * 256)),
    true,
  ),
];
