/** Characters ↔ bytes: Latin-1, UTF-8 and UTF-16, natively where there is a `Buffer`, else by portable code. */
import { fail } from "./fault.ts";

interface NativeText {
  latin1Write(text: string, offset: number): number;
  utf8Write(text: string, offset: number): number;
  ucs2Write(text: string, offset: number): number;
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  indexOf(text: string): number;
  ucs2Slice(start: number, end: number): string;
}

interface Globals {
  readonly Buffer?: { readonly prototype: NativeText };
  readonly TextEncoder: new () => { encodeInto(text: string, bytes: Uint8Array): { written: number } };
}

/** Below this a loop over characters beats a native call. Measured on Node 20. */
const LOOP_CHARS = 24;
/** From here on looking for wide characters and copying beats converting to UTF-8. Measured on Node 20. */
const LONG_CHARS = 1024;
/** Bytes that become a piece of a string at a time where no native call makes all of it. */
const PIECE_BYTES = 8192;

const { Buffer, TextEncoder } = globalThis as unknown as Globals;
/** Absent in browsers; imitations of `Buffer` have no such methods, and go the portable way, too. */
export const native: NativeText | undefined = Buffer?.prototype.utf8Write && Buffer.prototype;
/**
 * UTF-8 of up to so many bytes is read by a loop. Before Node 24 a loop takes a third of the native call's time, whatever the
 * length; that has vector code since. `Float16Array` came with the same V8.
 */
const loopBytes = "Float16Array" in globalThis ? 32 : 0x7fffffff;
export const WIDE: RegExp = /[^\x00-\xff]/;

/** Whether `text` has a character past U+00FF: most that have begin with one. Of one-byte strings V8 knows without looking. */
export function isWide(text: string): boolean {
  return text.charCodeAt(0) > 255 || WIDE.test(text);
}

/** Refuses text with a surrogate that has no partner. */
export function refuseTorn(text: string): void {
  const { isWellFormed } = text as { isWellFormed?: () => boolean };
  if (isWellFormed !== undefined ? !isWellFormed.call(text) : /\p{Cs}/u.test(text)) {
    fail("text", "expected text, got a lone surrogate");
  }
}

/** Writes one character a byte where there is room for 16 more; gives the position after them, or -1 for one past U+00FF. */
export function writeLatin1(bytes: Uint8Array, start: number, text: string): number {
  const units = text.length;
  if (units < LOOP_CHARS || native === undefined) {
    let seen = 0;
    for (let i = 0; i < units; i++) seen |= bytes[start + i] = text.charCodeAt(i);
    if (seen > 255) return -1;
  }
  // As many bytes as characters: ASCII. Long text is looked at first, as Latin-1 is then copied and not converted.
  else if (units >= LONG_CHARS || native.utf8Write.call(bytes, text, start) !== units) {
    if (isWide(text)) return -1;
    native.latin1Write.call(bytes, text, start);
  }
  return start + units;
}

/** Writes the units of a text, little-endian. */
export function writeUtf16(bytes: Uint8Array, view: DataView, start: number, text: string): void {
  if (native !== undefined) native.ucs2Write.call(bytes, text, start);
  else for (let i = 0; i < text.length; i++) view.setUint16(start + 2 * i, text.charCodeAt(i), true);
}

/** `bytes[start..end]` as UTF-16. */
export function readUtf16(bytes: Uint8Array, view: DataView, start: number, end: number): string {
  if (native !== undefined) return native.ucs2Slice.call(bytes, start, end);
  let text = "";
  for (let i = start; i < end; i += 2) text += String.fromCharCode(view.getUint16(i, true));
  return text;
}

/**
 * Refuses UTF-16 with a surrogate that has no partner. Units at or past U+C000 are looked for in the bytes, as surrogates are among them
 * and most text is not: only what has some is looked at as text.
 */
export function refuseTornUtf16(view: DataView, start: number, end: number, text: string): void {
  let seen = 0;
  let pos = start;
  let pair = 0;
  for (; pos + 32 <= end; pos += 32) {
    pair = view.getInt32(pos, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 4, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 8, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 12, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 16, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 20, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 24, true);
    seen |= pair & (pair << 1);
    pair = view.getInt32(pos + 28, true);
    seen |= pair & (pair << 1);
  }
  for (; pos < end; pos += 2) if (view.getUint16(pos, true) >= 0xc000) seen = -1;
  if ((seen & 0x80008000) !== 0) refuseTorn(text);
}

