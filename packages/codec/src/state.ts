/** What the interpreter of the format works on: the state of one message being written or read. */
import { fail, truncated } from "./fault.ts";
import { viewOf } from "./reader.ts";
import { isWide, refuseTorn } from "./text-encodings.ts";
import { TextReader } from "./text-reader.ts";
import type { Writer } from "./writer.ts";

/** Most times that a schema which refers to itself may do so inside one value. */
export const MAX_DEPTH = 512;
/** Values that a message may hold without bytes of their own: elements of zero size and defaults filled in. */
export const FREE_VALUES = 65_536;
/** Further free values that each byte of the message pays for. */
export const FREE_VALUES_PER_BYTE = 16;

/** One message being written. */
export class Out {
  declare readonly writer: Writer;
  /** Whether optional fields with a default must be present: what `is` asks. */
  declare readonly strict: boolean;
  narrow = "";
  readonly wide: string[] = [];
  /** Whether strings are looked at one by one, as a wide one is among them or was in the message before. */
  declare readonly probing: boolean;
  depth = 0;
  /** The recursive values that enclose the current one, to tell cycles from depth. */
  readonly above: unknown[] = [];

  constructor(writer: Writer, strict: boolean, probing: boolean) {
    this.writer = writer;
    this.strict = strict;
    this.probing = probing;
  }

  enter(value: unknown): void {
    if (this.depth >= MAX_DEPTH) {
      if (this.above.includes(value)) fail("cycle", "the value contains itself");
      fail("depth", `nested deeper than ${MAX_DEPTH}`);
    }
    this.above[this.depth++] = value;
  }

  /** An unsigned integer below 2^53, 7 bits a byte, lowest first. */
  leb(value: number): void {
    const { writer } = this;
    if (value < 128 && writer.pos < writer.bytes.length) {
      writer.bytes[writer.pos++] = value;
      return;
    }
    writer.reserve(8);
    writer.pos = writeLeb(writer.bytes, writer.pos, value);
  }

  text(value: string): void {
    if (this.probing && isWide(value)) {
      refuseTorn(value);
      this.wide.push(value);
      this.leb(value.length * 2 + 1);
    } else {
      this.narrow += value;
      this.leb(value.length * 2);
    }
  }
}

/** Writes `value` (an integer in 0..2^53-1) at `pos`; gives the position after it. At most 8 bytes. */
export function writeLeb(bytes: Uint8Array, start: number, value: number): number {
  let pos = start;
  let rest = value | 0;
  if (rest !== value) {
    // One division for 28 bits: on doubles each costs as much as all the rest.
    bytes[pos] = rest | 128;
    bytes[pos + 1] = (rest >> 7) | 128;
    bytes[pos + 2] = (rest >> 14) | 128;
    bytes[pos + 3] = (rest >> 21) | 128;
    pos += 4;
    rest = Math.floor(value * 2 ** -28);
  }
  while (rest > 127) {
    bytes[pos++] = (rest & 127) | 128;
    rest >>= 7;
  }
  bytes[pos++] = rest;
  return pos;
}

/** One message being read. */
export class In {
  declare readonly bytes: Uint8Array;
  #view: DataView | undefined;
  declare pos: number;
  /** Where the data ends: at the text sections. */
  declare end: number;
  declare readonly views: boolean;
  readonly text: TextReader = new TextReader();
  depth = 0;
  /** Free values that are left. */
  declare budget: number;
  /** Bytes of the message. */
  declare readonly size: number;
  /**
   * Bits that elements may still claim before they are read. No two elements share their least bits, so valid messages have
   * enough; without a common count each level of a recursive list could claim room for all the rest once more.
   */
  declare claims: number;
  /** Objects that its values of type `any` may still make, all of them together; unset before the first. */
  declare objects: number | undefined;

  constructor(bytes: Uint8Array, view: DataView | undefined, start: number, end: number, views: boolean) {
    this.bytes = bytes;
    this.#view = view;
    this.pos = start;
    this.end = end;
    this.views = views;
    this.budget = FREE_VALUES + FREE_VALUES_PER_BYTE * (end - start);
    this.size = end - start;
    this.claims = 8 * this.size;
    this.objects = undefined;
  }

  /** Made when a value first needs it: that costs as much as some small values. */
  get view(): DataView {
    return (this.#view ??= viewOf(this.bytes));
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) fail("depth", `nested deeper than ${MAX_DEPTH}`);
  }

  /** Position of `count` bytes, which are then passed over. */
  skip(count: number): number {
    const start = this.pos;
    if (count > this.end - start) truncated();
    this.pos = start + count;
    return start;
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number;
  }

  leb(): number {
    const { pos } = this;
    const first = this.bytes[pos] as number;
    if (first < 128 && pos < this.end) {
      this.pos = pos + 1;
      return first;
    }
    return this.#longLeb();
  }

  #longLeb(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < 8; scale *= 128, count++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && count > 0) fail("malformed", "over-long integer");
        if (value > Number.MAX_SAFE_INTEGER) fail("range", "integer past 2^53 - 1");
        return value;
      }
    }
    fail("malformed", "integer of more than 8 bytes");
  }

  /** A count of elements that take at least `leastBits` each, checked before anybody makes room for them. */
  count(leastBits: number): number {
    const count = this.leb();
    if (leastBits === 0) this.charge(count);
    else if (count * leastBits > (this.end - this.pos) * 8 || (this.claims -= count * leastBits) < 0) {
      truncated();
    }
    return count;
  }

  /** Takes `count` values from the budget for values that no byte pays for. */
  charge(count: number): void {
    this.budget -= count;
    if (this.budget < 0) fail("limit", "more free values than the message's size allows");
  }

  string(): string {
    const size = this.leb();
    return size < 0x80000000 ? this.text.take(size >>> 1, (size & 1) === 1) : truncated();
  }
}
