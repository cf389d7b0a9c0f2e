/** The dense form of `u32` and `i32` lists. */
import { fail } from "./fault.ts";
import { CHUNK, copies, readAll, wrongItem } from "./lists.ts";
import type { List, ListIn } from "./node.ts";
import type { Writer } from "./writer.ts";

/** Group varint: a control byte with four 2-bit widths, then the four values, zigzag if signed, in 1 to 4 bytes. */
function groupList(name: string, signed: boolean): List {
  return {
    name,
    least: (n) => n + Math.ceil(n / 4),
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
