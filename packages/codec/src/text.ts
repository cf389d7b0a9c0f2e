/**
 * The text sections at the end of a message (docs/codec-format.md, section 5): the characters of all strings in one
 * place, so that a message needs one native call for its text and not one per string.
 */
import { fail, truncated } from "./fault.ts";
import { viewOf } from "./reader.ts";
import type { Writer } from "./writer.ts";

interface NativeText {
  latin1Write(text: string, offset: number): number;
  utf8Write(text: string, offset: number): number;
  ucs2Write(text: string, offset: number): number;
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  ucs2Slice(start: number, end: number): string;
}

interface Globals {
  readonly Buffer?: { readonly prototype: NativeText };
  readonly TextEncoder: new () => { encodeInto(text: string, bytes: Uint8Array): { written: number } };
}

/** Units of a wide text looked at to choose between UTF-8 and UTF-16. Normative. */
const SAMPLE_UNITS = 256;
/** Below this a loop over characters beats a native call. Measured on Node 20. */
const LOOP_CHARS = 24;
/** From here on looking for wide characters and copying beats converting to UTF-8. Measured on Node 20. */
const LONG_CHARS = 1024;
const CHUNK = 4096;
/** Characters of narrow text gathered into one string: V8 gives larger ones pages of their own, fresh for each. */
export const TEXT_PIECE = 16_384;
/** Memory for units of UTF-16 on their way into a string. */
const UNIT_BYTES = 8192;
const LONE = "expected text, got a lone surrogate";

const { Buffer, TextEncoder } = globalThis as unknown as Globals;
// Imitations of `Buffer` have no such methods, and go the portable way.
const native = Buffer?.prototype.utf8Write && Buffer.prototype;
/**
 * UTF-8 of up to so many bytes is read by a loop. Before Node 24 a loop takes a third of the native call's time, whatever the
 * length; that has vector code since. `Float16Array` came with the same V8.
 */
const loopBytes = "Float16Array" in globalThis ? 32 : Number.POSITIVE_INFINITY;
// On one-byte strings V8 knows without looking that this cannot match.
const WIDE = /[^\x00-\xff]/;

/** Whether `text` has a character past U+00FF. */
export function isWide(text: string): boolean {
  return WIDE.test(text);
}

/** Whether every surrogate of `text` has its partner. */
export function isWellFormed(text: string): boolean {
  const check = (text as { isWellFormed?: () => boolean }).isWellFormed;
  return check !== undefined ? check.call(text) : !/\p{Surrogate}/u.test(text);
}

/** Whether a string starts in the middle of a pair, or ends there. */
export function isTorn(text: string): boolean {
  return (text.charCodeAt(0) & 0xfc00) === 0xdc00 || (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

/**
 * Writes both sections and their lengths at `start`, and gives the position after them; -1 when `narrow` is not. Strings
 * in `wide` must not be torn. Before `narrow` come the `pieces`.
 */
export function writeText(
  writer: Writer,
  start: number,
  narrow: string,
  wide: string,
  pieces?: readonly string[],
): number {
  let pos = start;
  if (pieces !== undefined) for (const piece of pieces) if (pos >= 0) pos = writeNarrow(writer, pos, piece);
  if (pos >= 0) pos = writeNarrow(writer, pos, narrow);
  if (pos < 0) return -1;
  const units = pos - start;
  if (wide.length > 0) return writeWide(writer, pos, wide, units);
  return units < 64 ? ((writer.bytes[pos] = units << 1), pos + 1) : writeBackwards(writer.bytes, pos, units, 0);
}

/** Writes one character a byte; gives the position after them, or -1 for one past U+00FF. */
function writeNarrow(writer: Writer, pos: number, narrow: string): number {
  const units = narrow.length;
  // 4 bytes more than ASCII takes: whatever is not ASCII then takes more than `units`, cut off or not.
  if (writer.bytes.length - pos < units + 16) {
    writer.pos = pos;
    writer.reserve(units + 16);
  }
  const { bytes } = writer;
  if (units < LOOP_CHARS || native === undefined) {
    for (let i = 0; i < units; i++) {
      const unit = narrow.charCodeAt(i);
      if (unit > 255) return -1;
      bytes[pos++] = unit;
    }
  } else {
    // As many bytes as characters: ASCII. Long text is looked at first, as Latin-1 is then copied and not converted.
    if (units >= LONG_CHARS || native.utf8Write.call(bytes, narrow, pos) !== units) {
      if (isWide(narrow)) return -1;
      native.latin1Write.call(bytes, narrow, pos);
    }
    pos += units;
  }
  return pos;
}

function writeWide(writer: Writer, start: number, wide: string, narrowUnits: number): number {
  const { length } = wide;
  const short = length < SAMPLE_UNITS;
  let utf16 = !short && prefersUtf16(wide);
  writer.pos = start;
  writer.reserve(length * (utf16 ? 2 : 3) + 32);
  const { bytes, view } = writer;
  let size = 0;
  if (short) {
    size = writeShort(bytes, start, wide);
    utf16 = size === 0;
  } else if (!utf16) {
    refuseTorn(wide);
    size = writeUtf8(bytes, start, wide);
  }
  if (utf16) {
    size = length * 2;
    if (native !== undefined) native.ucs2Write.call(bytes, wide, start);
    else for (let i = 0; i < length; i++) view.setUint16(start + 2 * i, wide.charCodeAt(i), true);
    if (!short && hasUpperUnits(view, start, start + size)) refuseTorn(wide);
  }
  const pos = writeBackwards(bytes, start + size, size, utf16 ? 1 : 0);
  return writeBackwards(bytes, pos, narrowUnits, 1);
}

/**
 * Writes text of which each unit is in the sample, as UTF-8, in one loop instead of three calls; gives the number of bytes, or
 * 0 where UTF-16 is the smaller form.
 */
function writeShort(bytes: Uint8Array, start: number, text: string): number {
  let pos = start;
  let saved = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[pos++] = unit;
      saved--;
      continue;
    }
    if (unit < 0x800) bytes[pos++] = 0xc0 | (unit >> 6);
    else {
      if ((unit & 0xf800) !== 0xd800) {
        bytes[pos++] = 0xe0 | (unit >> 12);
        saved++;
      } else {
        const lower = text.charCodeAt(++i);
        if (unit > 0xdbff || (lower & 0xfc00) !== 0xdc00) fail("text", LONE);
        const point = (unit << 10) + lower - 0x35fdc00;
        bytes[pos] = 0xf0 | (point >> 18);
        bytes[pos + 1] = 0x80 | ((point >> 12) & 63);
        bytes[pos + 2] = 0x80 | ((point >> 6) & 63);
        bytes[pos + 3] = 0x80 | (point & 63);
        pos += 4;
        continue;
      }
      bytes[pos++] = 0x80 | ((unit >> 6) & 63);
    }
    bytes[pos++] = 0x80 | (unit & 63);
  }
  return saved > 0 ? 0 : pos - start;
}

