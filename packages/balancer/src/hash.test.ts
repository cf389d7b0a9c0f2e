import assert from "node:assert/strict";
import { test } from "node:test";
import { hash64 } from "@pipit/balancer";
import { seeded } from "../test/support/fixtures.ts";
import { Hasher } from "./hash.ts";

/** Text, seed, and the first 64 bits of MurmurHash3_x86_128 as another implementation (mmh3 for Python) gives them. */
const vectors: readonly (readonly [string, number, string])[] = [
  ["", 0, "0000000000000000"],
  ["", 1, "54d201b988c4adec"],
  ["", 4294967295, "989d49f7051e08a9"],
  ["a", 0, "5556b01ba794933c"],
  ["a", 1, "1c5281c549db9b04"],
  ["a", 4294967295, "90f0af0878bc24b1"],
  ["ab", 0, "25be3010158451df"],
  ["ab", 1, "7b35502d607673ae"],
  ["ab", 4294967295, "cd9a354cbbe246cd"],
  ["abc", 0, "a2b006a575cdc6d1"],
  ["hello", 0, "db91def72b2444a0"],
  ["hello", 4294967295, "6cd8784b3b499a9e"],
  ["10.0.0.1:50051", 0, "781bf63a85fba099"],
  ["0123456789abcde", 0, "4d0818c03c76c46d"],
  ["0123456789abcdef", 0, "36aed30afb7d4409"],
  ["0123456789abcdef0", 0, "60920c061f8a3855"],
  ["The quick brown fox jumps over the lazy dog", 0, "ecee2c672f1583c3"],
  ["The quick brown fox jumps over the lazy dog", 1, "340673ebd5a4c21d"],
  ["Grüße", 0, "c7c0930a97c6bc80"],
  ["日本語", 0, "c3f6209cbdfcba6f"],
  ["日本語", 4294967295, "7fbecda42b3d680e"],
  ["🐦 pipit", 0, "7e443ed47239ed30"],
  ["                                 ", 0, "b32807322c542af3"],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    0,
    "21ac804f4c74fb67",
  ],
];

test("the hash gives the published function's bits", () => {
  for (const [text, seed, expected] of vectors) {
    assert.equal(hash64(text, seed).toString(16).padStart(16, "0"), expected, `${JSON.stringify(text)}, seed ${seed}`);
  }
});

test("a string hashes as its UTF-8 bytes, lone surrogates as U+FFFD", () => {
  for (const lone of ["\ud800", "\udfff", "a\ud83d", "\udc26b"]) assert.equal(hash64(lone), hash64(wellFormed(lone)));
  assert.notEqual(hash64("\ud83d\udc26"), hash64("\ufffd\ufffd"));
});

test("a hasher forgets what it hashed before", () => {
  const hasher = new Hasher();
  const random = seeded(5);
  for (let round = 0; round < 300; round += 1) {
    const length = random.u32() % 300;
    const text = String.fromCharCode(...Array.from({ length }, () => random.u32() % 0x1_0000));
    hasher.hash(text, round);
    assert.equal((BigInt(hasher.high >>> 0) << 32n) | BigInt(hasher.low >>> 0), hash64(text, round));
  }
});

function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
