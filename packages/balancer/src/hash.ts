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
  /** The bytes to hash, four to a word, little-endian; zeros up to the end of the last block. */
  #words = new Int32Array(64);
  #length = 0;

  /**
   * Hashes a string; the result is in `high` and `low`. An ASCII string costs no memory, but to grow for one longer than any
   * before.
   */
  hash(text: string, seed = 0): void {
    this.load(text);
    this.digest(seed);
  }

  /** Takes a string, to be hashed under one seed or many. */
  load(text: string): void {
    const { length } = text;
    // Three bytes at most for each unit, and one block of zeros.
    const room = ((length * 3) >> 2) + 5;
    if (this.#words.length < room) this.#words = new Int32Array(room * 2);
    const words = this.#words;
    let seen = 0;
    let at = 0;
    for (const end = length & ~3; at < end; at += 4) {
      const a = text.charCodeAt(at);
      const b = text.charCodeAt(at + 1);
      const c = text.charCodeAt(at + 2);
      const d = text.charCodeAt(at + 3);
      seen |= a | b | c | d;
      words[at >> 2] = a | (b << 8) | (c << 16) | (d << 24);
    }
    words[at >> 2] = 0;
    for (let shift = 0; at < length; at += 1, shift += 8) {
      const unit = text.charCodeAt(at);
      seen |= unit;
      words[at >> 2] = (words[at >> 2] as number) | (unit << shift);
    }
    this.#length = seen < 0x80 ? length : writeUtf8(text, words);
    // What is left of the last block counts as zeros: a lane of zeros changes nothing.
    for (let word = (this.#length + 3) >> 2; (word & 3) !== 0; word += 1) words[word] = 0;
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
      h1 = (Math.imul((rotate(h1 ^ lane1(words[at >> 2] as number), 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
      h2 = (Math.imul((rotate(h2 ^ lane2(words[(at >> 2) + 1] as number), 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
      h3 = (Math.imul((rotate(h3 ^ lane3(words[(at >> 2) + 2] as number), 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
      h4 = (Math.imul((rotate(h4 ^ lane4(words[(at >> 2) + 3] as number), 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
    }
    if (at < length) {
      h1 ^= lane1(words[at >> 2] as number);
      h2 ^= lane2(words[(at >> 2) + 1] as number);
      h3 ^= lane3(words[(at >> 2) + 2] as number);
      h4 ^= lane4(words[(at >> 2) + 3] as number);
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

/** Writes `text` as UTF-8 into words, lone surrogates as U+FFFD; returns the count of bytes. */
function writeUtf8(text: string, words: Int32Array): number {
  let length = 0;
  const write = (byte: number): void => {
    const shift = (length & 3) * 8;
    const before = shift === 0 ? 0 : (words[length >> 2] as number);
    words[length >> 2] = before | (byte << shift);
    length += 1;
  };
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) {
      write(point);
    } else if (point < 0x800) {
      write(0xc0 | (point >> 6));
      write(0x80 | (point & 0x3f));
    } else if (point > 0xffff) {
      write(0xf0 | (point >> 18));
      write(0x80 | ((point >> 12) & 0x3f));
      write(0x80 | ((point >> 6) & 0x3f));
      write(0x80 | (point & 0x3f));
    } else {
      const known = (point & 0xf800) === 0xd800 ? 0xfffd : point;
      write(0xe0 | (known >> 12));
      write(0x80 | ((known >> 6) & 0x3f));
      write(0x80 | (known & 0x3f));
    }
  }
  return length;
}