function refuseTorn(text: string): void {
  if (!isWellFormed(text)) fail("text", LONE);
}

/** A length and a flag as a base-128 number whose lowest group is its last byte. */
function writeBackwards(bytes: Uint8Array, start: number, length: number, flag: number): number {
  let count = 1;
  for (let rest = length >>> 6; rest > 0; rest >>>= 7) count++;
  let pos = start + count - 1;
  let rest = length >>> 6;
  bytes[pos] = ((length & 63) << 1) | flag | (rest > 0 ? 128 : 0);
  for (; rest > 0; rest >>>= 7) bytes[--pos] = (rest & 127) | (rest > 127 ? 128 : 0);
  return start + count;
}

/** Whether UTF-16 is the smaller form, judged by at most 256 units, evenly spread. Normative: bytes depend on it. */
function prefersUtf16(text: string): boolean {
  const step = 1 + Math.floor(text.length / SAMPLE_UNITS);
  let saved = 0;
  for (let i = 0; i < text.length; i += step) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) saved--;
    else if (unit >= 0x800 && (unit & 0xf800) !== 0xd800) saved++;
  }
  return saved > 0;
}

/** Whether a unit of the UTF-16 section is at or past U+C000, as surrogates are and most text is not. */
function hasUpperUnits(view: DataView, start: number, end: number): boolean {
  let seen = 0;
  let pos = start;
  for (; pos + 32 <= end; pos += 32) {
    const a = view.getInt32(pos, true);
    const b = view.getInt32(pos + 4, true);
    const c = view.getInt32(pos + 8, true);
    const d = view.getInt32(pos + 12, true);
    const e = view.getInt32(pos + 16, true);
    const f = view.getInt32(pos + 20, true);
    const g = view.getInt32(pos + 24, true);
    const h = view.getInt32(pos + 28, true);
    seen |= (a & (a << 1)) | (b & (b << 1)) | (c & (c << 1)) | (d & (d << 1));
    seen |= (e & (e << 1)) | (f & (f << 1)) | (g & (g << 1)) | (h & (h << 1));
  }
  for (; pos < end; pos += 2) if (view.getUint16(pos, true) >= 0xc000) return true;
  return (seen & 0x80008000) !== 0;
}

/** The wide section as a string, checked. */
function readWide(bytes: Uint8Array, view: DataView, start: number, end: number, utf16: boolean): string {
  if (utf16) {
    const text = readUtf16(bytes, view, start, end);
    if (hasUpperUnits(view, start, end) && !isWellFormed(text)) fail("text", "expected UTF-16, got a lone surrogate");
    return text;
  }
  return readUtf8(bytes, start, end);
}

function readUtf16(bytes: Uint8Array, view: DataView, start: number, end: number): string {
  if (native !== undefined) return native.ucs2Slice.call(bytes, start, end);
  let text = "";
  for (let i = start; i < end; i += 2) text += String.fromCharCode(view.getUint16(i, true));
  return text;
}

