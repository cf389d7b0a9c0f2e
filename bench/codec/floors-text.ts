// Floors of the data sets that are one long string or blob.
import { type Floors, Slab, refuse } from "./floor.ts";

/** Bytes before and after the characters of a long text: its length twice, in base 128. */
const LENGTH_BYTES = 3;

const slab = new Slab(524_288);

/** Narrow text has nothing to check: every byte is a Latin-1 character. */
export const textAscii: Floors = {
  encode: {
    checked(text: string) {
      const start = slab.take(text.length + 2 * LENGTH_BYTES + 16);
      const { bytes } = slab;
      // Two-byte strings would lose their upper bytes. V8 knows of one-byte strings that nothing matches.
      if (typeof text !== "string" || /[^\x00-\xff]/.test(text)) refuse();
      const end = start + LENGTH_BYTES + bytes.latin1Write(text, start + LENGTH_BYTES);
      writeLengths(bytes, start, end, text.length * 2, text.length * 2);
      return slab.message(start, end + LENGTH_BYTES);
    },
    unchecked(text: string) {
      const start = slab.take(text.length + 2 * LENGTH_BYTES);
      const { bytes } = slab;
      const end = start + LENGTH_BYTES + bytes.latin1Write(text, start + LENGTH_BYTES);
      writeLengths(bytes, start, end, text.length * 2, text.length * 2);
      return slab.message(start, end + LENGTH_BYTES);
    },
  },
  decode: {
    checked(bytes: Buffer) {
      const end = bytes.length - LENGTH_BYTES;
      if (readLength(bytes) !== 2 * (end - LENGTH_BYTES)) refuse();
      return bytes.latin1Slice(LENGTH_BYTES, end);
    },
  },
};

/** UTF-16: its size and a zero for the narrow text stand behind. */
export const textChinese: Floors = {
  encode: {
    checked(text: string) {
      if (typeof text !== "string" || !prefersUtf16(text)) refuse();
      const message = encodeUtf16(text);
      if (hasSurrogates(slab.view, slab.at - message.length + LENGTH_BYTES, text.length * 2)) refuse();
      return message;
    },
    unchecked: encodeUtf16,
  },
  decode: {
    checked(bytes: Buffer) {
      const size = bytes.length - 2 * LENGTH_BYTES - 1;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (readLength(bytes) !== size + 1 || hasSurrogates(view, LENGTH_BYTES, size)) refuse();
      return bytes.ucs2Slice(LENGTH_BYTES, LENGTH_BYTES + size);
    },
    unchecked: (bytes: Buffer) => bytes.ucs2Slice(LENGTH_BYTES, bytes.length - LENGTH_BYTES - 1),
  },
};

function encodeUtf16(text: string): Uint8Array {
  const start = slab.take(text.length * 2 + 16);
  const { bytes } = slab;
  const end = start + LENGTH_BYTES + bytes.ucs2Write(text, start + LENGTH_BYTES);
  writeLengths(bytes, start, end, text.length * 2 + 1, text.length * 4 + 1);
  bytes[end + LENGTH_BYTES] = 1;
  return slab.message(start, end + LENGTH_BYTES + 1);
}

/** The choice between UTF-16 and UTF-8 is part of the format: bytes depend on 256 units. */
function prefersUtf16(text: string): boolean {
  let saved = 0;
  for (let i = 0, step = 1 + (text.length >> 8); i < text.length; i += step) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) saved--;
    else if (unit >= 0x800 && (unit & 0xf800) !== 0xd800) saved++;
  }
  return saved > 0;
}

/** Whether a unit is at or past U+C000, as surrogates are: two units per word, eight words at a time. */
function hasSurrogates(view: DataView, start: number, size: number): boolean {
  let seen = 0;
  let pos = start;
  for (const end = start + size; pos + 32 <= end; pos += 32) {
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
  for (; pos < start + size; pos += 2) if (view.getUint16(pos, true) >= 0xc000) return true;
  return (seen & 0x80008000) !== 0;
}

const blobs = new Slab(4_194_304);

/** A blob has nothing to check but its type. */
export const blob: Floors = {
  encode: {
    checked(value: Uint8Array) {
      const { length } = value;
      const start = blobs.take(length + LENGTH_BYTES);
      if (!(value instanceof Uint8Array)) refuse();
      writeLeb(blobs.bytes, start, length);
      blobs.bytes.set(value, start + LENGTH_BYTES);
      return blobs.message(start, start + LENGTH_BYTES + length);
    },
  },
};

function writeLengths(bytes: Buffer, start: number, end: number, forwards: number, backwards: number): void {
  writeLeb(bytes, start, forwards);
  bytes[end] = backwards >> 14;
  bytes[end + 1] = (backwards >> 7) | 128;
  bytes[end + 2] = backwards | 128;
}

/** A number of three bytes. */
function writeLeb(bytes: Buffer, pos: number, value: number): void {
  bytes[pos] = value | 128;
  bytes[pos + 1] = (value >> 7) | 128;
  bytes[pos + 2] = value >> 14;
}

function readLength(bytes: Buffer): number {
  return ((bytes[0] as number) & 127) | (((bytes[1] as number) & 127) << 7) | ((bytes[2] as number) << 14);
}
