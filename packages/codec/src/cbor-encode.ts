import { toHalf } from "./cbor-half.ts";
import { findNode, innerNode, type KeyNode, rootNode, writeKey } from "./cbor-keys.ts";
import {
  CBOR_MAX_BIGNUM_BYTES,
  CBOR_MAX_DEPTH,
  orderBytes,
  Simple,
  TAG_BIGNUM,
  TAG_DATE_SECONDS,
  TAG_MAP,
  TAG_NEGATIVE_BIGNUM,
  TAG_SET,
  TAG_TYPED_ARRAY,
  Tagged,
  TYPED_ARRAYS,
} from "./cbor-tags.ts";
import { insertHead, putHead, writeHead, writeText } from "./cbor-text.ts";
import { describe, fieldSegment, tagOf } from "./codec-error.ts";
import { expected, Fault, fail, toCodecError, within } from "./fault.ts";
import { halves, whole } from "./list-pairs.ts";
import { readLatin1 } from "./text-encodings.ts";
import type { Writer } from "./writer.ts";

/** Options of {@link encodeCbor}. */
export interface CborEncodeOptions {
  /**
   * Sorts the entries of objects and Maps by the bytes of their keys (RFC 8949 section 4.2.1), so that equal values
   * have equal bytes whatever the order of their keys. Sets keep their order. Default `false`: the order of the value.
   */
  readonly deterministic?: boolean | undefined;
  /** Levels of arrays, maps and tags inside each other. Default {@link CBOR_MAX_DEPTH}. */
  readonly maxDepth?: number | undefined;
}

/** Numbers written by one call: V8 drops the code of loops that run for long (decision 10). */
const NUMBERS_PER_CALL = 256;
const MAJOR_NEGATIVE = 0x20;
const MAJOR_BYTES = 0x40;
const MAJOR_ARRAY = 0x80;
const MAJOR_MAP = 0xa0;
const MAJOR_TAG = 0xc0;
const MAJOR_SIMPLE = 0xe0;

// State of the encode that runs. A getter may start another one, which puts this back when it ends.
let writer: Writer;
let deterministic = false;
/** Somebody gave all objects an enumerable property, which is not theirs. */
let polluted = false;
/** The object that lies one level too deep, and the segments of the way around to it if it contains itself. */
let deepest: object | undefined;
let round: string[] | undefined;

/**
 * Writes `value` as one CBOR item (RFC 8949) in preferred serialization.
 *
 * Plain objects and class instances become maps of their own enumerable string keys (`toJSON` is not called), `Map` and
 * `Set` tags 259 and 258, `Date` tag 1, typed arrays the tags of RFC 8746, `Uint8Array` a byte string, integers up to
 * 64 bits integers whether they are `number` or `bigint`, and larger ones bignums. Functions, symbols and objects of the
 * language that are not data (promises, errors, regular expressions, boxed values ...) are refused.
 *
 * @throws CodecError with the path of what cannot be written; the writer is then where it was
 */
export function encodeCbor(target: Writer, value: unknown, options?: CborEncodeOptions): void {
  const start = target.pos;
  const outer = [writer, deterministic, polluted, deepest, round] as const;
  writer = target;
  deterministic = options?.deterministic === true;
  polluted = hasEnumerable(Object.prototype);
  deepest = round = undefined;
  try {
    writeItem(value, options?.maxDepth ?? CBOR_MAX_DEPTH, rootNode());
  } catch (error) {
    target.pos = start;
    throw toCodecError(error);
  } finally {
    [writer, deterministic, polluted, deepest, round] = outer;
  }
}

