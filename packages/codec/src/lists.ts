/**
 * Dense forms of number lists (docs/codec-format.md, section 6). Writers find the first wrong element and say which;
 * readers never look past `from.end` for a value, though they may load past it where the buffer goes on.
 */
import { expected, fail, truncated, within } from "./fault.ts";
import type { List, ListIn } from "./node.ts";
import type { Writer } from "./writer.ts";

/**
 * Longest list of numbers that starts as a copy of a template: that has no holes, and storing doubles into `new Array(n)`
 * re-allocates it.
 */
const TEMPLATE_LENGTH = 16_384;
/** Values per block of a `uint` or `int` list. */
const BLOCK = 64;
/**
 * Values per call of a loop. V8 replaces the code of a long loop while it runs, and drops that code again at the loop's end
 * where what follows was never run as optimized: one loop over a list of 10,000 stayed slow for hundreds of lists. Functions
 * that return often are optimized as wholes.
 */
const CHUNK = 256;

const templates: number[][] = [];
/** The last bytes of a list, fewer than 20, with zeros behind. */
const tail: Uint8Array = /* @__PURE__ */ new Uint8Array(64);

/** An array of `n` doubles to be overwritten. */
export function doubles(n: number): number[] {
  return copies(0.5, n);
}

/** `n` times a number of the kind that will overwrite it. */
function copies(sample: number, n: number): number[] {
  if (n > TEMPLATE_LENGTH) return new Array<number>(n);
  let template = templates[sample * 2];
  if (template === undefined) {
    template = templates[sample * 2] = [];
    for (let i = 0; i < TEMPLATE_LENGTH; i++) template.push(sample);
  }
  return template.slice(0, n);
}

