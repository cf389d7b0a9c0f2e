import { fail } from "./fault.ts";
import { isWellFormed } from "./text.ts";
import type { Writer } from "./writer.ts";

/** Longest text written by a loop, in units: a native call costs as much as some forty units, whatever its length. */
const LOOP_UNITS = 40;
/** Longest text for which the most that it can take is reserved. Longer ones are tried as ASCII first. */
const RESERVED_UNITS = 65_536;
/** Room after such a text, so that a character of several bytes that is cut off cannot make it look like ASCII. */
const SPARE_BYTES = 4;

interface NativeBytes extends Uint8Array {
  utf8Write(text: string, offset: number, length: number): number;
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}
interface Globals {
  readonly Buffer?: { readonly prototype: Partial<NativeBytes>; byteLength(text: string): number };
  readonly TextEncoder: new () => {
    encode(text: string): Uint8Array;
    encodeInto(text: string, target: Uint8Array): { readonly written: number };
  };
  readonly TextDecoder: new (
    label: string,
    options?: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
}

// Asked of functions, as bundlers keep a module for the sake of a global that it reads.
const globals: Globals = /* @__PURE__ */ (() => globalThis as unknown as Globals)();
const native: NativeBytes | undefined = /* @__PURE__ */ nativeBytes();
const encoder = /* @__PURE__ */ (() => new globals.TextEncoder())();
const strict = /* @__PURE__ */ (() => new globals.TextDecoder("utf-8", { fatal: true, ignoreBOM: true }))();
const latin1 = /* @__PURE__ */ (() => new globals.TextDecoder("latin1"))();

/** Imitations of `Buffer` have no native methods, and go the portable way. */
function nativeBytes(): NativeBytes | undefined {
  const bytes = globals.Buffer?.prototype;
  return bytes?.utf8Write && bytes.latin1Slice ? (bytes as NativeBytes) : undefined;
}

/** Writes a head: a major type in the upper three bits, and an argument of 0 to 2^53−1 in its shortest form. */
export function writeHead(writer: Writer, major: number, argument: number): void {
  writer.reserve(9);
  const { bytes, view, pos } = writer;
  let size = 1;
  if (argument < 24) {
    bytes[pos] = major | argument;
  } else if (argument < 0x100) {
    bytes[pos] = major | 24;
    bytes[pos + 1] = argument;
    size = 2;
  } else if (argument < 0x10000) {
    bytes[pos] = major | 25;
    view.setUint16(pos + 1, argument);
    size = 3;
  } else if (argument < 0x100000000) {
    bytes[pos] = major | 26;
    view.setUint32(pos + 1, argument);
    size = 5;
  } else {
    bytes[pos] = major | 27;
    view.setUint32(pos + 1, argument / 0x100000000);
    view.setUint32(pos + 5, argument);
    size = 9;
  }
  writer.pos = pos + size;
}

/** Bytes of the head with this argument, up to 2^32−1. */
function headSize(argument: number): number {
  return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x10000 ? 3 : 5;
}

/** Writes a head before what is already written, where `left` bytes from `start` on were left free for it. */
export function insertHead(writer: Writer, start: number, left: number, major: number, argument: number): void {
  // Also keeps the head's own call from growing the buffer, which would forget what lies behind it.
  writer.reserve(9);
  const more = headSize(argument) - left;
  const end = writer.pos;
  if (more !== 0) writer.bytes.copyWithin(start + left + more, start + left, end);
  writer.pos = start;
  writeHead(writer, major, argument);
  writer.pos = end + more;
}

/** Writes a text string, head and UTF-8, in its shortest form. Lone surrogates are a fault. */
export function writeText(writer: Writer, text: string): void {
  const units = text.length;
  if (units > LOOP_UNITS) return writeLongText(writer, text);
  writer.reserve(units + 2);
  const { bytes, pos } = writer;
  let at = pos + 1;
  if (units < 24) {
    bytes[pos] = 0x60 | units;
  } else {
    bytes[pos] = 0x78;
    bytes[at++] = units;
  }
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return writeLongText(writer, text);
    bytes[at++] = unit;
  }
  writer.pos = at;
}

/** Long or not all ASCII. `size` is the number of bytes where it is known. */
function writeLongText(writer: Writer, text: string, size?: number): void {
  const units = text.length;
  const isLarge = units > RESERVED_UNITS;
  const room = size ?? (isLarge ? units + SPARE_BYTES : 3 * units);
  const start = writer.pos;
  const left = headSize(size ?? units);
  writer.reserve(left + room);
  const { bytes } = writer;
  const at = start + left;
  const written = native
    ? native.utf8Write.call(bytes, text, at, room)
    : encoder.encodeInto(text, bytes.subarray(at, at + room)).written;
  if (written !== units && size === undefined) {
    if (!isWellFormed(text)) fail("text", "expected text, got a lone surrogate");
    if (isLarge) return writeLongText(writer, text, globals.Buffer?.byteLength(text) ?? encoder.encode(text).length);
  }
  writer.pos = at + written;
  insertHead(writer, start, left, 0x60, written);
}

/** The bytes as Latin-1: right for ASCII, and an identity for anything else. */
export function latin1Slice(bytes: Uint8Array, start: number, end: number): string {
  return native ? native.latin1Slice.call(bytes, start, end) : latin1.decode(bytes.subarray(start, end));
}

/** The bytes as UTF-8. Anything else is a fault. */
export function utf8Slice(bytes: Uint8Array, start: number, end: number): string {
  if (native) {
    // The native call puts U+FFFD for what is wrong. Without one in the text nothing was.
    const text = native.utf8Slice.call(bytes, start, end);
    if (!text.includes("\ufffd")) return text;
  }
  try {
    return strict.decode(bytes.subarray(start, end));
  } catch {
    return fail("text", "expected UTF-8");
  }
}
