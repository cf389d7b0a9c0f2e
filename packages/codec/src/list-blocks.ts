/** The dense form of `uint` and `int` lists: blocks of values of one width. */
import { fail, truncated } from "./fault.ts";
import { doubles, wrongItem } from "./lists.ts";
import type { List, ListIn } from "./node.ts";
import type { Writer } from "./writer.ts";

/** Values per block. */
const BLOCK = 64;
/**
 * Where numbers of so many bytes end, from 4 bytes on. Those of 7 bytes are counted from -0x38000000000000 (normative): an integer below this
 * limit lies in the lowest bytes of its sum with 1.5 × 2^52 = 6755399441055744, be it of 5, 6 or 7 bytes, ready to be
 * stored. Such numbers stand as literals in the loops, where a constant of the module would be looked up for each value.
 */
const LIMITS: readonly number[] = [0, 0, 0, 0, 0x8000_0000, 0x80_0000_0000, 0x8000_0000_0000, 0x8_0000_0000_0000];

/** Blocks of 64: a byte with the width of the widest value, then all values in that many bytes. */
function int53List(name: string, lowest: number): List {
  return {
    name,
    least: (n) => n + Math.ceil(n / BLOCK),
    write(out, values, n) {
      // With the width of the block before, most blocks are checked and written in one pass. The calls of that pass stand
      // here alone, so that V8 inlines them: they take half the time then.
      let width = 4;
      for (let i = 0; i < n; i += BLOCK) {
        const stop = Math.min(i + BLOCK, n);
        out.reserve(7 * (stop - i) + 9);
        const needed =
          width > 4 ? writeWide(out, values, i, stop, width, lowest) : writeNarrow(out, values, i, stop, width, lowest);
        if (needed !== width) width = rewrite(out, values, i, stop, name, lowest);
        out.bytes[out.pos] = width;
        out.pos += 1 + width * (stop - i);
      }
    },
    read(from, n) {
      const values = doubles(n);
      for (let i = 0; i < n; i += BLOCK) readBlock(from, values, i, Math.min(i + BLOCK, n), name, lowest);
      return values;
    },
  };
}

/** Writes a block whose width was not that of the block before; gives its width. */
function rewrite(
  out: Writer,
  values: readonly unknown[],
  start: number,
  stop: number,
  name: string,
  lowest: number,
): number {
  const wrong = findWrong(values, start, stop, lowest);
  if (wrong >= 0) wrongItem(name, values[wrong], wrong);
  let width = writeNarrow(out, values, start, stop, 4, lowest);
  if (width === 4) return width;
  if (width === 0) for (width = 7; width > 5 && !isNeeded(values, start, stop, width); ) width--;
  const made =
    width > 4
      ? writeWide(out, values, start, stop, width, lowest)
      : writeNarrow(out, values, start, stop, width, lowest);
  // Else memory that nobody wrote would leave with the message: an element may be a getter.
  return made === width ? width : fail("type", `expected ${name}, got a list that changes while it is read`);
}

/** Whether any value needs so many bytes. */
function isNeeded(values: readonly unknown[], start: number, stop: number, width: number): boolean {
  const limit = LIMITS[width - 1] as number;
  for (let i = start; i < stop; i++) {
    const value = values[i] as number;
    if (value >= limit || value < -limit) return true;
  }
  return false;
}

/** Writes a block of 32-bit values at a guess; gives the width that it should have, or 0 if it is none. */
function writeNarrow(
  { view, pos: start }: Writer,
  values: readonly unknown[],
  from: number,
  stop: number,
  guess: number,
  lowest: number,
): number {
  let pos = start + 1;
  let bits = 0;
  let signs = 0;
  for (let i = from; i < stop; i++, pos += guess) {
    const value = values[i] as number;
    if ((value | 0) !== value) return 0;
    bits |= value ^ (value >> 31);
    signs |= value;
    view.setInt32(pos, value, true);
  }
  return signs < 0 && lowest === 0 ? 0 : ((32 - Math.clz32(bits)) >> 3) + 1;
}

/** The same for wider values; 0 also if fewer bytes would do, or more are needed. */
function writeWide(
  { view, pos: start }: Writer,
  values: readonly unknown[],
  from: number,
  stop: number,
  guess: number,
  lowest: number,
): number {
  const limit = LIMITS[guess] as number;
  const low = lowest === 0 ? 0 : -limit;
  let pos = start + 1;
  for (let i = from; i < stop; i++, pos += guess) {
    const value = values[i];
    if (typeof value !== "number") return 0;
    const shifted = value + 6755399441055744;
    if (value >= low && value < limit && shifted - 6755399441055744 === value) view.setFloat64(pos, shifted, true);
    else {
      if (guess < 7 || !Number.isSafeInteger(value) || value < lowest) return 0;
      view.setInt32(pos, value | 0, true);
      view.setInt32(pos + 4, Math.floor(value * 2 ** -32) + 0x380000, true);
    }
  }
  return isNeeded(values, from, stop, guess) ? guess : 0;
}

function readBlock(from: ListIn, values: number[], start: number, stop: number, name: string, lowest: number): void {
  const { view } = from;
  if (from.pos >= from.end) truncated();
  const width = from.bytes[from.pos++] as number;
  let { pos } = from;
  if (width === 0 || width > 7) fail("malformed", `list block of width ${width}`);
  if ((stop - start) * width > from.end - pos) truncated();
  let suspect = lowest === 0;
  if (width === 7) suspect = readWidest(view, pos, values, start, stop) || suspect;
  else if (width > 4) {
    const shift = 8 * (8 - width);
    const back = width - 4;
    for (let i = start; i < stop; i++, pos += width) {
      values[i] = (view.getInt32(pos + back, true) >> shift) * 4294967296 + view.getUint32(pos, true);
    }
  } else {
    for (let i = start; i < stop; i++, pos += width) values[i] = readSmall(view, pos, width);
  }
  from.pos += width * (stop - start);
  if (suspect && findWrong(values, start, stop, lowest) >= 0) fail("range", `${name} out of range`);
}

/** Reads values of 7 bytes; whether one may be out of range. */
function readWidest(view: DataView, at: number, values: number[], start: number, stop: number): boolean {
  let pos = at;
  let beyond = 0;
  for (let i = start; i < stop; i++, pos += 7) {
    const upper = view.getInt32(pos + 3, true) >>> 8;
    // Safe ones have 0x180000 to 0x57ffff; the least counts as beyond, too, as -2^53 has that upper half.
    beyond |= (upper - 0x180000) | (upper - 0x180001);
    values[i] = (upper - 0x380000) * 4294967296 + view.getUint32(pos, true);
  }
  return (beyond & 0xffc00000) !== 0;
}

/** Index of the first value that has no place in the list, or -1. */
function findWrong(values: readonly unknown[], start: number, stop: number, lowest: number): number {
  for (let i = start; i < stop; i++) {
    const value = values[i] as number;
    if (!(value >= lowest && Number.isSafeInteger(value))) return i;
  }
  return -1;
}

function readSmall(view: DataView, pos: number, width: number): number {
  if (width === 1) return view.getInt8(pos);
  if (width === 2) return view.getInt16(pos, true);
  // The byte before is the end of a value or the width of the block.
  if (width === 3) return view.getInt32(pos - 1, true) >> 8;
  return view.getInt32(pos, true);
}

export const intList: List = /* @__PURE__ */ int53List("int", -0x1f_ffff_ffff_ffff);
export const uintList: List = /* @__PURE__ */ int53List("uint", 0);
