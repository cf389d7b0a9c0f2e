import { Reader, Writer } from "@pipit/codec";
import type { ServerIdentity } from "../transport.ts";
import { readByte, readText, readVarint, writeByte, writeText, writeVarint } from "./bytes.ts";
import type { SessionLimits } from "./limits.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { countedHeadBytes, FrameType, frameHeadBytes, highestVersion, lowestVersion, magic } from "./wire.ts";

/** What a side says of itself before anything else (wire protocol, section "Preface"). */
export interface Preface {
  readonly lowest: number;
  readonly highest: number;
  /** Bits of optional abilities; a sender sets only those it has, a receiver ignores those it does not know. */
  readonly features: number;
  /** Empty from clients. */
  readonly identity: ServerIdentity;
  readonly maxStreams: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxMessageBytes: number;
}

/** Longest server id or generation on the wire. */
const maxIdentityBytes = 128;

/** The preface of this implementation. */
export function ownPreface(limits: SessionLimits, identity: ServerIdentity, features = 0): Preface {
  const { maxStreams, streamWindowBytes, connectionWindowBytes, maxMessageBytes } = limits;
  return {
    lowest: lowestVersion,
    highest: highestVersion,
    features,
    identity,
    maxStreams,
    streamWindowBytes,
    connectionWindowBytes,
    maxMessageBytes,
  };
}

/** Magic and preface frame, as they stand on the wire. */
export function encodePreface(preface: Preface): Uint8Array {
  const writer = new Writer(128);
  writer.bytes.set(magic);
  writer.pos = magic.length + frameHeadBytes;
  writeByte(writer, preface.lowest);
  writeByte(writer, preface.highest);
  writeVarint(writer, preface.features);
  writeText(writer, preface.identity.id);
  writeText(writer, preface.identity.generation);
  writeVarint(writer, preface.maxStreams);
  writeVarint(writer, preface.streamWindowBytes);
  writeVarint(writer, preface.connectionWindowBytes);
  writeVarint(writer, preface.maxMessageBytes);
  writer.view.setUint32(magic.length, writer.pos - magic.length - frameHeadBytes + countedHeadBytes, true);
  writer.view.setUint8(magic.length + 4, FrameType.preface);
  writer.view.setUint32(magic.length + 5, 0, true);
  return writer.take();
}

/** Reads the payload of a preface frame. Bytes behind what version 1 knows are left alone. @throws ProtocolFault */
export function decodePreface(bytes: Uint8Array, start: number, end: number): Preface {
  const reader = new Reader(bytes, start, end);
  return {
    lowest: readByte(reader),
    highest: readByte(reader),
    features: readVarint(reader),
    identity: { id: readText(reader, maxIdentityBytes), generation: readText(reader, maxIdentityBytes) },
    maxStreams: readVarint(reader),
    streamWindowBytes: readVarint(reader),
    connectionWindowBytes: readVarint(reader),
    maxMessageBytes: readVarint(reader),
  };
}

/** @throws ProtocolFault when the peer speaks no version that this side does */
export function assertSpoken({ lowest, highest }: Preface): void {
  if (lowest <= highestVersion && highest >= lowestVersion) return;
  throw new ProtocolFault(
    `The peer speaks wire versions ${lowest} to ${highest}, this side ${lowestVersion} to ${highestVersion}`,
  );
}

/** How many bytes of `chunk` are magic, of which `seen` have come before; undefined when it is of another protocol. */
export function matchMagic(chunk: Uint8Array, seen: number): number | undefined {
  const count = Math.min(magic.length - seen, chunk.length);
  for (let at = 0; at < count; at++) if (chunk[at] !== magic[seen + at]) return undefined;
  return count;
}
