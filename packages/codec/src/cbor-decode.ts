import { fromHalf } from "./cbor-half.ts";
import { findKey } from "./cbor-key-cache.ts";
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
import {
  CBOR_MAX_BIGNUM_BYTES,
  CBOR_MAX_DEPTH,
  elementBytes,
  orderBytes,
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
  TYPED_ARRAYS,
} from "./cbor-tags.ts";
import { readLatin1, readUtf8 } from "./text.ts";
import { type CodecErrorCode, describe, fieldSegment } from "./codec-error.ts";
import { Fault, toCodecError } from "./fault.ts";
import { doubles } from "./lists.ts";
import type { Reader } from "./reader.ts";

/**
 * Objects, arrays, byte strings, dates and the like that any message may hold, whatever its size. One of them costs up to
 * 300 bytes of memory for one byte of input, so this is what bounds the memory a small message can take.
 */
export const CBOR_FREE_OBJECTS = 262_144;
/** Beyond that, so many bytes of message must stand for each object. */
export const CBOR_BYTES_PER_OBJECT = 8;

/** How many objects a message of this size may hold. */
export function objectsIn(size: number): number {
  return Math.max(CBOR_FREE_OBJECTS, Math.ceil(size / CBOR_BYTES_PER_OBJECT));
}

/** Options of {@link decodeCbor}. */
export interface CborDecodeOptions {
  /** Levels of arrays, maps and tags inside each other. Default {@link CBOR_MAX_DEPTH}. */
  readonly maxDepth?: number | undefined;
  /**
   * Objects, arrays, byte strings, dates and other values with memory of their own. Default {@link objectsIn} of the input.
   */
  readonly maxObjects?: number | undefined;
  /** Byte strings are views on the input rather than copies. Default `false`. */
  readonly views?: boolean | undefined;
}

/** Text is cut from pages of the message that are converted whole: one native call for many strings. */
const PAGE_BYTES = 4096;
/** Longer text is converted by itself, so that it holds no page alive and pages hardly overlap. */
const LONG_TEXT_BYTES = 256;
/** Strings of a message that are converted by themselves: a page for a few strings does not pay. */
const STRINGS_BEFORE_PAGES = 2;
/** Arrays of so many elements get all their memory at once. Below it growing is faster. */
const LONG_ARRAY = 16;
/** Numbers read by one call: V8 drops the code of loops that run for long (decision 10). */
const NUMBERS_PER_CALL = 256;
/** Ends an item of indefinite length. */
const BREAK = 0xff;
/** Stands for the length of an item that has none. */
const INDEFINITE = -1;
/** Bit sets of major types. */
const IS_NUMBER = 0b1000_0011;
const IS_BYTES = 0b100;
const IS_TEXT = 0b1000;
const IS_ARRAY = 0b1_0000;
const IS_MAP = 0b10_0000;

/** Float16Array, big endian, among the typed arrays. */
const HALF_ARRAY = 16;
/** A date and time with zone, of RFC 3339. */
const DATE = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

const NO_MEMORY = /* @__PURE__ */ new ArrayBuffer(0);
const NO_BYTES = /* @__PURE__ */ new Uint8Array(NO_MEMORY);
const NO_VIEW = /* @__PURE__ */ new DataView(NO_MEMORY);

// State of the decode that runs. There is only ever one: no code of anybody else runs during it. The file is long because
// all of it works on these: they cost nothing to pass on, and minified they are a letter each.
let bytes: Uint8Array = NO_BYTES;
let view: DataView = NO_VIEW;
let pos = 0;
let end = 0;
/** Levels and objects that may still come. */
let depth = 0;
let objects = 0;
/** Elements for which arrays may still take memory before they are read: as many as the input has bytes. */
let spare = 0;
let views = false;
let page = "";
let pageStart = 0;
let pageEnd = 0;
let strings = 0;
/** The way to where we are, kept only when a fault is known to come. */
let path: string[] | undefined;
/** Where the fault lies. */
let faultPos = 0;

/** Where {@link readCbor} reads. */
export interface CborInput {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos: number;
  /** Objects that may still be made. */
  objects: number;
}

/** As {@link readCbor}, with options. @throws CodecError; `reader.pos` is then where it was */
export function decodeCbor(reader: Reader, options: CborDecodeOptions = {}): unknown {
  const { bytes, view, pos, end } = reader;
  const input = { bytes, view, pos, objects: options.maxObjects ?? objectsIn(end - pos) };
  try {
    const value = readCbor(input, end, options.views === true, options.maxDepth);
    reader.pos = input.pos;
    return value;
  } catch (error) {
    throw toCodecError(error, input.pos - pos);
  }
}

