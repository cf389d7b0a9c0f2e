/** Items of CBOR, one inside another. */
import { fromHalf } from "./cbor-half.ts";
import {
  bytes,
  charge,
  end,
  ends,
  enter,
  expected,
  fail,
  INDEFINITE,
  integer,
  leave,
  lengthOf,
  next,
  pos,
  seek,
  suspect,
  view,
  views,
} from "./cbor-input.ts";
import { findKey } from "./cbor-key-cache.ts";
import { isNumber, isWide, numbers } from "./cbor-numbers.ts";
import {
  countUse,
  type Decoding,
  isWorthLearning,
  learn,
  MAX_SHAPE_KEYS,
  newPlace,
  type Place,
  type RawKey,
  rawKey,
  rootPlace,
  type Shape,
  setOwn,
  valuesPlace,
} from "./cbor-shapes.ts";
import { byteString, longText, text } from "./cbor-strings.ts";
import { dateOf, isTypedArray, parseDate, toInteger, toTypedArray } from "./cbor-tag-values.ts";
import {
  CBOR_MAX_BIGNUM_BYTES,
  Simple,
  TAG_BIGNUM,
  TAG_DATE_SECONDS,
  TAG_DATE_TEXT,
  TAG_MAP,
  TAG_NEGATIVE_BIGNUM,
  TAG_SELF_DESCRIBED,
  TAG_SET,
  TAG_TYPED_ARRAY,
  Tagged,
} from "./cbor-tags.ts";
import { describe, fieldSegment } from "./codec-error.ts";
import { doubles } from "./lists.ts";
import { readLatin1 } from "./text-encodings.ts";

/** Arrays of so many elements get all their memory at once. Below it growing is faster. */
const LONG_ARRAY = 16;
/** Numbers read by one call: V8 drops the code of loops that run for long (decision 10). */
const NUMBERS_PER_CALL = 256;
/** Bit sets of major types. */
const IS_NUMBER = 0b1000_0011;
const IS_BYTES = 0b100;
const IS_TEXT = 0b1000;
const IS_ARRAY = 0b1_0000;
const IS_MAP = 0b10_0000;

/** Elements for which arrays may still take memory before they are read: as many as the input has bytes. */
let spare = 0;
/** The way to where we are, kept only when a fault is known to come. */
let path: string[] | undefined;

/** Reads the item that comes next. `trace` is then the way to what was wrong with it. */
export function readItem(trace?: string[]): unknown {
  spare = end - pos;
  path = trace;
  return item(rootPlace());
}

function item(place: Place): unknown {
  const at = pos;
  if (at >= end) next(1);
  const head = bytes[at]!;
  seek(at + 1);
  // The most frequent kinds first.
  if (head < 24) return head;
  if (head >= 0x60 && head < 0x78) return text(head - 0x60);
  const info = head & 31;
  switch (head >> 5) {
    case 0:
      return integer(info, at);
    case 1: {
      const argument = integer(info, at);
      if (typeof argument === "bigint") return ~argument;
      return argument === Number.MAX_SAFE_INTEGER ? ~BigInt(argument) : -1 - argument;
    }
    case 2:
      return byteString(info, at);
    case 3:
      return longText(info, at);
    case 4:
      return array(info, at, place);
    case 5:
      return map(info, at, place, false);
    case 6:
      return tag(info, at, place);
  }
  return simple(info, at);
}

/** Floats, and values that are no more than a number. */
function simple(info: number, at: number): unknown {
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 23:
      return undefined;
    case 31:
      expected("an item, got a break", at);
  }
  const start = pos;
  // Read as an integer first, which checks that the bytes are there.
  const bits = info === 27 ? seek(next(8)) : integer(info, at);
  switch (info) {
    case 25:
      return fromHalf(bits as number);
    case 26:
      return view.getFloat32(start);
    case 27:
      return view.getFloat64(start);
  }
  if (info === 24 && (bits as number) < 32) expected("the shortest simple value", at);
  charge(at);
  return new Simple(bits as number);
}

