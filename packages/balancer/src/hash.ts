/**
 * The one hash of this package: the first 64 bits of MurmurHash3_x86_128 (Austin Appleby, public domain) over the UTF-8
 * bytes of a string. It is the same in every process, and made of 32-bit steps alone, so that it needs no `bigint` where
 * 64-bit hashes do. Not for secrets: whoever chooses keys can make them collide.
 *
 * Everything that hashes is derived from it, with the endpoint's `hashKey` or else `id` as its key:
 * - of `hash64(key, seed)`, `low` is the first word of the digest and `high` the second;
 * - a ring's point number i is `high` of `hash64(endpoint, i)`; a call's place is `high` of `hash64(hashKey, 0)`;
 * - Maglev's offset is `low` modulo the table size, its skip `high` modulo (size − 1), plus 1;
 * - rendezvous scores by {@link mixed} of both hashes; a subset by `high` of `hash64(endpoint, client seed)`.
 */
export class Hasher {
  /** Second word of the latest digest, signed: engines keep signed words without boxing them. */
  high = 0;
  /** First word of the latest digest, signed. */
  low = 0;
  #bytes = new Uint8Array(256);
  #words = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Hashes a string; the result is in `high` and `low`. Allocates only to grow, for a longer string than any before. */
  hash(text: string, seed = 0): void {
    this.load(text);
    this.digest(seed);
  }

  /** Takes a string, to be hashed under one seed or many. */
  load(text: string): void {
    const room = text.length * 3 + 16;
    if (this.#bytes.length < room) {
      this.#bytes = new Uint8Array(room * 2);
      this.#words = new DataView(this.#bytes.buffer);
    }
    this.#length = writeUtf8(text, this.#bytes);
    // What is left of the last block counts as zeros: a lane of zeros changes nothing.
    for (let at = this.#length; (at & 15) !== 0; at += 1) this.#bytes[at] = 0;
  }

  /** Hashes what was loaded last. */
  digest(seed = 0): void {
    const words = this.#words;
    const length = this.#length;
    let h1 = seed | 0;
    let h2 = h1;
    let h3 = h1;
    let h4 = h1;
    let at = 0;
    for (; at + 16 <= length; at += 16) {
      h1 = (Math.imul((rotate(h1 ^ lane1(words.getInt32(at, true)), 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
      h2 = (Math.imul((rotate(h2 ^ lane2(words.getInt32(at + 4, true)), 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
      h3 = (Math.imul((rotate(h3 ^ lane3(words.getInt32(at + 8, true)), 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
      h4 = (Math.imul((rotate(h4 ^ lane4(words.getInt32(at + 12, true)), 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
    }
    if (at < length) {
      h1 ^= lane1(words.getInt32(at, true));
      h2 ^= lane2(words.getInt32(at + 4, true));
      h3 ^= lane3(words.getInt32(at + 8, true));
      h4 ^= lane4(words.getInt32(at + 12, true));
    }
    h1 ^= length;
    h2 ^= length;
    h3 ^= length;
    h4 ^= length;
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = avalanche((h2 + h1) | 0);
    h3 = avalanche((h3 + h1) | 0);
    h4 = avalanche((h4 + h1) | 0);
    h1 = (avalanche(h1) + h2 + h3 + h4) | 0;
    this.low = h1;
    this.high = (h2 + h1) | 0;
  }
}

/** The hash of a string as one number of 64 bits. For tools and tests; picks use two halves and no `bigint`. */
export function hash64(text: string, seed = 0): bigint {
  const hasher = new Hasher();
  hasher.hash(text, seed);
  return (BigInt(hasher.high >>> 0) << 32n) | BigInt(hasher.low >>> 0);
}

/** Two 64-bit hashes made into 32 bits: how well a call and an endpoint match. */
export function mixed(high1: number, low1: number, high2: number, low2: number): number {
  return avalanche((avalanche(low1 ^ low2) + (high1 ^ high2)) | 0) >>> 0;
}

/** MurmurHash3's finalizer: every bit of the input sways every bit of the output. Signed. */
export function avalanche(word: number): number {
  let mix = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}

function lane1(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0x239b961b), 15), 0xab0e9789);
}

function lane2(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xab0e9789), 16), 0x38b34ae5);
}

function lane3(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0x38b34ae5), 17), 0xa1e38b93);
}

function lane4(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xa1e38b93), 18), 0x239b961b);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Writes `text` as UTF-8, lone surrogates as U+FFFD; returns the count of bytes. `bytes` must have room. */
function writeUtf8(text: string, bytes: Uint8Array): number {
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[length++] = unit;
    } else if (unit < 0x800) {
      bytes[length++] = 0xc0 | (unit >> 6);
      bytes[length++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(index) ?? 0;
      if (point > 0xffff) {
        index += 1;
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[length++] = 0x80 | (point & 0x3f);
      } else {
        const known = (point & 0xf800) === 0xd800 ? 0xfffd : point;
        bytes[length++] = 0xe0 | (known >> 12);
        bytes[length++] = 0x80 | ((known >> 6) & 0x3f);
        bytes[length++] = 0x80 | (known & 0x3f);
      }
    }
  }
  return length;
}