/**
 * Reads one CBOR item (RFC 8949) at `from.pos`, inside `stop`, and leaves `from.pos` behind it, or at what is wrong.
 *
 * Maps whose keys are all text are plain objects, others are a `Map`, and so is every map with tag 259. Integers past
 * ±(2^53−1) and bignums are `bigint`. Tags without a value of their own in JavaScript are {@link Tagged}.
 *
 * @throws Fault for everything that is not well-formed or not valid, is nested too deep or holds too many objects
 */
export function readCbor(
  from: CborInput,
  stop: number,
  withViews: boolean,
  maxDepth: number = CBOR_MAX_DEPTH,
): unknown {
  try {
    open(from, stop, withViews, maxDepth);
    const value = item(rootPlace());
    from.pos = pos;
    from.objects = objects;
    return value;
  } catch (error) {
    // Nobody kept a path on the way here. Reading the same bytes again, and slowly, fails at the same place.
    const way = (path = []);
    const at = faultPos;
    const fault =
      error instanceof RangeError && !/call stack/.test(error.message) ? new Fault("limit", error.message) : error;
    try {
      open(from, stop, withViews, maxDepth);
      item(rootPlace());
    } catch {
      if (fault instanceof Fault) fault.path.push(...way.reverse());
    }
    from.pos = at;
    throw fault;
  } finally {
    // Lets go of the message.
    bytes = NO_BYTES;
    view = NO_VIEW;
    page = "";
    path = undefined;
  }
}

function open(from: CborInput, stop: number, withViews: boolean, maxDepth: number): void {
  ({ bytes, view, pos, objects } = from);
  end = stop;
  spare = end - pos;
  depth = maxDepth;
  views = withViews;
  strings = pageEnd = 0;
}

function fail(code: CodecErrorCode, detail: string, at: number): never {
  faultPos = at;
  // Not an Error: a stack for each bad message would cost more than the message; the edge makes the error of it.
  // oxlint-disable-next-line typescript/only-throw-error
  throw new Fault(code, detail);
}

function expected(what: string, at: number, code: CodecErrorCode = "malformed"): never {
  fail(code, `expected ${what}`, at);
}

/** Position after the next `count` bytes, which must be there. */
function next(count: number): number {
  if (count > end - pos) fail("truncated", "the bytes end inside the value", pos);
  return pos + count;
}

function item(place: Place): unknown {
  const at = pos;
  if (at >= end) next(1);
  const head = bytes[at]!;
  const start = at + 1;
  pos = start;
  if (head < 24) return head;
  // The usual scalars, one jump each. What is cut off goes the general way, which says so.
  switch (head) {
    case 0x18:
      if (start >= end) break;
      pos = start + 1;
      return bytes[start];
    case 0x19:
      if (start + 2 > end) break;
      pos = start + 2;
      return view.getUint16(start);
    case 0x1a:
      if (start + 4 > end) break;
      pos = start + 4;
      return view.getUint32(start);
    case 0x1b:
    case 0x3b: {
      if (start + 8 > end) break;
      const high = view.getUint32(start);
      // The last that is safe is safe as a positive number only.
      if (high === 0x1fffff) break;
      pos = start + 8;
      if (high > 0x1fffff) {
        const argument = view.getBigUint64(start);
        return head === 0x1b ? argument : ~argument;
      }
      const argument = high * 0x100000000 + view.getUint32(start + 4);
      return head === 0x1b ? argument : -1 - argument;
    }
    case 0xf4:
      return false;
    case 0xf5:
      return true;
    case 0xf6:
      return null;
    case 0xf7:
      return undefined;
    case 0xfb:
      if (start + 8 > end) break;
      pos = start + 8;
      return view.getFloat64(start);
  }
  return rest(head, at, place);
}

