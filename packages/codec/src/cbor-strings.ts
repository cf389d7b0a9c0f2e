import { readLatin1, readUtf8 } from "./text-encodings.ts";
import {
  bytes,
  charge,
  end,
  ends,
  expected,
  INDEFINITE,
  lengthOf,
  next,
  pos,
  seek,
  suspect,
  view,
  views,
} from "./cbor-input.ts";

/** Text is cut from pages of the message that are converted whole: one native call for many strings. */
const PAGE_BYTES = 4096;
/** Longer text is converted by itself, so that it holds no page alive and pages hardly overlap. */
const LONG_TEXT_BYTES = 256;
/** Strings of a message that are converted by themselves: a page for a few strings does not pay. */
const STRINGS_BEFORE_PAGES = 2;

let page = "";
let pageStart = 0;
let pageEnd = 0;
let strings = 0;

/** Forgets the page of another message. */
export function closePages(): void {
  page = "";
  strings = pageEnd = 0;
}

/** The text of `length` bytes that comes next. */
export function text(length: number): string {
  const start = pos;
  const stop = next(length);
  seek(stop);
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
  suspect(start);
  return readUtf8(bytes, start, stop);
}

/** Text that is long, or of indefinite length. */
export function longText(info: number, at: number): string {
  const length = lengthOf(info, at, 1);
  if (length !== INDEFINITE) return text(length);
  let joined = "";
  while (!ends()) joined += text(chunk(3));
  return joined;
}

/** The length of the next chunk of a string of indefinite length, which must be definite and of the same type. */
function chunk(major: number): number {
  const at = pos;
  seek(next(1));
  const head = bytes[at]!;
  if (head >> 5 !== major || head % 32 === 31) expected("a chunk of the same string", at);
  return lengthOf(head & 31, at, 1);
}

export function byteString(info: number, at: number): Uint8Array {
  charge(at);
  const length = lengthOf(info, at, 1);
  const start = pos;
  if (length !== INDEFINITE) {
    seek(start + length);
    if (views) return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
    return new Uint8Array(bytes.subarray(start, pos));
  }
  // Once to learn the size, and once to copy.
  let joined = new Uint8Array(0);
  for (let round = 0; round < 2; round++) {
    let size = 0;
    seek(start);
    while (!ends()) {
      const length = chunk(2);
      if (round > 0) joined.set(bytes.subarray(pos, pos + length), size);
      size += length;
      seek(pos + length);
    }
    if (round === 0) joined = new Uint8Array(size);
  }
  return joined;
}
