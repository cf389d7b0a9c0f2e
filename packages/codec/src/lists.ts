/**
 * What the dense forms of number lists share (docs/codec-format.md, section 6). Writers find the first wrong element and say
 * which; readers never look past `from.end` for a value, though they may load past it where the buffer goes on.
 */
import { expectedNumber, truncated, within } from "./fault.ts";
import type { List, ListIn } from "./node.ts";

/**
 * Longest list of numbers that starts as a copy of a template: that has no holes, and storing doubles into `new Array(n)`
 * re-allocates it.
 */
const TEMPLATE_LENGTH = 16_384;
/**
 * Values per call of a loop. V8 replaces the code of a long loop while it runs, and drops that code again at the loop's end
 * where what follows was never run as optimized: one loop over a list of 10,000 stayed slow for hundreds of lists. Functions
 * that return often are optimized as wholes.
 */
export const CHUNK = 256;

const templates: number[][] = [];
/** The last bytes of a list, fewer than 20, with zeros behind. */
const tail: Uint8Array = /* @__PURE__ */ new Uint8Array(64);

/** An array of `n` doubles to be overwritten. */
export function doubles(n: number): number[] {
  return copies(0.5, n);
}

/** `n` times a number of the kind that will overwrite it. */
export function copies(sample: number, n: number): number[] {
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
    expectedNumber(what, value);
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
      const values = new Array<unknown>(n);
      for (let i = 0; i < n; i++, pos += size) values[i] = get(view, pos);
      from.pos = pos;
      return values;
    },
  };
}

/** Reads by calls that give the index of the first value left. */
export function readAll(from: ListIn, n: number, read: (from: ListIn, i: number) => number): void {
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
