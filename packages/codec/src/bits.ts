/** Head bits: little-endian within a run of bytes, lowest bit first (docs/codec-format.md, section 3). */
import { fail } from "./fault.ts";
import type { Node } from "./node.ts";
import type { In, Out } from "./state.ts";

/** ORs `width` bits (up to 16) into zeroed bytes, at bit `offset` from `start`. */
export function putBits(bytes: Uint8Array, start: number, offset: number, width: number, value: number): void {
  let pos = start + Math.floor(offset / 8);
  const shift = offset & 7;
  for (let rest = value << shift, left = shift + width; left > 0; left -= 8, rest >>>= 8) {
    bytes[pos] = (bytes[pos] as number) | (rest & 255);
    pos++;
  }
}

export function getBits(bytes: Uint8Array, start: number, offset: number, width: number): number {
  const pos = start + Math.floor(offset / 8);
  const shift = offset & 7;
  let word = bytes[pos] as number;
  if (shift + width > 8) word |= (bytes[pos + 1] as number) << 8;
  if (shift + width > 16) word |= (bytes[pos + 2] as number) << 16;
  return (word >> shift) & ((1 << width) - 1);
}

/** Reserves and zeroes the bytes for `bits` head bits; gives their position. */
export function openBits(out: Out, bits: number): number {
  const { writer } = out;
  const size = Math.ceil(bits / 8);
  writer.reserve(size);
  const start = writer.pos;
  if (size < 8) for (let i = 0; i < size; i++) writer.bytes[start + i] = 0;
  else writer.bytes.fill(0, start, start + size);
  writer.pos += size;
  return start;
}

/** Passes over the bytes of `bits` head bits and refuses unused bits that are set; gives their position. */
export function takeBits(from: In, bits: number): number {
  const size = Math.ceil(bits / 8);
  const start = from.skip(size);
  if ((bits & 7) !== 0 && (from.bytes[start + size - 1] as number) >> (bits & 7) !== 0) {
    fail("malformed", "unused bits are not zero");
  }
  return start;
}

/** Writes a value that has no container to hold its head: the root, and the payload of a union. */
export function encodeAlone(out: Out, node: Node, value: unknown): void {
  const head = node.head(out, value);
  if (node.bits > 0) putBits(out.writer.bytes, openBits(out, node.bits), 0, node.bits, head);
  node.encode(out, value, head);
}

export function decodeAlone(from: In, node: Node): unknown {
  const head = node.bits > 0 ? getBits(from.bytes, takeBits(from, node.bits), 0, node.bits) : 0;
  return node.decode(from, head);
}
