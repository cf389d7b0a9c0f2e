import type { Compression, CompressionAlgorithm } from "../compression.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/*
 * Which compression two peers share (wire protocol, section "Compression").
 */

/** Shorter messages are not worth it, whatever the method asks. */
export const leastPackedBytes = 1024;

/** Number of an algorithm on the wire; its feature is the bit below. */
const numbers: readonly (CompressionAlgorithm | undefined)[] = [undefined, "deflate", "zstd"];

/** A message being packed. */
export interface Packing {
  readonly body: Uint8Array;
  /** Credit that was spent for it where it is an item: goes back when its frame is never written. */
  charge: number;
}

/** What the head of a packed message says. */
export interface PackedHead {
  readonly algorithm: CompressionAlgorithm;
  /** Size of the message when unpacked. */
  readonly bytes: number;
}

/** The preface's bits for what this side can unpack. */
export function featuresOf(compression: Compression | undefined): number {
  return (compression?.algorithms ?? []).reduce((bits, name) => bits | (1 << (numberOf(name) - 1)), 0);
}

/** The best algorithm of ours that the peer can unpack. */
export function sharedAlgorithm(
  compression: Compression | undefined,
  features: number,
): CompressionAlgorithm | undefined {
  return compression?.algorithms.find((name) => (features & (1 << (numberOf(name) - 1))) !== 0);
}

export function numberOf(algorithm: CompressionAlgorithm): number {
  return numbers.indexOf(algorithm);
}

/** @throws ProtocolFault when we have not said that we can unpack it */
export function algorithmOf(number: number, compression: Compression | undefined): CompressionAlgorithm {
  const name = numbers[number];
  if (name === undefined || compression?.algorithms.includes(name) !== true) {
    throw new ProtocolFault(`Compression ${number} was not offered`);
  }
  return name;
}
