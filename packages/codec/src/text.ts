/**
 * Writes the text sections at the end of a message (docs/codec-format.md, section 5): the characters of all strings in one
 * place, so that a message needs one native call for its text and not one per string.
 */
import { refuseTorn, refuseTornUtf16, writeLatin1, writeUtf16, writeUtf8 } from "./text-encodings.ts";
import type { Writer } from "./writer.ts";

/** Units of a wide text looked at to choose between UTF-8 and UTF-16. Normative. */
const SAMPLE_UNITS = 256;
/** Characters of narrow text gathered into one string: V8 gives larger ones pages of their own, fresh for each. */
export const TEXT_PIECE = 16_384;

/**
 * Writes both sections and their lengths at `start`, and gives the position after them; -1 when `narrow` is not. Before
 * `narrow` come the `pieces`.
 */
export function writeText(
  writer: Writer,
  start: number,
  narrow: string,
  wide?: readonly string[],
  pieces?: readonly string[],
): number {
  let pos = start;
  if (pieces !== undefined) for (const piece of pieces) pos = writeNarrow(writer, pos, piece);
  pos = writeNarrow(writer, pos, narrow);
  if (pos < 0) return pos;
  const units = pos - start;
  if (wide?.length) return writeWide(writer, pos, wide, units);
  return units < 64 ? ((writer.bytes[pos] = units << 1), pos + 1) : writeBackwards(writer.bytes, pos, units, 0);
}

/** Writes one character a byte; gives the position after them, or -1 for one past U+00FF, or when `pos` is that already. */
function writeNarrow(writer: Writer, pos: number, narrow: string): number {
  if (pos < 0) return pos;
  writer.pos = pos;
  // 4 bytes more than ASCII takes: whatever is not ASCII then takes more than its units, cut off or not.
  writer.reserve(narrow.length + 16);
  return writeLatin1(writer.bytes, pos, narrow);
}

function writeWide(writer: Writer, start: number, strings: readonly string[], narrowUnits: number): number {
  let length = 0;
  for (const each of strings) {
    length += each.length;
    // What is well-formed when joined is so in parts, too, unless a pair of surrogates is split.
    if ((each.charCodeAt(0) & 0xfc00) === 0xdc00) refuseTorn(each);
  }
  const short = length < SAMPLE_UNITS;
  const wide = short ? "" : joined(strings);
  let utf16 = prefersUtf16(wide);
  writer.pos = start;
  writer.reserve(length * (utf16 ? 2 : 3) + 32);
  const { bytes, view } = writer;
  let size = 0;
  if (short) {
    size = writeShort(bytes, start, strings);
    utf16 = size === 0;
  } else if (!utf16) {
    refuseTorn(wide);
    size = writeUtf8(bytes, start, wide);
  }
  if (utf16) {
    size = length * 2;
    const text = wide || joined(strings);
    writeUtf16(bytes, view, start, text);
    refuseTornUtf16(view, start, start + size, text);
  }
  const pos = writeBackwards(bytes, start + size, size, utf16 ? 1 : 0);
  return writeBackwards(bytes, pos, narrowUnits, 1);
}

/** As `join`, in less time. */
function joined(strings: readonly string[]): string {
  return strings.reduce((all, each) => all + each);
}

/**
 * Writes text of which each unit is in the sample, as UTF-8, in one loop instead of three calls; gives the number of bytes, or
 * 0 where UTF-16 is the smaller form. String by string: to join them would take as long as to write them.
 */
function writeShort(bytes: Uint8Array, start: number, strings: readonly string[]): number {
  let pos = start;
  let saved = 0;
  for (const text of strings)
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
          if (unit > 0xdbff || (lower & 0xfc00) !== 0xdc00) refuseTorn(text);
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

/** A length and a flag as a base-128 number whose lowest group is its last byte. Gives the position after it. */
function writeBackwards(bytes: Uint8Array, start: number, length: number, flag: number): number {
  let rest = length * 2 + flag;
  let end = start + 1;
  for (let more = rest; more > 127; more >>>= 7) end++;
  for (let pos = end; pos > start; rest >>>= 7) bytes[--pos] = rest > 127 ? rest | 128 : rest;
  return end;
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
