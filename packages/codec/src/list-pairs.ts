/** The dense form of `u64` and `i64` lists: pairs behind a byte with both widths. */
import { fail } from "./fault.ts";
import { CHUNK, readAll, wrongItem } from "./lists.ts";
import type { List, ListIn } from "./node.ts";
import type { Writer } from "./writer.ts";

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
    putBig(0, values[i], i, name, signed);
    // A missing partner is as good as 0, which has no bytes.
    putBig(1, i + 1 < stop ? values[i + 1] : 0n, i + 1, name, signed);
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

/** Puts element `i` into memory, as arithmetic on bigints is ten times slower; what comes back tells whether it has 64 bits. */
function putBig(k: number, value: unknown, i: number, name: string, signed: boolean): void {
  if (typeof value !== "bigint") wrongItem(name, value, i);
  whole[k] = value;
  if ((signed ? wholeSigned[k] : whole[k]) !== value) wrongItem(name, value, i);
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