function array(info: number, at: number, place: Place): unknown[] {
  enter(at);
  const length = lengthOf(info, at, 1);
  // Each level may claim all the rest, so memory is taken ahead of the elements only as often as there are bytes.
  const short = length < LONG_ARRAY || (spare -= length) < 0 || path !== undefined;
  const items: unknown[] = short ? [] : isWide() ? doubles(length) : new Array(length);
  if (length === INDEFINITE || path) {
    while (length === INDEFINITE ? !ends() : items.length < length) items.push(step(items.length, place));
  } else {
    for (let i = 0; i < length; ) {
      const head = bytes[pos]!;
      if (isNumber(head)) i = numbers(items, i, Math.min(length, i + NUMBERS_PER_CALL));
      if (i < length) items[i++] = item(place);
    }
  }
  leave();
  return items;
}

/** One item, with its index or key in the path. */
function step(key: unknown, place: Place): unknown {
  path?.push(typeof key === "string" ? fieldSegment(key) : `[${typeof key === "number" ? key : describe(key)}]`);
  const value = item(place);
  path?.pop();
  return value;
}

function map(info: number, at: number, place: Place, asMap: boolean): unknown {
  enter(at);
  const length = lengthOf(info, at, 2);
  let shape = place.shapes[0];
  if (shape) shape = asMap || length < 1 || path ? undefined : expect(shape, length, 0, place);
  let value: unknown;
  if (shape === undefined) {
    value = pairs(length, place, [], [], [], [], asMap);
  } else if (shape.read) {
    value = shape.read(pos + shape.raw[0]!.bytes.length, bytes, view, end, place);
  } else {
    value = shaped(pos, shape, place, []);
  }
  leave();
  return value;
}

/** The shape to go on with at key `i`: `shape` itself, or another one of this place that began the same. */
function expect(shape: Shape, length: number, i: number, place: Place): Shape | undefined {
  if (shape.keys.length === length && isNext(shape.raw[i]!)) return shape;
  return place.shapes.find(
    (other) =>
      other.keys.length === length &&
      isNext(other.raw[i]!) &&
      other.keys.every((key, j) => j >= i || key === shape.keys[j]),
  );
}

/** Whether these bytes come next. */
function isNext({ bytes: key, words, mask }: RawKey): boolean {
  const last = words.length - 1;
  if (pos + 4 * last + 4 > end) {
    // The last word would reach past the end.
    return pos + key.length <= end && key.every((byte, i) => bytes[pos + i] === byte);
  }
  for (let i = 0; i < last; i++) if (view.getInt32(pos + 4 * i) !== words[i]) return false;
  return (view.getInt32(pos + 4 * last) & mask) === words[last];
}

/** An object of which some values are known, and the keys of all those are keys of `shape`. */
function shaped(from: number, first: Shape, place: Place, values: unknown[]): unknown {
  seek(from);
  let shape = first;
  const length = shape.keys.length;
  for (let i = values.length; i < length; i++) {
    const other = expect(shape, length, i, place);
    if (other === undefined) {
      const { keys, raw, places } = shape;
      return pairs(length, place, keys.slice(0, i), values, raw.slice(0, i), places.slice(0, i), false);
    }
    shape = other;
    seek(pos + shape.raw[i]!.bytes.length);
    values.push(item(shape.places[i]!));
  }
  countUse(shape, decoding);
  return shape.make(values);
}

const decoding: Decoding = {
  itemAt(at, place) {
    seek(at);
    return item(place);
  },
  getPos: () => pos,
  setPos: seek,
  shaped,
};

/**
 * The slow way: entries one by one, of which the first may be known already. An object when all keys are text and nothing
 * asks for a `Map`.
 */