/** What follows a head. */
function rest(head: number, at: number, place: Place): unknown {
  if (head >= 0x60 && head < 0x78) return text(head - 0x60);
  const info = head & 31;
  switch (head >> 5) {
    case 0:
      return integer(info, at);
    case 1: {
      const argument = integer(info, at);
      if (typeof argument === "bigint") return -1n - argument;
      return argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
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
  if (info === 31) expected("an item, got a break", at);
  const start = pos;
  // Read as an integer first, which checks that the bytes are there.
  const bits = integer(info, at) as number;
  if (info === 25) return fromHalf(bits);
  if (info === 26) return view.getFloat32(start);
  if (info === 27) return view.getFloat64(start);
  if (info === 24 && bits < 32) expected("the shortest simple value", at);
  charge(at);
  return new Simple(bits);
}

/** The argument of a head: an integer of up to 64 bits. */
function integer(info: number, at: number): number | bigint {
  if (info < 24) return info;
  if (info > 27) expected("an item, got a reserved head", at);
  const start = pos;
  pos = next(1 << (info - 24));
  if (info === 24) return bytes[start]!;
  if (info === 25) return view.getUint16(start);
  if (info === 26) return view.getUint32(start);
  const argument = view.getBigUint64(start);
  return argument > Number.MAX_SAFE_INTEGER ? argument : Number(argument);
}

/** The length of what follows, checked against the bytes left, of which each unit takes at least `unit`. */
function lengthOf(info: number, at: number, unit: number): number {
  if (info === 31) return INDEFINITE;
  const length = info < 24 ? info : Number(integer(info, at));
  next(length * unit);
  return length;
}

/** Pays for an object before it is made. */
function charge(at: number): void {
  if (--objects < 0) fail("limit", "too many objects for a message of this size", at);
}

function enter(at: number): void {
  charge(at);
  if (--depth < 0) fail("depth", "nested too deep", at);
}

/** Whether an indefinite item ends here; its end mark is then behind us. */
function ends(): boolean {
  const found = pos < end && bytes[pos] === BREAK;
  if (found) pos++;
  return found;
}

function text(length: number): string {
  const start = pos;
  const stop = next(length);
  pos = stop;
  if (length > LONG_TEXT_BYTES) return utf8(start, stop);
  let wide = 0;
  if (length < 4) {
    for (let i = start; i < stop; i++) wide |= bytes[i]!;
  } else {
    // Four at a time; the last word overlaps the one before.
    for (let i = start; i < stop - 4; i += 4) wide |= view.getInt32(i);
    wide |= view.getInt32(stop - 4);
  }
  if ((wide & 0x80808080) !== 0) return utf8(start, stop);
  if (stop > pageEnd || start < pageStart) {
    if (strings++ < STRINGS_BEFORE_PAGES) {
      return readLatin1(bytes, start, stop);
    }
    pageStart = start;
    pageEnd = Math.min(start + PAGE_BYTES, end);
    page = readLatin1(bytes, start, pageEnd);
  }
  return page.substring(start - pageStart, stop - pageStart);
}

function utf8(start: number, stop: number): string {
  faultPos = start;
  return readUtf8(bytes, start, stop);
}

function longText(info: number, at: number): string {
  const length = lengthOf(info, at, 1);
  if (length !== INDEFINITE) return text(length);
  let joined = "";
  while (!ends()) joined += text(chunk(3));
  return joined;
}

/** The length of the next chunk of a string of indefinite length, which must be definite and of the same type. */
function chunk(major: number): number {
  const at = pos;
  pos = next(1);
  const head = bytes[at]!;
  if (head >> 5 !== major || head % 32 === 31) expected("a chunk of the same string", at);
  return lengthOf(head & 31, at, 1);
}

function byteString(info: number, at: number): Uint8Array {
  charge(at);
  const length = lengthOf(info, at, 1);
  const start = pos;
  if (length !== INDEFINITE) {
    pos += length;
    if (views) return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
    return new Uint8Array(bytes.subarray(start, pos));
  }
  // Once to learn the size, and once to copy.
  let joined = NO_BYTES;
  for (let round = 0; round < 2; round++) {
    let size = 0;
    pos = start;
    while (!ends()) {
      const length = chunk(2);
      if (round > 0) joined.set(bytes.subarray(pos, pos + length), size);
      size += length;
      pos += length;
    }
    if (round === 0) joined = new Uint8Array(size);
  }
  return joined;
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
  depth++;
  return items;
}

/** Whether an item with this head may be one that {@link numbers} reads: -1 to -24 are seldom many. */
function isNumber(head: number): boolean {
  return head <= 0x3b || head >= 0xfa;
}

/** Whether a double comes next, or an integer that takes one to hold it. */
function isWide(): boolean {
  const head = bytes[pos];
  if (head === 0x1b || head === 0x3b) return pos + 2 < end && bytes[pos + 1] === 0 && bytes[pos + 2]! < 0x20;
  return head === 0xfb;
}

/** Reads numbers up to another item or `to`, with no call and no object for each. Gives the index that is next. */
function numbers(items: unknown[], from: number, to: number): number {
  const most = end - 9;
  let at = pos;
  let i = from;
  for (; i < to && at <= most; i++) {
    const head = bytes[at]!;
    if (head === 0xfb) {
      items[i] = view.getFloat64(at + 1);
      at += 9;
    } else if (head < 24) {
      items[i] = head;
      at++;
    } else if (head === 0x19 || head === 0x39) {
      const argument = view.getUint16(at + 1);
      items[i] = head === 0x19 ? argument : ~argument;
      at += 3;
    } else if (head === 0x18 || head === 0x38) {
      const argument = bytes[at + 1]!;
      items[i] = head === 0x18 ? argument : ~argument;
      at += 2;
    } else if (head === 0x1b || head === 0x3b) {
      const high = view.getUint32(at + 1);
      if (high === 0x1fffff) break;
      if (high > 0x1fffff) {
        const argument = view.getBigUint64(at + 1);
        items[i] = head === 0x1b ? argument : ~argument;
      } else {
        const argument = high * 0x100000000 + view.getUint32(at + 5);
        items[i] = head === 0x1b ? argument : -1 - argument;
      }
      at += 9;
    } else if (head === 0x1a) {
      items[i] = view.getUint32(at + 1);
      at += 5;
    } else if (head === 0x3a) {
      items[i] = -1 - view.getUint32(at + 1);
      at += 5;
    } else break;
  }
  pos = at;
  return i;
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
  depth++;
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
  pos = from;
  let shape = first;
  const length = shape.keys.length;
  for (let i = values.length; i < length; i++) {
    const other = expect(shape, length, i, place);
    if (other === undefined) {
      const { keys, raw, places } = shape;
      return pairs(length, place, keys.slice(0, i), values, raw.slice(0, i), places.slice(0, i), false);
    }
    shape = other;
    pos += shape.raw[i]!.bytes.length;
    values.push(item(shape.places[i]!));
  }
  countUse(shape, decoding);
  return shape.make(values);
}

const decoding: Decoding = {
  itemAt(at, place) {
    pos = at;
    return item(place);
  },
  getPos: () => pos,
  setPos(at) {
    pos = at;
  },
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
    const start = (faultPos = pos);
    let key: unknown = findKey(bytes, view, start, end);
    if (key === undefined) key = item(inner);
    else pos += bytes[start]! - 0x5f;
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
    case TAG_DATE_SECONDS: {
      const given = content(IS_NUMBER, "a number", place);
      const seconds = typeof given === "number" ? given : Number.NaN;
      // Whole and broken seconds apart: their sum in milliseconds would be rounded twice.
      const whole = Math.trunc(seconds);
      const date = new Date(whole * 1000 + Math.round((seconds - whole) * 1000));
      return Number.isNaN(date.getTime()) ? expected("a date that Date can hold", start, "range") : date;
    }
    case TAG_BIGNUM:
      return bignum(place, false);
    case TAG_NEGATIVE_BIGNUM:
      return bignum(place, true);
    case TAG_SET: {
      const values = content(IS_ARRAY, "an array", place) as unknown[];
      const set = new Set(values);
      return set.size < values.length ? expected("different elements", start) : set;
    }
    case TAG_MAP:
      check(IS_MAP, "a map");
      pos++;
      return map(bytes[start]! & 31, start, place, true);
  }
  const kind = Number(number) - TAG_TYPED_ARRAY;
  if (TYPED_ARRAYS[kind] || (kind & ~4) === HALF_ARRAY) return typedArray(kind, place);
  enter(at);
  const value = item(place);
  depth++;
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

/** A bignum, which may hold what an integer could: then it is read like one. */
function bignum(place: Place, negative: boolean): number | bigint {
  const start = pos;
  const digits = content(IS_BYTES, "bytes", place) as Uint8Array;
  if (digits.length > CBOR_MAX_BIGNUM_BYTES) {
    fail("limit", `expected an integer of at most ${CBOR_MAX_BIGNUM_BYTES} bytes, got ${digits.length}`, start);
  }
  let hex = "0x0";
  for (const byte of digits) hex += (byte + 0x100).toString(16).slice(1);
  const value = negative ? -1n - BigInt(hex) : BigInt(hex);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function typedArray(kind: number, place: Place): unknown {
  const start = pos;
  let elements = content(IS_BYTES, "bytes", place) as Uint8Array;
  if (elements.length % elementBytes(kind) !== 0) expected("whole elements", start);
  if (kind === 0) return elements;
  if (views) elements = new Uint8Array(elements);
  orderBytes(elements, kind);
  const type = TYPED_ARRAYS[kind];
  return type ? new type(elements.buffer) : Float32Array.from(new Uint16Array(elements.buffer), fromHalf);
}

function parseDate(text: string): Date | undefined {
  const upper = text.toUpperCase();
  const day = DATE.exec(upper)?.[1];
  // `Date` rolls the 30th of February over to March.
  return day && new Date(day).toJSON()?.startsWith(day) ? new Date(upper) : undefined;
}
