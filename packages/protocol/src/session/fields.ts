import type { Reader, Writer } from "@pipit/codec";
import { readBlock, readByte, writeBlock, writeByte } from "./bytes.ts";
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

/** A number as the value of a field. */
export function numberField(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Reads what {@link numberField} wrote. @throws ProtocolFault for anything else */
export function fieldNumber(value: Uint8Array): number {
  let number = 0;
  let scale = 1;
  for (const [index, byte] of value.entries()) {
    number += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    if (index === value.length - 1 && number <= Number.MAX_SAFE_INTEGER) return number;
    break;
  }
  throw new ProtocolFault(`Field of ${value.length} bytes is no number`);
}