function hasEnumerable(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

function writeItem(value: unknown, depth: number, node: KeyNode): void {
  switch (typeof value) {
    case "string":
      return writeText(writer, value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return writeHead(writer, MAJOR_SIMPLE, value ? 21 : 20);
    case "undefined":
      return writeHead(writer, MAJOR_SIMPLE, 23);
    case "bigint":
      return writeBigint(value);
    case "object":
      return value === null ? writeHead(writer, MAJOR_SIMPLE, 22) : writeObject(value, depth, node);
    default:
      return expected("data", value);
  }
}

function writeObject(value: object, depth: number, node: KeyNode): void {
  if (Array.isArray(value)) return writeArray(value, depth, node);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return writeFields(value, depth, node, polluted);
  if (value instanceof Simple) return writeHead(writer, MAJOR_SIMPLE, value.value);
  if (value instanceof Tagged) return writeTagged(value, depth, node);
  const kind = tagOf(value);
  switch (kind) {
    case "Object":
      return writeFields(value, depth, node, true);
    case "Uint8Array":
      return writeBytes(value as Uint8Array);
    case "Date": {
      const ms = (value as Date).getTime();
      if (Number.isNaN(ms)) fail("range", "expected a valid date");
      writeHead(writer, MAJOR_TAG, TAG_DATE_SECONDS);
      return writeNumber(ms / 1000);
    }
    case "Map":
      writeHead(writer, MAJOR_TAG, TAG_MAP);
      return writeEntries([...(value as Map<unknown, unknown>)], value, depth, node);
    case "Set": {
      const set = value as Set<unknown>;
      const isTwice = (item: unknown): boolean =>
        typeof item === "bigint" && Number.isSafeInteger(Number(item)) && set.has(Number(item));
      writeHead(writer, MAJOR_TAG, TAG_SET);
      if ([...set].some(isTwice))
        fail("type", "expected elements that differ in CBOR too, got a number and the same bigint");
      return writeArray([...set], depth, node, set);
    }
  }
  // The last of a name is the little-endian one.
  const index = TYPED_ARRAYS.findLastIndex((type) => type?.name === kind);
  if (index < 0) expected("data", value);
  const { buffer, byteOffset, byteLength } = value as ArrayBufferView;
  writeHead(writer, MAJOR_TAG, TAG_TYPED_ARRAY + index);
  writeBytes(new Uint8Array(buffer, byteOffset, byteLength));
  orderBytes(writer.bytes.subarray(writer.pos - byteLength, writer.pos), index);
}

/** `container` is what a cycle would come back to. */
function writeArray(values: readonly unknown[], depth: number, node: KeyNode, container: object = values): void {
  enter(container, depth);
  const length = values.length;
  writeHead(writer, MAJOR_ARRAY, length);
  let i = 0;
  try {
    for (; i < length; i++) {
      const value = values[i];
      const to = typeof value === "number" ? writeNumbers(values, i, Math.min(length, i + NUMBERS_PER_CALL)) : i;
      // None where reading it again gave something else.
      if (to > i) i = to - 1;
      else writeItem(value, depth - 1, node);
    }
  } catch (error) {
    throw leave(error, `[${i}]`, container);
  }
}

function writeFields(value: object, depth: number, node: KeyNode, inherits: boolean): void {
  if (deterministic) return writeEntries(Object.entries(value), value, depth, node);
  enter(value, depth);
  const out = writer;
  out.reserve(1);
  const head = out.pos++;
  let count = 0;
  let last: KeyNode | undefined = innerNode(node);
  let key = "";
  try {
    for (key in value) {
      if (inherits && !Object.hasOwn(value, key)) continue;
      count++;
      let at: KeyNode | undefined = last?.next;
      if (at?.key !== key) at = last && findNode(last, key);
      last = at;
      const field: unknown = (value as Record<string, unknown>)[key];
      if (at === undefined) writeText(out, key);
      else writeKey(out, at);
      // The most frequent kinds first: each spares a call.
      if (typeof field === "string") writeText(out, field);
      else if (typeof field === "number") writeNumber(field);
      else writeItem(field, depth - 1, at ?? node);
    }
  } catch (error) {
    throw leave(error, fieldSegment(key), value);
  }
  if (count < 24) out.bytes[head] = MAJOR_MAP | count;
  else insertHead(out, head, 1, MAJOR_MAP, count);
}

/** A map where keys may be anything or must be sorted. */
function writeEntries(entries: readonly (readonly unknown[])[], value: object, depth: number, node: KeyNode): void {
  enter(value, depth);
  writeHead(writer, MAJOR_MAP, entries.length);
  // Keys that differ in JavaScript may be the same in CBOR: 1 and 1n, or two empty arrays.
  const compares = deterministic || entries.some(([key]) => typeof key === "bigint" || typeof key === "object");
  const written: { readonly id: string; readonly start: number; readonly end: number }[] = [];
  const first = writer.pos;
  let key: unknown;
  try {
    for (const entry of entries) {
      key = entry[0];
      const start = writer.pos;
      writeItem(key, depth - 1, node);
      const id = compares ? readLatin1(writer.bytes, start, writer.pos) : "";
      writeItem(entry[1], depth - 1, node);
      if (compares) written.push({ id, start, end: writer.pos });
    }
  } catch (error) {
    throw leave(error, typeof key === "string" ? fieldSegment(key) : `[${describe(key)}]`, value);
  }
  if (new Set(written.map(({ id }) => id)).size < written.length) fail("type", "expected keys that differ in CBOR too");
  if (!deterministic) return;
  const copy = new Uint8Array(writer.bytes.subarray(first, writer.pos));
  // Units of a Latin-1 text are its bytes, so comparing texts compares bytes.
  written.sort((a, b) => (a.id < b.id ? -1 : 1));
  let at = first;
  for (const { start, end } of written) {
    writer.bytes.set(copy.subarray(start - first, end - first), at);
    at += end - start;
  }
}

function writeTagged(value: Tagged, depth: number, node: KeyNode): void {
  enter(value, depth);
  writeInteger64(MAJOR_TAG, BigInt(value.tag));
  try {
    writeItem(value.value, depth - 1, node);
  } catch (error) {
    throw leave(error, ".value", value);
  }
}

function enter(value: object, depth: number): void {
  if (depth > 0) return;
  deepest = value;
  fail("depth", "nested too deep");
}

/** The error as seen from `container`, which is where a cycle shows: it contains itself. */
function leave(error: unknown, segment: string, container: object): unknown {
  const fault = within(error, segment) as Fault;
  if (container !== deepest) return fault;
  // One time around, whatever number of rounds the depth limit allowed.
  round ??= fault.path.slice();
  const cycle = new Fault("cycle", "the value contains itself");
  cycle.path.push(...round);
  return cycle;
}

function writeNumber(value: number): void {
  const out = writer;
  out.reserve(9);
  out.pos = putNumber(out.bytes, out.view, out.pos, value);
}

/** Writes numbers up to another item or `to`, with no call and no object for each. Gives the index that is next. */
function writeNumbers(values: readonly unknown[], from: number, to: number): number {
  const out = writer;
  out.reserve(9 * (to - from));
  const { bytes, view } = out;
  let { pos } = out;
  let i = from;
  for (; i < to; i++) {
    const value = values[i];
    if (typeof value !== "number") break;
    pos = putNumber(bytes, view, pos, value);
  }
  out.pos = pos;
  return i;
}

/** Writes a number where there is room; gives the position after it. */
function putNumber(bytes: Uint8Array, view: DataView, pos: number, value: number): number {
  if (!Number.isSafeInteger(value) || (value === 0 && 1 / value < 0)) return putFloat(bytes, view, pos, value);
  // The argument of a negative integer is one less than its size.
  return value < 0 ? putHead(bytes, view, pos, MAJOR_NEGATIVE, -1 - value) : putHead(bytes, view, pos, 0, value);
}

function putFloat(bytes: Uint8Array, view: DataView, pos: number, value: number): number {
  view.setFloat32(pos + 1, value);
  if (view.getFloat32(pos + 1) !== value && value === value) {
    bytes[pos] = 0xfb;
    view.setFloat64(pos + 1, value);
    return pos + 9;
  }
  const half = toHalf(value, view.getInt32(pos + 1));
  bytes[pos] = half < 0 ? 0xfa : 0xf9;
  if (half < 0) return pos + 5;
  view.setUint16(pos + 1, half);
  return pos + 3;
}

function writeBigint(value: bigint): void {
  if (BigInt.asUintN(64, value) === value) return writeInteger64(0, value);
  const negative = value < 0n;
  const argument = negative ? ~value : value;
  if (BigInt.asUintN(64, argument) === argument) return writeInteger64(negative ? MAJOR_NEGATIVE : 0, argument);
  let hex = argument.toString(16);
  if (hex.length & 1) hex = `0${hex}`;
  const size = hex.length / 2;
  if (size > CBOR_MAX_BIGNUM_BYTES)
    fail("range", `expected an integer of at most ${CBOR_MAX_BIGNUM_BYTES} bytes, got ${size}`);
  writeHead(writer, MAJOR_TAG, negative ? TAG_NEGATIVE_BIGNUM : TAG_BIGNUM);
  writeBytes(Uint8Array.from({ length: size }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)));
}

/** A head whose argument may take all 64 bits. */
function writeInteger64(major: number, argument: bigint): void {
  const out = writer;
  out.reserve(9);
  const { bytes, view, pos } = out;
  // By memory: its length shows in its halves sooner than by comparing bigints.
  whole[0] = argument;
  const low = (halves[0] as number) >>> 0;
  const high = (halves[1] as number) >>> 0;
  if (high === 0) return writeHead(out, major, low);
  view.setUint32(pos + 1, high);
  view.setUint32(pos + 5, low);
  bytes[pos] = major | 27;
  out.pos = pos + 9;
}

function writeBytes(value: Uint8Array): void {
  writeHead(writer, MAJOR_BYTES, value.length);
  writer.reserve(value.length);
  writer.bytes.set(value, writer.pos);
  writer.pos += value.length;
}
