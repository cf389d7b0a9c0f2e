/**
 * Dense forms of number lists (docs/codec-format.md, section 6). Writers find the first wrong element and say which;
 * readers never look past `from.end` for a value, though they may load past it where the buffer goes on.
 */
import { expected, fail, within } from "./fault.ts";
import type { List, ListIn, ListOut } from "./node.ts";

/** Longest list of doubles that starts as a copy of a template. Storing doubles into `new Array(n)` re-allocates it. */
const TEMPLATE_LENGTH = 16_384;
/** Values per block of a `uint` or `int` list. */
const BLOCK = 64;
/**
 * Values per call of a loop. V8 replaces the code of a long loop while it runs, and drops that code again at the loop's end
 * where what follows was never run as optimized: one loop over a list of 10,000 stayed slow for hundreds of lists. Functions
 * that return often are optimized as wholes.
 */
const CHUNK = 256;

let template: number[] | undefined;

/** An array of `n` doubles to be overwritten. */
export function doubles(n: number): number[] {
  if (n > TEMPLATE_LENGTH) return new Array<number>(n);
  if (template === undefined) {
    template = [];
    for (let i = 0; i < TEMPLATE_LENGTH; i++) template.push(0.5);
  }
  return template.slice(0, n);
}

function wrongItem(what: string, value: unknown, index: number): never {
  try {
    expected(what, value, typeof value === "number" || typeof value === "bigint" ? "range" : "type");
  } catch (error) {
    throw within(error, `[${index}]`);
  }
}

/** Values of one size, side by side. */
export function fixedList(
  name: string,
  size: number,
  put: (view: DataView, pos: number, value: unknown) => boolean,
  get: (view: DataView, pos: number) => unknown,
  create: (n: number) => unknown[] = (n) => new Array<unknown>(n),
): List {
  return {
    name,
    least: (n) => n * size,
    most: (n) => n * size,
    write(out, values, n) {
      const { view } = out;
      let { pos } = out;
      for (let i = 0; i < n; i++, pos += size) if (!put(view, pos, values[i])) wrongItem(name, values[i], i);
      out.pos = pos;
    },
    read(from, n) {
      const { view } = from;
      let { pos } = from;
      const values = create(n);
      for (let i = 0; i < n; i++, pos += size) values[i] = get(view, pos);
      from.pos = pos;
      return values;
    },
  };
}

export const f64List: List = {
  name: "f64",
  least: (n) => n * 8,
  most: (n) => n * 8,
  write(out, values, n) {
    for (let i = 0; i < n; i += CHUNK) writeDoubles(out, values, i, Math.min(i + CHUNK, n));
  },
  read(from, n) {
    const values = doubles(n);
    for (let i = 0; i < n; i += CHUNK) readDoubles(from, values, i, Math.min(i + CHUNK, n));
    return values;
  },
};

function writeDoubles(out: ListOut, values: readonly unknown[], start: number, stop: number): void {
  const { view } = out;
  let { pos } = out;
  // NaN if any value is, or for two infinities. Asking each value would make an object of it.
  let sum = 0;
  for (let i = start; i < stop; i++, pos += 8) {
    const value = values[i];
    if (typeof value !== "number") wrongItem("f64", value, i);
    view.setFloat64(pos, value, true);
    sum += value;
  }
  out.pos = pos;
  if (sum === sum) return;
  for (let i = stop; i > start; ) {
    pos -= 8;
    if (Number.isNaN(values[--i])) view.setFloat64(pos, Number.NaN, true);
  }
}

function readDoubles(from: ListIn, values: number[], start: number, stop: number): void {
  const { view } = from;
  let { pos } = from;
  let i = start;
  for (; i + 4 <= stop; i += 4, pos += 32) {
    const a = view.getFloat64(pos, true);
    const b = view.getFloat64(pos + 8, true);
    const c = view.getFloat64(pos + 16, true);
    const d = view.getFloat64(pos + 24, true);
    values[i] = a;
    values[i + 1] = b;
    values[i + 2] = c;
    values[i + 3] = d;
  }
  for (; i < stop; i++, pos += 8) values[i] = view.getFloat64(pos, true);
  from.pos = pos;
}

