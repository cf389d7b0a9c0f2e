// Floors of the lists of numbers.
import { type Floors, Slab, refuse } from "./floor.ts";

const COUNT = 10_000;
const zeros: readonly number[] = Array.from({ length: COUNT }, () => 0);
const slab = new Slab(524_288);

/** Groups of four behind a byte with their widths. */
export const i32: Floors = {
  decode: {
    checked: (bytes: Buffer) => readGroups(bytes, true),
    unchecked: (bytes: Buffer) => readGroups(bytes, false),
  },
};

function readGroups(bytes: Buffer, checked: boolean): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = zeros.slice();
  // The last three groups end too near the end of memory for loads of whole words.
  const last = Buffer.alloc(80);
  let pos = 2;
  let i = 0;
  for (; i < COUNT - 12; i += 256) pos = readSome(view, values, pos, i, Math.min(i + 256, COUNT - 12));
  bytes.copy(last, 0, pos);
  const end = readSome(new DataView(last.buffer, last.byteOffset, 80), values, 0, COUNT - 12, COUNT);
  if (checked && pos + end !== bytes.length) refuse();
  return values;
}

function readSome(view: DataView, values: number[], start: number, from: number, to: number): number {
  let pos = start;
  for (let i = from; i < to; i += 4) {
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
    values[i] = (x >>> 1) ^ -(x & 1);
    values[i + 1] = (y >>> 1) ^ -(y & 1);
    values[i + 2] = (z >>> 1) ^ -(z & 1);
    values[i + 3] = (w >>> 1) ^ -(w & 1);
  }
  return pos;
}

const memory = new ArrayBuffer(16);
const whole = new BigUint64Array(memory);
const halves = new Int32Array(memory);

/** Pairs behind a byte with their widths. */
export const u64: Floors = {
  encode: {
    checked: (values: readonly bigint[]) => writePairs(values, writeSomeChecked),
    unchecked: (values: readonly bigint[]) => writePairs(values, writeSome),
  },
};

type WriteSome = (values: readonly bigint[], bytes: Buffer, view: DataView, start: number) => number;

function writePairs(values: readonly bigint[], write: WriteSome): Uint8Array {
  const start = slab.take(9 * values.length + 32);
  slab.bytes[start] = (values.length & 127) | 128;
  slab.bytes[start + 1] = values.length >> 7;
  return slab.message(start, write(values, slab.bytes, slab.view, start + 2));
}

function writeSome(values: readonly bigint[], bytes: Buffer, view: DataView, start: number): number {
  let pos = start;
  for (let i = 0; i < values.length; i += 2) {
    whole[0] = values[i] as bigint;
    whole[1] = values[i + 1] as bigint;
    pos = writePair(bytes, view, pos);
  }
  return pos;
}

function writeSomeChecked(values: readonly bigint[], bytes: Buffer, view: DataView, start: number): number {
  let pos = start;
  for (let i = 0; i < values.length; i += 2) {
    const a = values[i] as bigint;
    const b = values[i + 1] as bigint;
    if (BigInt.asUintN(64, a) !== a || BigInt.asUintN(64, b) !== b) refuse();
    whole[0] = a;
    whole[1] = b;
    pos = writePair(bytes, view, pos);
  }
  return pos;
}

function writePair(bytes: Buffer, view: DataView, pos: number): number {
  const lowA = halves[0] as number;
  const highA = halves[1] as number;
  const lowB = halves[2] as number;
  const highB = halves[3] as number;
  const widthA = width64(lowA, highA);
  const widthB = width64(lowB, highB);
  bytes[pos] = widthA | (widthB << 4);
  view.setInt32(pos + 1, lowA, true);
  view.setInt32(pos + 5, highA, true);
  const second = pos + 1 + widthA;
  view.setInt32(second, lowB, true);
  view.setInt32(second + 4, highB, true);
  return second + widthB;
}

function width64(low: number, high: number): number {
  return high !== 0 ? 8 - (Math.clz32(high) >> 3) : 4 - (Math.clz32(low) >> 3);
}

/** Eight bytes each; without its checks it does not look for a NaN. */
export const f64: Floors = {
  encode: {
    checked: (values: readonly number[]) => writeDoubles(values, true),
    unchecked: (values: readonly number[]) => writeDoubles(values, false),
  },
};

function writeDoubles(values: readonly number[], checked: boolean): Uint8Array {
  const start = slab.take(8 * COUNT + 2);
  const { bytes, view } = slab;
  bytes[start] = (COUNT & 127) | 128;
  bytes[start + 1] = COUNT >> 7;
  let pos = start + 2;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < COUNT; i += 4, pos += 32) {
    const a = values[i] as number;
    const b = values[i + 1] as number;
    const c = values[i + 2] as number;
    const d = values[i + 3] as number;
    view.setFloat64(pos, a, true);
    view.setFloat64(pos + 8, b, true);
    view.setFloat64(pos + 16, c, true);
    view.setFloat64(pos + 24, d, true);
    if (!checked) continue;
    even += a + c;
    odd += b + d;
  }
  if (checked && !(even === even && odd === odd)) refuse();
  return slab.message(start, pos);
}