function pairs(
  length: number,
  place: Place,
  keys: unknown[],
  values: unknown[],
  raw: RawKey[],
  places: Place[],
  asMap: boolean,
): unknown {
  const first = pos;
  const learning = !asMap && !path && length > 0 && length <= MAX_SHAPE_KEYS && isWorthLearning(place);
  const inner = valuesPlace(place);
  // Two arrays are never the same to JavaScript, but their bytes may be.
  const composites: string[] = [];
  let plain = !asMap;
  while (length === INDEFINITE ? !ends() : keys.length < length) {
    const start = pos;
    suspect(start);
    let key: unknown = findKey(bytes, view, start, end);
    if (key === undefined) key = item(inner);
    else seek(start + bytes[start]! - 0x5f);
    if (typeof key !== "string") plain = false;
    if (typeof key === "object" && key !== null) composites.push(readLatin1(bytes, start, pos));
    keys.push(key);
    if (learning) {
      raw.push(rawKey(bytes, start, pos));
      places.push(newPlace());
    }
    values.push(step(key, learning ? places[places.length - 1]! : inner));
  }
  if (new Set(composites).size < composites.length) expected("different keys", first);
  if (!plain) {
    const map = new Map(keys.map((key, i) => [key, values[i]]));
    return map.size < keys.length ? expected("different keys", first) : map;
  }
  const large = keys.length > MAX_SHAPE_KEYS;
  // An object without a prototype is a hash table from the start: several times as fast to fill when it is large.
  const object: Record<string, unknown> = large ? Object.create(null) : {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    if (key in object && Object.hasOwn(object, key)) expected(`different keys, got ${describe(key)} twice`, first);
    setOwn(object, key, values[i]);
  }
  if (large) Object.setPrototypeOf(object, Object.prototype);
  if (learning) learn(place, keys as string[], raw, places);
  return object;
}

function tag(info: number, at: number, place: Place): unknown {
  const number = integer(info, at);
  const start = pos;
  // What a byte string, array or map inside becomes is paid for by that.
  if (number === TAG_DATE_TEXT || number === TAG_DATE_SECONDS || number === TAG_SET) charge(at);
  switch (number) {
    case TAG_DATE_TEXT:
      return parseDate(content(IS_TEXT, "text", place) as string) ?? expected("a date of RFC 3339", start, "range");
    case TAG_DATE_SECONDS:
      return dateOf(content(IS_NUMBER, "a number", place)) ?? expected("a date that Date can hold", start, "range");
    case TAG_BIGNUM:
    case TAG_NEGATIVE_BIGNUM: {
      const digits = content(IS_BYTES, "bytes", place) as Uint8Array;
      if (digits.length > CBOR_MAX_BIGNUM_BYTES) {
        fail("limit", `expected an integer of at most ${CBOR_MAX_BIGNUM_BYTES} bytes, got ${digits.length}`, start);
      }
      return toInteger(digits, number === TAG_NEGATIVE_BIGNUM);
    }
    case TAG_SET: {
      const values = content(IS_ARRAY, "an array", place) as unknown[];
      const set = new Set(values);
      return set.size < values.length ? expected("different elements", start) : set;
    }
    case TAG_MAP:
      check(IS_MAP, "a map");
      seek(start + 1);
      return map(bytes[start]! & 31, start, place, true);
  }
  const kind = Number(number) - TAG_TYPED_ARRAY;
  if (isTypedArray(kind)) {
    const elements = content(IS_BYTES, "bytes", place) as Uint8Array;
    return toTypedArray(elements, kind, views) ?? expected("whole elements", start);
  }
  enter(at);
  const value = item(place);
  leave();
  return number === TAG_SELF_DESCRIBED ? value : new Tagged(number, value);
}

/** What a tag encloses, which must be of one of the major types in the bit set `majors`: never a tag, so no recursion. */
function content(majors: number, what: string, place: Place): unknown {
  check(majors, what);
  return item(place);
}

function check(majors: number, what: string): void {
  next(1);
  if (((majors >> (bytes[pos]! >> 5)) & 1) === 0) expected(`${what} inside this tag`, pos);
}