/** Bytes of a u32 less one, by its leading zeros. */
function width32(value: number): number {
  // No branches: widths in a list are as good as random.
  return 3 - (Math.clz32(value | 1) >> 3);
}

const MASK32: readonly number[] = [0xff, 0xffff, 0xffffff, -1];

/** Group varint: a control byte with four 2-bit widths, then the four values, zigzag if signed, in 1 to 4 bytes. */
function groupList(name: string, signed: boolean): List {
  return {
    name,
    least: leastGroups,
    most: (n) => n * 4 + Math.ceil(n / 4) + 4,
    write(out, values, n) {
      for (let i = 0; i < n; i += CHUNK) writeGroups(out, values, i, Math.min(i + CHUNK, n), signed);
    },
    read(from, n) {
      const values = new Array<number>(n);
      let i = 0;
      while (i + 4 <= n) {
        const next = readGroups(from, values, i, Math.min(i + CHUNK, n), signed);
        if (next === i) break;
        i = next;
      }
      if (i < n) readTail32(from, values, i, n, signed);
      return values;
    },
  };
}

function writeGroups(out: ListOut, values: readonly unknown[], start: number, stop: number, signed: boolean): void {
  const { bytes, view } = out;
  let { pos } = out;
  for (let i = start; i < stop; ) {
    const control = pos++;
    let widths = 0;
    const end = Math.min(i + 4, stop);
    for (let shift = 0; i < end; i++, shift += 2) {
      const value = values[i] as number;
      const int = value | 0;
      if (int !== value ? signed || value >>> 0 !== value : int < 0 && !signed) {
        wrongItem(signed ? "i32" : "u32", value, i);
      }
      const bits = signed ? (int << 1) ^ (int >> 31) : int;
      const width = width32(bits);
      view.setInt32(pos, bits, true);
      pos += width + 1;
      widths |= width << shift;
    }
    bytes[control] = widths;
  }
  out.pos = pos;
}

/** Reads whole groups while a load of four bytes stays inside the buffer; gives the index of the first value left. */
function readGroups(from: ListIn, values: number[], start: number, stop: number, signed: boolean): number {
  const { bytes, view } = from;
  let { pos } = from;
  const fast = Math.min(from.end, view.byteLength - 20);
  const shift = signed ? 1 : 0;
  let seen = 0;
  let i = start;
  for (; i + 4 <= stop && pos <= fast; i += 4) {
    const widths = bytes[pos++] as number;
    const a = widths & 3;
    const x = view.getInt32(pos, true) & (MASK32[a] as number);
    pos += a + 1;
    const b = (widths >> 2) & 3;
    const y = view.getInt32(pos, true) & (MASK32[b] as number);
    pos += b + 1;
    const c = (widths >> 4) & 3;
    const z = view.getInt32(pos, true) & (MASK32[c] as number);
    pos += c + 1;
    const d = widths >> 6;
    const w = view.getInt32(pos, true) & (MASK32[d] as number);
    pos += d + 1;
    values[i] = (x >>> shift) ^ -(x & shift);
    values[i + 1] = (y >>> shift) ^ -(y & shift);
    values[i + 2] = (z >>> shift) ^ -(z & shift);
    values[i + 3] = (w >>> shift) ^ -(w & shift);
    seen |= x | y | z | w;
  }
  from.pos = pos;
  // As 32-bit integers only: a choice between two forms would make a double of each.
  if (shift === 0 && seen < 0) for (let k = start; k < i; k++) values[k] = (values[k] as number) >>> 0;
  return i;
}

export const u32List: List = /* @__PURE__ */ groupList("u32", false);
export const i32List: List = /* @__PURE__ */ groupList("i32", true);

function leastGroups(n: number): number {
  return n + Math.ceil(n / 4);
}

