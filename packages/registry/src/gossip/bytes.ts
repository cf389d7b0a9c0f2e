/**
 * Bounds-checked reading and writing of the few shapes that gossip messages are made of. Integers are little-endian.
 * A reader never throws: past the end it turns `ok` off and yields zeros, and the caller checks once, at the end.
 */

const EMPTY = new Uint8Array(0);

export class Reader {
  bytes: Uint8Array = EMPTY;
  pos = 0;
  end = 0;
  /** False once a read went past `end`, or met what it cannot be. */
  ok = true;

  reset(bytes: Uint8Array, pos: number, end: number): this {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
    this.ok = true;
    return this;
  }

  get left(): number {
    return this.end - this.pos;
  }

  #take(n: number): number {
    const at = this.pos;
    if (n > this.end - at) {
      this.ok = false;
      this.pos = this.end;
      return -1;
    }
    this.pos = at + n;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.bytes[at] as number);
  }

  u16(): number {
    const at = this.#take(2);
    if (at < 0) return 0;
    const b = this.bytes;
    return (b[at] as number) | ((b[at + 1] as number) << 8);
  }

  /** As a signed 32-bit integer: for hashes and tags, which stay small integers in the engine. */
  i32(): number {
    const at = this.#take(4);
    if (at < 0) return 0;
    const b = this.bytes;
    return (
      (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)
    );
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  u48(): number {
    const low = this.u32();
    return low + this.u16() * 2 ** 32;
  }

  /** A view of `n` bytes, empty when they are not there. */
  view(n: number): Uint8Array {
    const at = this.#take(n);
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + n);
  }

  skip(n: number): void {
    this.#take(n);
  }

  /** One length byte and as many printable ASCII characters. */
  name(): string {
    const length = this.u8();
    const at = this.#take(length);
    if (at < 0) return "";
    const b = this.bytes;
    for (let i = at; i < at + length; i++) {
      const c = b[i] as number;
      if (c < 0x20 || c > 0x7e) {
        this.ok = false;
        return "";
      }
    }
    return textOf(b, at, length);
  }
}

/**
 * Names met before, by hash: a cluster's ids and addresses come again in every packet that speaks of them, and most of
 * them mean the string that is held already. A name that collides takes the place of the other.
 */
const met: string[] = new Array<string>(8_192).fill("");

function textOf(bytes: Uint8Array, at: number, length: number): string {
  let hash = length;
  for (let i = at; i < at + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  const slot = (hash ^ (hash >>> 13)) & (met.length - 1);
  const held = met[slot] as string;
  let same = 0;
  if (held.length === length) while (same < length && held.charCodeAt(same) === bytes[at + same]) same++;
  if (same === length && held.length === length) return held;
  const text = String.fromCharCode.apply(null, bytes.subarray(at, at + length) as unknown as number[]);
  met[slot] = text;
  return text;
}

export class Writer {
  bytes: Uint8Array;
  pos = 0;
  readonly #growsTo: number;

  /** `growsTo` above `size` lets the buffer double up to it; beyond, writes throw a RangeError (a bug of the caller). */
  constructor(size: number, growsTo: number = size) {
    this.bytes = new Uint8Array(size);
    this.#growsTo = growsTo;
  }

  #room(n: number): number {
    const at = this.pos;
    if (at + n > this.bytes.length) this.#grow(at + n);
    this.pos = at + n;
    return at;
  }

  #grow(need: number): void {
    if (need > this.#growsTo)
      throw new RangeError(`Write gossip message: ${need} bytes, wanted at most ${this.#growsTo}`);
    const grown = new Uint8Array(Math.min(this.#growsTo, Math.max(need, this.bytes.length * 2)));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  u8(v: number): void {
    const at = this.#room(1);
    this.bytes[at] = v;
  }

  u16(v: number): void {
    const at = this.#room(2);
    const b = this.bytes;
    b[at] = v;
    b[at + 1] = v >>> 8;
  }

  /** Signed or unsigned. */
  u32(v: number): void {
    const at = this.#room(4);
    const b = this.bytes;
    b[at] = v;
    b[at + 1] = v >>> 8;
    b[at + 2] = v >>> 16;
    b[at + 3] = v >>> 24;
  }

  u48(v: number): void {
    this.u32(v >>> 0);
    this.u16(Math.floor(v / 2 ** 32));
  }

  raw(bytes: Uint8Array): void {
    const n = bytes.length;
    const at = this.#room(n);
    const b = this.bytes;
    if (n < 64) for (let i = 0; i < n; i++) b[at + i] = bytes[i] as number;
    else b.set(bytes, at);
  }

  name(text: string): void {
    const n = text.length;
    const at = this.#room(n + 1);
    const b = this.bytes;
    b[at] = n;
    for (let i = 0; i < n; i++) b[at + 1 + i] = text.charCodeAt(i);
  }

  /** Overwrites the u16 written at `at`. */
  patchU16(at: number, v: number): void {
    this.bytes[at] = v;
    this.bytes[at + 1] = v >>> 8;
  }

  /** Overwrites the u32 written at `at`. */
  patchU32(at: number, v: number): void {
    this.patchU16(at, v);
    this.patchU16(at + 2, v >>> 16);
  }
}
