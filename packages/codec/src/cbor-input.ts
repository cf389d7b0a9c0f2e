/* oxlint-disable import/no-mutable-exports -- read all over the decoder, and set by functions below alone */
/**
 * The CBOR message that is decoded: where we are, and what may still be made of it. There is only ever one, as no code of
 * anybody else runs during a decode. Variables of a module and not an object: all the decoder reads them, they cost nothing
 * to pass on, and minified they are a letter each.
 */
import type { CodecErrorCode } from "./codec-error.ts";
import { Fault } from "./fault.ts";

/** Ends an item of indefinite length. */
const BREAK = 0xff;
/** Stands for the length of an item that has none. */
export const INDEFINITE = -1;

const NO_MEMORY = /* @__PURE__ */ new ArrayBuffer(0);
const NO_BYTES = /* @__PURE__ */ new Uint8Array(NO_MEMORY);
const NO_VIEW = /* @__PURE__ */ new DataView(NO_MEMORY);

export let bytes: Uint8Array = NO_BYTES;
export let view: DataView = NO_VIEW;
export let pos = 0;
export let end = 0;
/** Whether byte strings are views on the message rather than copies. */
export let views = false;
/** Objects that may still be made. */
export let objects = 0;
/** Where the fault lies. */
export let faultPos = 0;
/** Levels that may still come. */
let depth = 0;

/** Where a message is read from. */
export interface CborInput {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos: number;
  /** Objects that may still be made. */
  objects: number;
}

/** Begins a message that ends before `stop`. */
export function open(from: CborInput, stop: number, withViews: boolean, maxDepth: number): void {
  ({ bytes, view, pos, objects } = from);
  end = stop;
  depth = maxDepth;
  views = withViews;
}

/** Lets go of the message. */
export function close(): void {
  bytes = NO_BYTES;
  view = NO_VIEW;
}

/** Goes on at another position. */
export function seek(at: number): void {
  pos = at;
}

/** Where the fault lies, if one comes now. */
export function suspect(at: number): void {
  faultPos = at;
}

export function fail(code: CodecErrorCode, detail: string, at: number): never {
  faultPos = at;
  // Not an Error: a stack for each bad message would cost more than the message; the edge makes the error of it.
  // oxlint-disable-next-line typescript/only-throw-error
  throw new Fault(code, detail);
}

export function expected(what: string, at: number, code: CodecErrorCode = "malformed"): never {
  fail(code, `expected ${what}`, at);
}

/** Position after the next `count` bytes, which must be there. */
export function next(count: number): number {
  if (count > end - pos) fail("truncated", "the bytes end inside the value", pos);
  return pos + count;
}

/** The argument of a head: an integer of up to 64 bits. */
export function integer(info: number, at: number): number | bigint {
  if (info < 24) return info;
  if (info > 27) expected("an item, got a reserved head", at);
  const start = pos;
  pos = next(1 << (info - 24));
  if (info === 24) return bytes[start]!;
  if (info === 25) return view.getUint16(start);
  if (info === 26) return view.getUint32(start);
  // Not by way of a bigint where it is not needed: each is an object.
  const high = view.getUint32(start);
  return high > 0x1fffff ? view.getBigUint64(start) : high * 0x100000000 + view.getUint32(start + 4);
}

/** The length of what follows, checked against the bytes left, of which each unit takes at least `unit`. */
export function lengthOf(info: number, at: number, unit: number): number {
  if (info === 31) return INDEFINITE;
  const length = info < 24 ? info : Number(integer(info, at));
  next(length * unit);
  return length;
}

/** Pays for an object before it is made. */
export function charge(at: number): void {
  if (--objects < 0) fail("limit", "too many objects for a message of this size", at);
}

/** Pays for an array, a map or a tag, one level further in. */
export function enter(at: number): void {
  charge(at);
  if (--depth < 0) fail("depth", "nested too deep", at);
}

export function leave(): void {
  depth++;
}

/** Whether an indefinite item ends here; its end mark is then behind us. */
export function ends(): boolean {
  const found = pos < end && bytes[pos] === BREAK;
  if (found) pos++;
  return found;
}