function readTail32(from: ListIn, values: number[], start: number, n: number, signed: boolean): void {
  const { bytes } = from;
  for (let i = start; i < n; ) {
    let widths = nextByte(from);
    for (const stop = Math.min(i + 4, n); i < stop; i++, widths >>= 2) {
      let value = 0;
      const width = (widths & 3) + 1;
      if (width > from.end - from.pos) fail("truncated", "list ends inside a value");
      for (let k = 0; k < width; k++) value |= (bytes[from.pos++] as number) << (8 * k);
      values[i] = signed ? (value >>> 1) ^ -(value & 1) : value >>> 0;
    }
    if (widths !== 0) fail("malformed", "unused widths are not zero");
  }
}

function nextByte(from: ListIn): number {
  if (from.pos >= from.end) fail("truncated", "list ends inside a value");
  return from.bytes[from.pos++] as number;
}

/** Upper halves from here on are those of unsafe integers, or of the least safe ones. */
const MOST_UPPER = 0x1fffff;
/** More than the sum of a block of safe integers. */
const MOST_SUM = 2 ** 60;

/** Blocks of 64: a byte with the width of the widest value, then all values in that many bytes, two's complement. */
function int53List(name: string, lowest: number): List {
  return {
    name,
    least: (n) => n + Math.ceil(n / BLOCK),
    most: (n) => n * 7 + Math.ceil(n / BLOCK) + 8,
    write(out, values, n) {
      // With the width of the block before, most blocks are checked and written in one pass. The calls of that pass stand
      // here alone, so that V8 inlines them: they take half the time then.
      let width = 4;
      for (let i = 0; i < n; i += BLOCK) {
        const stop = Math.min(i + BLOCK, n);
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
  out: ListOut,
  values: readonly unknown[],
  start: number,
  stop: number,
  name: string,
  lowest: number,
): number {
  let width = writeNarrow(out, values, start, stop, 4, lowest);
  if (width > 0) {
    if (width < 4) writeNarrow(out, values, start, stop, width, lowest);
    return width;
  }
  const wrong = findWrong(values, start, stop, lowest);
  if (wrong >= 0) wrongItem(name, values[wrong], wrong);
  width = writeWide(out, values, start, stop, 5, lowest);
  if (width > 5) writeWide(out, values, start, stop, width, lowest);
  return Math.max(width, 5);
}

/** Writes a block of 32-bit values at a guess; gives the width that it should have, or 0 if it is none. */
function writeNarrow(
  { view, pos: start }: ListOut,
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

/** The same for wider values; 0 also if it may be a narrow block. */
function writeWide(
  { view, pos: start }: ListOut,
  values: readonly unknown[],
  from: number,
  stop: number,
  guess: number,
  lowest: number,
): number {
  let pos = start + 1;
  // Bits that any upper half needs, sign apart.
  let bits = 0;
  let signs = 0;
  let sum = 0;
  for (let i = from; i < stop; i++, pos += guess) {
    const value = values[i];
    if (typeof value !== "number" || Math.floor(value) !== value) return 0;
    sum += Math.abs(value);
    const high = Math.floor(value * 2 ** -32) | 0;
    bits |= high ^ (high >> 31);
    signs |= high;
    view.setInt32(pos, value | 0, true);
    view.setInt32(pos + 4, high, true);
  }
  // Past 2^63 a value may have no upper half, but then it shows in the sum.
  if (bits === 0 || sum > MOST_SUM || (signs < 0 && lowest === 0)) return 0;
  if (bits >= MOST_UPPER && findWrong(values, from, stop, lowest) >= 0) return 0;
  return ((64 - Math.clz32(bits)) >> 3) + 1;
}

function readBlock(from: ListIn, values: number[], start: number, stop: number, name: string, lowest: number): void {
  const { view } = from;
  const width = nextByte(from);
  let { pos } = from;
  if (width === 0 || width > 7) fail("malformed", `list block of width ${width}`);
  if ((stop - start) * width > from.end - pos) fail("truncated", "list ends inside a value");
  if (width > 4) {
    const shift = 8 * (8 - width);
    const back = width - 4;
    for (let i = start; i < stop; i++, pos += width) {
      values[i] = (view.getInt32(pos + back, true) >> shift) * 4294967296 + view.getUint32(pos, true);
    }
  } else {
    for (let i = start; i < stop; i++, pos += width) values[i] = readSmall(view, pos, width);
  }
  from.pos = pos;
  if (width === 7 || lowest === 0) {
    for (let i = start; i < stop; i++) {
      const value = values[i] as number;
      if (value < lowest || value > Number.MAX_SAFE_INTEGER) fail("range", `${name} out of range`);
    }
  }
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

/** The same memory as a bigint and as its halves, the lower one first. */
const memory = /* @__PURE__ */ new ArrayBuffer(8);
const whole: BigUint64Array = /* @__PURE__ */ new BigUint64Array(memory);
const halves: Int32Array = /* @__PURE__ */ new Int32Array(memory);
const wholeSigned: BigInt64Array = /* @__PURE__ */ new BigInt64Array(memory);

/** Two values after a control byte with two 4-bit widths, 0 to 8 bytes each; negative numbers are zigzag. */
function big64List(name: string, signed: boolean): List {
  return {
    name,
    least: (n) => Math.ceil(n / 2),
    most: (n) => n * 8 + Math.ceil(n / 2) + 8,
    write(out, values, n) {
      const { bytes, view } = out;
      let { pos } = out;
      let control = 0;
      for (let i = 0; i < n; i++) {
        const value = values[i] as bigint;
        if (typeof value !== "bigint") wrongItem(name, value, i);
        if ((i & 1) === 0) control = pos++;
        // Storing cuts a bigint to 64 bits; by memory, because arithmetic on bigints is ten times slower.
        if ((signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) !== value) wrongItem(name, value, i);
        whole[0] = value;
        let low = halves[0] as number;
        let high = halves[1] as number;
        if (signed) {
          const sign = high >> 31;
          high = ((high << 1) | (low >>> 31)) ^ sign;
          low = (low << 1) ^ sign;
        }
        view.setInt32(pos, low, true);
        view.setInt32(pos + 4, high, true);
        const width = width64(low, high);
        bytes[control] = (i & 1) === 0 ? width : (bytes[control] as number) | (width << 4);
        pos += width;
      }
      out.pos = pos;
    },
    read(from, n) {
      const { bytes, view } = from;
      const values = new Array<bigint>(n);
      const fast = Math.min(from.end, view.byteLength - 20);
      let { pos } = from;
      let widths = 0;
      for (let i = 0; i < n; i++) {
        if ((i & 1) === 0) {
          from.pos = pos;
          widths = nextByte(from);
          pos++;
        } else widths >>= 4;
        const width = widths & 15;
        if (width > 8 || (i === n - 1 && widths >> 4 !== 0 && (i & 1) === 0))
          fail("malformed", "impossible list width");
        if (width === 8 && pos <= fast) {
          values[i] = big(view.getInt32(pos, true), view.getInt32(pos + 4, true), signed);
        } else if (pos <= fast) {
          let low = view.getInt32(pos, true);
          let high = 0;
          if (width > 4) high = view.getInt32(pos + width - 4, true) >>> (8 * (8 - width));
          else low = width === 0 ? 0 : low & (MASK32[width - 1] as number);
          values[i] = big(low, high, signed);
        } else {
          if (width > from.end - pos) fail("truncated", "list ends inside a value");
          let low = 0;
          let high = 0;
          for (let k = 0; k < width; k++) {
            if (k < 4) low |= (bytes[pos + k] as number) << (8 * k);
            else high |= (bytes[pos + k] as number) << (8 * (k - 4));
          }
          values[i] = big(low, high, signed);
        }
        pos += width;
      }
      from.pos = pos;
      return values;
    },
  };
}

function width64(low: number, high: number): number {
  if (high !== 0) return 8 - (Math.clz32(high) >> 3);
  return 4 - (Math.clz32(low) >> 3);
}

/** A bigint from two halves. */
function big(low: number, high: number, signed: boolean): bigint {
  if (!signed) {
    halves[0] = low;
    halves[1] = high;
    return whole[0] as bigint;
  }
  const sign = -(low & 1);
  halves[0] = ((low >>> 1) | (high << 31)) ^ sign;
  halves[1] = (high >>> 1) ^ sign;
  return wholeSigned[0] as bigint;
}

export const u64List: List = /* @__PURE__ */ big64List("u64", false);
export const i64List: List = /* @__PURE__ */ big64List("i64", true);