/** `bytes[start..end]` as UTF-8. Anything else is a fault. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  // The native call is fast on ASCII, everywhere: of long text some bytes tell.
  const step = (end - start) >> 4;
  let seen = step < 16 ? 0x80 : 0;
  if (seen === 0) for (let i = start; i < end; i += step) seen |= bytes[i] as number;
  if (native !== undefined && (seen < 0x80 || end - start > loopBytes)) {
    const text = native.utf8Slice.call(bytes, start, end);
    // Node puts U+FFFD where bytes are wrong: without one, nothing was.
    if (!text.includes("\ufffd")) return text;
  }
  return readByLoop(bytes, start, end) ?? fail("text", "expected UTF-8");
}

let units: DataView | undefined;
let unitBytes: Uint8Array;

/** UTF-8 by way of UTF-16; undefined for anything else. */
function readByLoop(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (units === undefined) {
    unitBytes = new Uint8Array(PIECE_BYTES);
    units = new DataView(unitBytes.buffer);
  }
  const view = units;
  let text = "";
  let pos = start;
  while (pos < end) {
    // The last one may take two units.
    const stop = Math.min(end, pos + PIECE_BYTES / 2 - 1);
    let size = 0;
    while (pos < stop) {
      let unit = bytes[pos++] as number;
      if (unit >= 0x80) {
        const second = bytes[pos++] as number;
        if (unit < 0xc2 || (second & 0xc0) !== 0x80) return undefined;
        if (unit < 0xe0) unit = ((unit & 31) << 6) | (second & 63);
        else {
          const third = bytes[pos++] as number;
          if ((third & 0xc0) !== 0x80) return undefined;
          const rest = ((second & 63) << 6) | (third & 63);
          if (unit < 0xf0) {
            unit = ((unit & 15) << 12) | rest;
            if (unit < 0x800 || (unit & 0xf800) === 0xd800) return undefined;
          } else {
            const fourth = bytes[pos++] as number;
            const point = ((unit & 15) << 18) | (rest << 6) | (fourth & 63);
            if ((fourth & 0xc0) !== 0x80 || point < 0x10000 || point > 0x10ffff) return undefined;
            view.setUint16(size, 0xd7c0 + (point >> 10), true);
            size += 2;
            unit = 0xdc00 | (point & 0x3ff);
          }
        }
      }
      view.setUint16(size, unit, true);
      size += 2;
    }
    text += readUtf16(unitBytes, view, 0, size);
  }
  return pos === end ? text : undefined;
}

/** Writes well-formed text as UTF-8, as far as it fits; gives the number of bytes. */
export function writeUtf8(bytes: Uint8Array, pos: number, text: string): number {
  return native !== undefined
    ? native.utf8Write.call(bytes, text, pos)
    : new TextEncoder().encodeInto(text, bytes.subarray(pos)).written;
}

/** `bytes[start..end]` as Latin-1. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  const size = end - start;
  if (size <= 12) return readTiny(bytes, start, size);
  if (native !== undefined) return native.latin1Slice.call(bytes, start, end);
  let text = "";
  for (let at = start; at < end; at += PIECE_BYTES) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + PIECE_BYTES, end)) as unknown as number[]);
  }
  return text;
}

/** Up to 12 characters, faster than a native call. */
function readTiny(bytes: Uint8Array, at: number, size: number): string {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  if (size < 4) {
    if (size === 0) return "";
    if (size === 1) return String.fromCharCode(a);
    return size === 2 ? String.fromCharCode(a, b) : String.fromCharCode(a, b, c);
  }
  if (size === 4) return String.fromCharCode(a, b, c, d);
  const e = bytes[at + 4] as number;
  const f = bytes[at + 5] as number;
  const g = bytes[at + 6] as number;
  const h = bytes[at + 7] as number;
  if (size === 5) return String.fromCharCode(a, b, c, d, e);
  if (size === 6) return String.fromCharCode(a, b, c, d, e, f);
  if (size === 7) return String.fromCharCode(a, b, c, d, e, f, g);
  const head = String.fromCharCode(a, b, c, d, e, f, g, h);
  return size === 8 ? head : head + readTiny(bytes, at + 8, size - 8);
}
