/** Checks and conversions that both engines call, each with a wrong value refused. */
import { tagOf } from "./codec-error.ts";
import { expected, fail } from "./fault.ts";
import { writeLeb } from "./state.ts";

/** Most milliseconds from 1970 that a `Date` holds. */
const DATE_MOST_MS = 8.64e15;

/** Writes the zigzag form of a safe integer. At most 9 bytes. */
export function writeInt(bytes: Uint8Array, start: number, value: number): number {
  const size = value < 0 ? -1 - value : value;
  const sign = value < 0 ? 1 : 0;
  if (size < 64) {
    bytes[start] = (size << 1) | sign;
    return start + 1;
  }
  bytes[start] = (size << 1) | sign | 128;
  return writeLeb(bytes, start + 1, Math.floor(size * 2 ** -6));
}

/** A zigzag integer from its first byte and the base-128 number that follows. */
export function joinInt(first: number, rest: number): number {
  if (first > 127 && rest === 0) fail("malformed", "over-long integer");
  const size = ((first & 127) >> 1) + rest * 64;
  const value = (first & 1) === 1 ? -1 - size : size;
  if (!Number.isSafeInteger(value)) fail("range", "integer past 2^53 - 1");
  return value;
}

/** Milliseconds of a valid `Date`; anything else is refused. */
export function toMs(value: unknown): number {
  if (tagOf(value) !== "Date" || !(value instanceof Date)) expected("date", value);
  const ms = value.getTime();
  return Number.isNaN(ms) ? fail("range", "expected date, got an invalid Date") : ms;
}

export function toDate(ms: number): Date {
  if (Math.abs(ms) > DATE_MOST_MS) fail("range", "date past the range of Date");
  return new Date(ms);
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || tagOf(value) === "Uint8Array";
}

/** A plain `Uint8Array` with its own memory, whatever class `bytes` has. */
export function copyOf(bytes: Uint8Array, start: number, size: number): Uint8Array {
  const from = bytes.byteOffset + start;
  return new Uint8Array(bytes.buffer.slice(from, from + size) as ArrayBuffer);
}

/** Keys and values of a plain object. */
export function recordPairs(value: unknown): [string[], unknown[]] {
  // Lists, Maps, dates and the like would lose what they hold.
  if (tagOf(value) !== "Object") expected("record", value);
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object);
  const values = Object.values(object);
  if (values.length !== keys.length) fail("type", "expected record, got an object that changes while it is read");
  return [keys, values];
}

/** Keys and values of a `Map`. */
export function mapPairs(value: unknown): [unknown[], unknown[]] {
  if (!(value instanceof Map)) expected("map", value);
  return [[...value.keys()], [...value.values()]];
}

/** The elements of a `Set`; anything else is given back as nothing. */
export function itemsOf(value: unknown): unknown[] | undefined {
  return value instanceof Set ? [...value] : undefined;
}

export function toSet(values: readonly unknown[]): Set<unknown> {
  const result = new Set(values);
  if (result.size !== values.length) fail("malformed", "set with equal elements");
  return result;
}

/** Past this many keys an object is made a dictionary at once: V8 would try a hidden class for each key first. */
const DICTIONARY_KEYS = 32;

/** An empty plain object for `n` keys. */
export function newRecord(n: number): Record<string, unknown> {
  if (n < DICTIONARY_KEYS) return {};
  const object: Record<string, unknown> = { a: 0, b: 0 };
  // Deleting what was not added last makes a dictionary: three times as fast at 1,000 keys.
  delete object["a"];
  delete object["b"];
  return object;
}

/**
 * A function that makes empty plain objects of one kind. Not by a literal: V8 copies that for each few keys that come, and
 * makes a dictionary of it past sixteen. For a constructor it learns from the first objects how much room they need.
 */
export function objectMaker(): () => object {
  // Handed on at once, as a function with a name would show it in debuggers. V8 counts the assignments, run or not: so
  // many keys and eight more have room at first.
  return makerOf(function (this: Room, never: unknown) {
    if (never)
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0;
  });
}

interface Room {
  a: number;
}

function makerOf(constructor: unknown): () => object {
  const Maker = constructor as new () => object;
  Maker.prototype = Object.prototype;
  return () => new Maker();
}
