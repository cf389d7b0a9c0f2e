import { Reader, type Writer } from "@pipit/codec";
import { readBlock, readByte, readVarint, writeBlock, writeByte, writeVarint } from "./bytes.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/*
 * A block of optional fields in a frame's head: u8 id (not 0), length, value; closed by a 0. A receiver skips ids it
 * does not know, so that fields can be added without a new version.
 */

/** Longest value of a field: metadata with room to spare. */
export const maxFieldBytes: number = 16 * 1024;

export function writeField(writer: Writer, id: number, value: Uint8Array): void {
  writeByte(writer, id);
  writeBlock(writer, value);
}

export function endFields(writer: Writer): void {
  writeByte(writer, 0);
}

/** Calls `each` with every field up to the closing 0. Values are views on the frame. */
export function readFields(
  reader: Reader,
  each: (id: number, value: Uint8Array) => void,
  mostBytes: number = maxFieldBytes,
): void {
  for (let id = readByte(reader); id !== 0; id = readByte(reader)) each(id, readBlock(reader, mostBytes));
}

/** A field whose value is a number. */
export function writeNumberField(writer: Writer, id: number, value: number): void {
  writeByte(writer, id);
  writeByte(writer, 0);
  const start = writer.pos;
  writeVarint(writer, value);
  // A number has at most eight bytes, so that its length has one.
  writer.bytes[start - 1] = writer.pos - start;
}

/** Reads what {@link writeNumberField} wrote. @throws ProtocolFault for anything else */
export function fieldNumber(value: Uint8Array): number {
  const reader = new Reader(value);
  try {
    const number = readVarint(reader);
    if (reader.pos === reader.end) return number;
  } catch {
    // It would tell of a frame that ends, which this one does not.
  }
  throw new ProtocolFault(`Field of ${value.length} bytes is no number`);
}
