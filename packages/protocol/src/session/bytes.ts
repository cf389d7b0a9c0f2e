import { type Reader, Writer } from "@pipit/codec";
import { Metadata, maxMetadataBytes } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/*
 * Primitive values of frame heads. Writers reserve for themselves; readers check bounds and throw `ProtocolFault`.
 */

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longest varint: 53 bits in groups of seven. */
const maxVarintBytes = 8;

/** A whole number from 0 to 2^53 − 1: seven bits a byte, lowest first, the high bit says that more follow. */
export function writeVarint(writer: Writer, value: number): void {
  writer.reserve(maxVarintBytes);
  const { bytes } = writer;
  let rest = value > 0x7fffffff ? writeLowGroups(writer, value) : value;
  let { pos } = writer;
  while (rest > 0x7f) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[pos++] = rest;
  writer.pos = pos;
}

/** Writes groups until what is left, which it gives, has 31 bits. */
function writeLowGroups(writer: Writer, value: number): number {
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) writer.bytes[writer.pos++] = (rest % 128) | 0x80;
  return rest;
}

export function readVarint(reader: Reader): number {
  const first = readByte(reader);
  return first < 0x80 ? first : readLongVarint(reader, first);
}

function readLongVarint(reader: Reader, first: number): number {
  let value = first & 0x7f;
  let scale = 128;
  for (let i = 1; i < maxVarintBytes; i++) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (byte === 0 || value > Number.MAX_SAFE_INTEGER) throw new ProtocolFault("Over-long integer");
      return value;
    }
    scale *= 128;
  }
  throw new ProtocolFault("Over-long integer");
}

export function writeByte(writer: Writer, value: number): void {
  writer.reserve(1);
  writer.bytes[writer.pos++] = value;
}

export function readByte(reader: Reader): number {
  if (reader.pos >= reader.end) throw cutShort();
  return reader.bytes[reader.pos++] as number;
}

export function writeU32(writer: Writer, value: number): void {
  writer.reserve(4);
  writer.view.setUint32(writer.pos, value, true);
  writer.pos += 4;
}

function cutShort(): ProtocolFault {
  return new ProtocolFault("Frame ends inside its head");
}

export function readU32(reader: Reader): number {
  if (reader.end - reader.pos < 4) throw cutShort();
  const value = reader.view.getUint32(reader.pos, true);
  reader.pos += 4;
  return value;
}

/** Length as a varint, then the bytes. */
export function writeBlock(writer: Writer, block: Uint8Array): void {
  writeVarint(writer, block.length);
  writeRaw(writer, block);
}

/** The bytes as they are. */
export function writeRaw(writer: Writer, bytes: Uint8Array): void {
  writer.reserve(bytes.length);
  writer.bytes.set(bytes, writer.pos);
  writer.pos += bytes.length;
}

/** A view on the block: copy what outlives the frame. */
export function readBlock(reader: Reader, mostBytes: number): Uint8Array {
  const length = readVarint(reader);
  if (length > mostBytes) throw new ProtocolFault(`Block of ${length} bytes where at most ${mostBytes} are allowed`);
  if (length > reader.end - reader.pos) throw new ProtocolFault("Frame ends inside a block");
  const block = reader.bytes.subarray(reader.pos, reader.pos + length);
  reader.pos += length;
  return block;
}

export function writeText(writer: Writer, text: string): void {
  writeBlock(writer, utf8Encoder.encode(text));
}

export function readText(reader: Reader, mostBytes: number): string {
  return decodeText(readBlock(reader, mostBytes));
}

export function encodeText(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

export function decodeText(block: Uint8Array): string {
  try {
    return utf8Decoder.decode(block);
  } catch {
    throw new ProtocolFault("Text is not UTF-8");
  }
}

/** Cuts text to at most `mostBytes` of UTF-8, so that an over-long message still arrives. */
export function cutText(text: string, mostBytes: number): Uint8Array {
  const block = utf8Encoder.encode(text);
  if (block.length <= mostBytes) return block;
  let end = mostBytes;
  while (end > 0 && ((block[end] ?? 0) & 0xc0) === 0x80) end--;
  return block.subarray(0, end);
}

/** Pairs as: text name, u8 kind (0 text, 1 bytes), block value. @throws RpcError past {@link maxMetadataBytes} */
export function writeMetadata(writer: Writer, metadata: Metadata): void {
  if (metadata.byteLength > maxMetadataBytes) {
    throw new RpcError(
      "invalid_argument",
      `Metadata of ${metadata.byteLength} bytes: at most ${maxMetadataBytes} can be sent`,
    );
  }
  for (const [name, value] of metadata) {
    writeText(writer, name);
    writeByte(writer, typeof value === "string" ? 0 : 1);
    if (typeof value === "string") writeText(writer, value);
    else writeBlock(writer, value);
  }
}

/** Reads pairs up to the reader's end. */
export function readMetadata(reader: Reader): Metadata {
  if (reader.end - reader.pos > maxMetadataBytes) {
    throw new ProtocolFault(`Metadata of ${reader.end - reader.pos} bytes: at most ${maxMetadataBytes} are accepted`);
  }
  const metadata = new Metadata();
  while (reader.pos < reader.end) {
    const name = readText(reader, 128);
    const kind = readByte(reader);
    const block = readBlock(reader, maxMetadataBytes);
    try {
      metadata.set(name, kind === 0 ? decodeText(block) : copyOf(block));
    } catch (error) {
      throw new ProtocolFault(error instanceof Error ? error.message : "Bad metadata");
    }
  }
  return metadata;
}

/** Metadata as a block of its own. @throws RpcError when there is too much of it */
export function metadataBytes(metadata: Metadata): Uint8Array {
  const writer = new Writer(256);
  writeMetadata(writer, metadata);
  return writer.take();
}

const NodeBuffer = globalThis.Buffer as typeof Buffer | undefined;

/** Memory that is about to be overwritten: not zeroed first, and shared with nobody. */
export function allocate(size: number): Uint8Array {
  return NodeBuffer === undefined ? new Uint8Array(size) : NodeBuffer.allocUnsafeSlow(size);
}

/** Bytes of their own: a `Buffer`'s `slice` is a view. */
export function copyOf(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
