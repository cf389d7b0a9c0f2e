import { native, refuseTorn, writeUtf8 } from "./text-encodings.ts";
import type { Writer } from "./writer.ts";

/** Longest text written by a loop, in units: a native call costs as much as some forty units, whatever its length. */
const LOOP_UNITS = 40;
/** Longest text for which the most that it can take is reserved. Longer ones are tried as ASCII first. */
const RESERVED_UNITS = 65_536;
/** Text from here on is worth a native call that looks for what could not be written. */
const LONG_UNITS = 1024;
/** Room after such a text, so that a character of several bytes that is cut off cannot make it look like ASCII. */
const SPARE_BYTES = 4;

/**
 * Puts a head where there is room: a major type in the upper three bits, and an argument of 0 to 2^53−1 in its shortest
 * form. Gives the position after it.
 */
export function putHead(bytes: Uint8Array, view: DataView, pos: number, major: number, argument: number): number {
  if (argument < 24) {
    bytes[pos] = major | argument;
    return pos + 1;
  }
  if (argument < 0x100) {
    bytes[pos] = major | 24;
    bytes[pos + 1] = argument;
    return pos + 2;
  }
  if (argument < 0x10000) {
    bytes[pos] = major | 25;
    view.setUint16(pos + 1, argument);
    return pos + 3;
  }
  if (argument < 0x100000000) {
    bytes[pos] = major | 26;
    view.setUint32(pos + 1, argument);
    return pos + 5;
  }
  bytes[pos] = major | 27;
  view.setUint32(pos + 1, argument * 2 ** -32);
  view.setUint32(pos + 5, argument);
  return pos + 9;
}

/** Writes a head. */
export function writeHead(writer: Writer, major: number, argument: number): void {
  writer.reserve(9);
  writer.pos = putHead(writer.bytes, writer.view, writer.pos, major, argument);
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

/** Long or not all ASCII: as such at first where it is very long, then with room for the most that it can take. */
function writeLongText(writer: Writer, text: string, room?: number): void {
  const units = text.length;
  const start = writer.pos;
  const left = headSize(units);
  writer.reserve(left + (room ?? (units > RESERVED_UNITS ? units + SPARE_BYTES : 3 * units)));
  const at = start + left;
  const written = writeUtf8(writer.bytes, at, text);
  if (written !== units) {
    // What did not fit has not been looked at either.
    if (units > RESERVED_UNITS && room === undefined) return writeLongText(writer, text, 3 * units);
    // Node writes U+FFFD for a surrogate without its partner: to find none takes a tenth of a look at the text.
    const isWhole =
      units > LONG_UNITS && native?.indexOf.call(writer.bytes.subarray(at, at + written), "\ufffd") === -1;
    if (!isWhole) refuseTorn(text);
  }
  writer.pos = at + written;
  insertHead(writer, start, left, 0x60, written);
}
