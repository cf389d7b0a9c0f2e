/** The dense form of `f64` lists: eight bytes each. */
import { CHUNK, doubles, wrongItem } from "./lists.ts";
import type { List, ListIn } from "./node.ts";
import type { Writer } from "./writer.ts";

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