/** `bytes[start..end]` as UTF-8. Anything else is a fault. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  // The native call is fast on ASCII, everywhere: some bytes tell.
  let seen = 0;
  for (let i = start, step = 1 + ((end - start) >> 4); i < end; i += step) seen |= bytes[i] as number;
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
    unitBytes = new Uint8Array(UNIT_BYTES);
    units = new DataView(unitBytes.buffer);
  }
  const view = units;
  let text = "";
  let pos = start;
  while (pos < end) {
    // The last one may take two units.
    const stop = Math.min(end, pos + UNIT_BYTES / 2 - 1);
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
  for (let at = start; at < end; at += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + CHUNK, end)) as unknown as number[]);
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

/** Bytes of narrow text that are made into one string at a time: what a kept short string keeps alive at most. */
const PAGE_BYTES = 4096;
/** Strings from this length on get a slice of their own. */
const OWN_SLICE_BYTES = 1024;

/** Takes strings from the text sections of one message, in order. */
export class TextReader {
  #bytes!: Uint8Array;
  #view: DataView | undefined;
  /** The narrow text that is left. Compiled code takes narrow strings by itself. */
  start = 0;
  end = 0;
  #page = "";
  #pageStart = 0;
  #pageEnd = 0;
  #wide: string | undefined;
  #wideStart = 0;
  #wideEnd = 0;
  #utf16 = false;
  #taken = 0;
  #at = 0;

  /** Finds the sections of the message `bytes[start..end]`; gives the position where its data ends. */
  open(bytes: Uint8Array, view: DataView | undefined, start: number, end: number): number {
    this.#bytes = bytes;
    this.#view = view;
    this.#taken = 0;
    this.#wide = undefined;
    this.#page = "";
    if (end <= start) truncated();
    let pos = end - 1;
    const last = bytes[pos] as number;
    if (last < 128 && (last & 1) === 0) {
      this.#wideStart = this.#wideEnd = this.end = pos;
      this.start = pos - (last >> 1);
    } else {
      pos = this.#openLong(start, end);
    }
    if (this.start < start) truncated();
    this.#pageStart = this.#pageEnd = this.start;
    return this.start;
  }

  #openLong(start: number, end: number): number {
    const narrow = this.#backwards(start, end);
    const narrowSize = Math.floor(narrow / 2);
    this.#wideStart = this.#wideEnd = this.#at;
    if (narrow % 2 === 1) {
      const wide = this.#backwards(start, this.#at);
      const size = Math.floor(wide / 2);
      this.#utf16 = wide % 2 === 1;
      if (size === 0 || (this.#utf16 && size % 2 === 1)) fail("malformed", "wide text of impossible size");
      this.#wideEnd = this.#at;
      this.#wideStart = this.#at - size;
    }
    this.end = this.#wideStart;
    this.start = this.end - narrowSize;
    return this.#at;
  }

  /** A length before `end`; where it begins is then in `#at`. */
  #backwards(start: number, end: number): number {
    let pos = end;
    let value = 0;
    for (let scale = 1, count = 0; count < 6; scale *= 128, count++) {
      if (pos <= start) truncated();
      const byte = this.#bytes[--pos] as number;
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (byte === 0 && count > 0) fail("malformed", "over-long text length");
        this.#at = pos;
        return value;
      }
    }
    fail("malformed", "text length past its bounds");
  }

  /** The next string, of `units` characters, from the narrow or the wide section. */
  take(units: number, wide: boolean): string {
    if (wide) return this.#takeWide(units);
    const start = this.start;
    const end = start + units;
    if (end > this.end) truncated();
    this.start = end;
    if (end > this.#pageEnd) {
      if (units >= OWN_SLICE_BYTES) {
        this.#pageEnd = 0;
        return readLatin1(this.#bytes, start, end);
      }
      this.#pageStart = start;
      this.#pageEnd = Math.min(start + PAGE_BYTES, this.end);
      this.#page = readLatin1(this.#bytes, start, this.#pageEnd);
    }
    return this.#page.substring(start - this.#pageStart, end - this.#pageStart);
  }

  #takeWide(units: number): string {
    this.#wide ??= readWide(
      this.#bytes,
      this.#view ?? viewOf(this.#bytes),
      this.#wideStart,
      this.#wideEnd,
      this.#utf16,
    );
    const end = this.#taken + units;
    if (end > this.#wide.length || this.#wideStart === this.#wideEnd) truncated();
    const text = this.#wide.substring(this.#taken, end);
    if (units === 0 || isTorn(text)) fail("malformed", "wide string that is empty or splits a surrogate pair");
    this.#taken = end;
    return text;
  }

  /** Refuses text that no string took. */
  close(): void {
    if (this.start !== this.end) fail("trailing", "text is left over that no string took");
    this.closeWide();
  }

  closeWide(): void {
    if (this.#wideStart !== this.#wideEnd && this.#wide?.length !== this.#taken) {
      fail("trailing", "wide text is left over that no string took");
    }
  }
}
