import type { Reader } from "@pipit/codec";
import { readByte } from "./bytes.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { Flag, knownFlags } from "./wire.ts";

/** Reads the flags of a frame. What an unknown one announces cannot be skipped. @throws ProtocolFault when there is one */
export function readFlags(reader: Reader, frame: keyof typeof knownFlags): number {
  const flags = readByte(reader);
  if ((flags & ~knownFlags[frame]) !== 0) throw unknownFlags(flags, frame);
  return flags;
}

function unknownFlags(flags: number, frame: keyof typeof knownFlags): ProtocolFault {
  const known = knownFlags[frame].toString(16);
  return new ProtocolFault(`Flags 0x${flags.toString(16)} of a frame (${frame}): expected none but 0x${known}`);
}

/** Whether a message with these flags is whole in its frame. */
export function isPlain(flags: number): boolean {
  return (flags & (Flag.chunked | Flag.compressed)) === 0;
}