/** Refuses the element at `index`. */
export function wrongItem(what: string, value: unknown, index: number): never {
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
    write(out, values, n) {
      out.reserve(n * size);
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
  write(out, values, n) {
    out.reserve(n * 8);
    for (let i = 0; i < n; i += CHUNK) writeDoubles(out, values, i, Math.min(i + CHUNK, n));
  },
  read(from, n) {
    const values = doubles(n);
    for (let i = 0; i < n; i += CHUNK) readDoubles(from, values, i, Math.min(i + CHUNK, n));
    return values;
  },
};

function writeDoubles(out: Writer, values: readonly unknown[], start: number, stop: number): void {
  const { view } = out;
  let { pos } = out;
  // NaN if any value is, or for two infinities. Asking each value would make an object of it; one sum would wait for itself.
  let even = 0;
  let odd = 0;
  let i = start;
  for (; i + 4 <= stop; i += 4, pos += 32) {
    const a = values[i];
    const b = values[i + 1];
    const c = values[i + 2];
    const d = values[i + 3];
    if (typeof a !== "number" || typeof b !== "number" || typeof c !== "number" || typeof d !== "number") break;
    view.setFloat64(pos, a, true);
    view.setFloat64(pos + 8, b, true);
    view.setFloat64(pos + 16, c, true);
    view.setFloat64(pos + 24, d, true);
    even += a + c;
    odd += b + d;
  }
  for (; i < stop; i++, pos += 8) {
    const value = values[i];
    if (typeof value !== "number") wrongItem("f64", value, i);
    view.setFloat64(pos, value, true);
    even += value;
  }
  out.pos = pos;
  if (even === even && odd === odd) return;
  while (i > start) {
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

/** Group varint: a control byte with four 2-bit widths, then the four values, zigzag if signed, in 1 to 4 bytes. */
function groupList(name: string, signed: boolean): List {
  return {
    name,
    least: leastGroups,
    write(out, values, n) {
      for (let i = 0; i < n; i += CHUNK) writeGroups(out, values, i, Math.min(i + CHUNK, n), signed);
    },
    read(from, n) {
      // Whole groups only: what the last one lacks was written as nothing, and is cut off again.
      const lacking = -n & 3;
      const values = copies(0, n + lacking);
      readAll(from, n, (here, i) => readGroups(here, values, i, Math.min(i + CHUNK, n), signed));
      values.length = n;
      return values;
    },
  };
}

/** Reads by calls that give the index of the first value left. */
function readAll(from: ListIn, n: number, read: (from: ListIn, i: number) => number): void {
  let i = 0;
  for (let next = read(from, 0); next > i; next = read(from, i)) i = next;
  if (i >= n) return;
  // What is left lies too near the end of memory for loads of whole words.
  const start = from.pos;
  const end = from.end - start;
  tail.fill(0);
  for (let k = 0; k < end; k++) tail[k] = from.bytes[start + k] as number;
  const rest: ListIn = { bytes: tail, view: new DataView(tail.buffer), pos: 0, end };
  read(rest, i);
  if (rest.pos > end) truncated();
  from.pos = start + rest.pos;
}

function writeGroups(out: Writer, values: readonly unknown[], start: number, stop: number, signed: boolean): void {
  out.reserve(5 * (stop - start) + 8);
  const { view } = out;
  let { pos } = out;
  const shift = signed ? 1 : 0;
  let i = start;
  for (; i < stop; i += 4) {
    const left = stop - i;
    const a = values[i] as number;
    const b = left > 1 ? (values[i + 1] as number) : 0;
    const c = left > 2 ? (values[i + 2] as number) : 0;
    const d = left > 3 ? (values[i + 3] as number) : 0;
    if ((a | 0) !== a || (b | 0) !== b || (c | 0) !== c || (d | 0) !== d || (!signed && (a | b | c | d) < 0)) {
      // A u32 may also be past 2^31.
      for (let k = i; k < i + 4 && k < stop; k++) {
        const value = values[k] as number;
        if ((signed ? value | 0 : value >>> 0) !== value) wrongItem(signed ? "i32" : "u32", value, k);
      }
    }
    const x = (a << shift) ^ ((a >> 31) & -shift);
    const y = (b << shift) ^ ((b >> 31) & -shift);
    const z = (c << shift) ^ ((c >> 31) & -shift);
    const w = (d << shift) ^ ((d >> 31) & -shift);
    // Bytes that each does not need. No branches: widths in a list are as good as random.
    const e = Math.clz32(x | 1) >> 3;
    const f = Math.clz32(y | 1) >> 3;
    const g = Math.clz32(z | 1) >> 3;
    const h = Math.clz32(w | 1) >> 3;
    const second = pos + 5 - e;
    const third = second + 4 - f;
    const fourth = third + 4 - g;
    view.setInt32(pos + 1, x, true);
    view.setInt32(second, y, true);
    view.setInt32(third, z, true);
    view.setInt32(fourth, w, true);
    view.setUint8(pos, (e | (f << 2) | (g << 4) | (h << 6)) ^ 0xff);
    pos = fourth + 4 - h;
  }
  // Those that the last group lacks stand in it as a zero of one byte each.
  out.pos = pos - (i - stop);
}

/** Reads groups while loads stay inside the buffer; gives the index of the first value left. */
function readGroups(from: ListIn, values: number[], start: number, stop: number, signed: boolean): number {
  const { view } = from;
  let { pos } = from;
  const fast = Math.min(from.end, view.byteLength - 20);
  const shift = signed ? 1 : 0;
  let seen = 0;
  let i = start;
  for (; i < stop && pos <= fast; i += 4) {
    const widths = view.getUint8(pos);
    const a = widths & 3;
    const b = (widths >> 2) & 3;
    const c = (widths >> 4) & 3;
    const d = widths >> 6;
    const second = pos + 2 + a;
    const third = second + 1 + b;
    const fourth = third + 1 + c;
    const x = view.getInt32(pos + 1, true) & (-1 >>> (24 - 8 * a));
    const y = view.getInt32(second, true) & (-1 >>> (24 - 8 * b));
    const z = view.getInt32(third, true) & (-1 >>> (24 - 8 * c));
    const w = view.getInt32(fourth, true) & (-1 >>> (24 - 8 * d));
    pos = fourth + 1 + d;
    values[i] = (x >>> shift) ^ -(x & shift);
    values[i + 1] = (y >>> shift) ^ -(y & shift);
    values[i + 2] = (z >>> shift) ^ -(z & shift);
    values[i + 3] = (w >>> shift) ^ -(w & shift);
    seen |= x | y | z | w;
    const left = stop - i;
    if (left < 4) {
      if (widths >> (2 * left) !== 0) fail("malformed", "unused widths are not zero");
      pos += left - 4;
    }
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

function nextByte(from: ListIn): number {
  if (from.pos >= from.end) truncated();
  return from.bytes[from.pos++] as number;
}

/**
 * Where numbers of so many bytes end. Those of 7 bytes are counted from -0x38000000000000 (normative): an integer below this
 * limit lies in the lowest bytes of its sum with 1.5 × 2^52 = 6755399441055744, be it of 5, 6 or 7 bytes, ready to be
 * stored. Such numbers stand as literals in the loops, where a constant of the module would be looked up for each value.
 */
const LIMITS: readonly number[] = [0, 2 ** 7, 2 ** 15, 2 ** 23, 2 ** 31, 2 ** 39, 2 ** 47, 2 ** 51];

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
  const width = nextByte(from);
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

/** The same memory as two bigints and as their halves, the lower ones first. */
const memory = /* @__PURE__ */ new ArrayBuffer(16);
export const whole: BigUint64Array = /* @__PURE__ */ new BigUint64Array(memory);
export const halves: Int32Array = /* @__PURE__ */ new Int32Array(memory);
const wholeSigned: BigInt64Array = /* @__PURE__ */ new BigInt64Array(memory);

/** What is left of the lower and the upper half of a value, by its width. */
const LOWER: readonly number[] = [0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1];
const UPPER: readonly number[] = [0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1];

/** Two values after a control byte with two 4-bit widths, 0 to 8 bytes each; negative numbers are zigzag. */
function big64List(name: string, signed: boolean): List {
  return {
    name,
    least: (n) => Math.ceil(n / 2),
    write(out, values, n) {
      for (let i = 0; i < n; i += CHUNK) writeBigs(out, values, i, Math.min(i + CHUNK, n), name, signed);
    },
    read(from, n) {
      const values = new Array<bigint>(n);
      readAll(from, n, (here, i) => readBigs(here, values, i, n, signed));
      return values;
    },
  };
}

function readBigs(from: ListIn, values: bigint[], start: number, stop: number, signed: boolean): number {
  const { view } = from;
  const numbers = signed ? wholeSigned : whole;
  const [parts, lower, upper] = [halves, LOWER, UPPER];
  const fast = Math.min(from.end, view.byteLength - 20);
  let { pos } = from;
  let i = start;
  for (; i < stop && pos <= fast; i += 2) {
    const widths = view.getUint8(pos++);
    const widthA = widths & 15;
    const widthB = widths >> 4;
    const last = i + 1 === stop;
    if (widthA > 8 || widthB > (last ? 0 : 8)) fail("malformed", "impossible list width");
    const second = pos + widthA;
    parts[0] = view.getInt32(pos, true) & (lower[widthA] as number);
    parts[1] = view.getInt32(pos + 4, true) & (upper[widthA] as number);
    parts[2] = view.getInt32(second, true) & (lower[widthB] as number);
    parts[3] = view.getInt32(second + 4, true) & (upper[widthB] as number);
    pos = second + widthB;
    if (signed) for (let k = 0; k < 4; k += 2) unzigzag64(k);
    values[i] = numbers[0] as bigint;
    if (!last) values[i + 1] = numbers[1] as bigint;
  }
  from.pos = pos;
  return i;
}

function writeBigs(
  out: Writer,
  values: readonly unknown[],
  start: number,
  stop: number,
  name: string,
  signed: boolean,
): void {
  out.reserve(9 * (stop - start) + 16);
  const { bytes, view } = out;
  let { pos } = out;
  for (let i = start; i < stop; i += 2) {
    const a = values[i] as bigint;
    // A missing partner is as good as 0, which has no bytes.
    const b = i + 1 < stop ? (values[i + 1] as bigint) : 0n;
    if (typeof a !== "bigint" || (signed ? BigInt.asIntN(64, a) : BigInt.asUintN(64, a)) !== a) wrongItem(name, a, i);
    if (typeof b !== "bigint" || (signed ? BigInt.asIntN(64, b) : BigInt.asUintN(64, b)) !== b)
      wrongItem(name, b, i + 1);
    // By memory, because arithmetic on bigints is ten times slower.
    whole[0] = a;
    whole[1] = b;
    if (signed) for (let k = 0; k < 4; k += 2) zigzag64(k);
    const lowA = halves[0] as number;
    const highA = halves[1] as number;
    const lowB = halves[2] as number;
    const highB = halves[3] as number;
    const widthA = width64(lowA, highA);
    const widthB = width64(lowB, highB);
    bytes[pos] = widthA | (widthB << 4);
    view.setInt32(pos + 1, lowA, true);
    view.setInt32(pos + 5, highA, true);
    pos += 1 + widthA;
    view.setInt32(pos, lowB, true);
    view.setInt32(pos + 4, highB, true);
    pos += widthB;
  }
  out.pos = pos;
}

/** Gives the number whose halves lie at `k` its zigzag form. */
function zigzag64(k: number): void {
  const low = halves[k] as number;
  const high = halves[k + 1] as number;
  halves[k] = (low << 1) ^ (high >> 31);
  halves[k + 1] = ((high << 1) | (low >>> 31)) ^ (high >> 31);
}

function unzigzag64(k: number): void {
  const low = halves[k] as number;
  const high = halves[k + 1] as number;
  halves[k] = ((low >>> 1) | (high << 31)) ^ -(low & 1);
  halves[k + 1] = (high >>> 1) ^ -(low & 1);
}

function width64(low: number, high: number): number {
  if (high !== 0) return 8 - (Math.clz32(high) >> 3);
  return 4 - (Math.clz32(low) >> 3);
}

export const u64List: List = /* @__PURE__ */ big64List("u64", false);
export const i64List: List = /* @__PURE__ */ big64List("i64", true);
