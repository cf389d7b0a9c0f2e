/**
 * The messages of the gossip protocol and how they lie in bytes (`docs/membership.md`, "Wire").
 * A packet body is a row of messages: type u8, length u16, body. An unknown type is skipped by its length, and what
 * follows the known fields of a member or record is kept and forwarded, so members of two versions share a cluster.
 */
import type { Reader, Writer } from "./bytes.ts";
import { MAX_EXTRA_BYTES, MAX_RECORD_BYTES } from "./config.ts";
import { fold, hashName, mix } from "./hash.ts";
import type { MemberState } from "./types.ts";

export const MessageType = {
  ping: 1,
  ack: 2,
  pingRequest: 3,
  nack: 4,
  update: 5,
  rumor: 6,
  challenge: 7,
  echo: 8,
  streamPing: 9,
  streamAck: 10,
  confirm: 11,
  confirmReply: 12,
  syncStart: 13,
  syncSame: 14,
  syncEntries: 15,
  syncPush: 16,
  pull: 17,
  records: 18,
} as const;

/** Rank of a state at equal generation and incarnation: the later one wins. Also its number on the wire. */
export const STATES: readonly MemberState[] = ["alive", "suspect", "dead", "left"];
export const ALIVE = 0;
export const SUSPECT = 1;
export const DEAD = 2;
export const LEFT = 3;

const HAS_SALT = 4;
const NOTHING = new Uint8Array(0);

/** A claim about one member, as read from the wire. */
export interface Update {
  /** 64-bit name of (id, generation), as two signed halves. */
  tagHigh: number;
  tagLow: number;
  incarnation: number;
  /** One of {@link ALIVE} … {@link LEFT}. */
  rank: number;
  /** Who suspects, as a hash of its id; 0 unless suspect. */
  accuser: number;
  generation: number;
  id: string;
  address: string;
  /** The 16-byte salt under which this life of the member seals, if it seals. */
  salt: Uint8Array | undefined;
  /** Fields of later versions, kept as they are. */
  extra: Uint8Array;
}

/** A record as it travels. `value` undefined is a tombstone. */
export interface RecordEntry {
  version: number;
  key: string;
  value: Uint8Array | undefined;
  /** Fields of later versions, kept as they are. */
  extra: Uint8Array;
}

/** High half of the tag: what a ping names its target by, instead of 70 bytes of id and generation. */
export function tagHighOf(id: string, generation: number): number {
  return fold(fold(hashName(id, 0x51ed270b), generation >>> 0), Math.floor(generation / 2 ** 32));
}

/** Low half of the tag. */
export function tagLowOf(id: string, generation: number): number {
  return fold(fold(hashName(id, 0x2545f491), generation >>> 0), Math.floor(generation / 2 ** 32));
}

/** Which bucket an id falls into, before masking; also the number an accuser goes by (never 0). Signed. */
export function idHash(id: string): number {
  return mix(hashName(id, 0x1b873593)) || 1;
}

/** Starts a message; returns where its length must be patched by {@link endMessage}. */
export function beginMessage(w: Writer, type: number): number {
  w.u8(type);
  w.u16(0);
  return w.pos;
}

export function endMessage(w: Writer, start: number): void {
  w.patchU16(start - 2, w.pos - start);
}

/** Bytes of the head of a message. */
export const MESSAGE_HEAD_BYTES = 3;

export function writeUpdate(w: Writer, u: Update): void {
  w.u32(u.tagHigh);
  w.u32(u.tagLow);
  w.u32(u.incarnation);
  w.u8(u.rank | (u.salt === undefined ? 0 : HAS_SALT));
  w.u32(u.accuser);
  w.u48(u.generation);
  w.name(u.id);
  w.name(u.address);
  if (u.salt !== undefined) w.raw(u.salt);
  w.raw(u.extra);
}

/** Reads the head of an update only: enough to drop old news without decoding it. */
export function readUpdateHead(r: Reader, into: Update): void {
  into.tagHigh = r.i32();
  into.tagLow = r.i32();
  into.incarnation = r.u32();
  into.rank = r.u8();
  into.accuser = r.i32();
}

/** Reads what follows the head, to the end of the reader. False when it is malformed or too long, or its tag is not that of its id. */
export function readUpdateRest(r: Reader, into: Update): boolean {
  into.generation = r.u48();
  into.id = r.name();
  into.address = r.name();
  const flags = into.rank;
  into.rank = flags & 3;
  into.salt = (flags & HAS_SALT) !== 0 ? r.view(16).slice() : undefined;
  into.extra = r.left > 0 ? r.view(r.left).slice() : NOTHING;
  return (
    r.ok &&
    into.id.length > 0 &&
    into.id.length <= 64 &&
    into.extra.length <= MAX_EXTRA_BYTES &&
    into.tagHigh === tagHighOf(into.id, into.generation) &&
    into.tagLow === tagLowOf(into.id, into.generation)
  );
}

export function emptyUpdate(): Update {
  return {
    tagHigh: 0,
    tagLow: 0,
    incarnation: 0,
    rank: 0,
    accuser: 0,
    generation: 0,
    id: "",
    address: "",
    salt: undefined,
    extra: NOTHING,
  };
}

const TOMBSTONE = 1;

/** Bytes of a record on the wire: version 4, flags 1, key 1 + n, value 2 + n, extra 2 + n. */
export function recordBytes(entry: RecordEntry): number {
  return 10 + entry.key.length + (entry.value?.length ?? 0) + entry.extra.length;
}

export function writeRecord(w: Writer, entry: RecordEntry): void {
  w.u32(entry.version);
  w.u8(entry.value === undefined ? TOMBSTONE : 0);
  w.name(entry.key);
  w.u16(entry.value?.length ?? 0);
  if (entry.value !== undefined) w.raw(entry.value);
  w.u16(entry.extra.length);
  w.raw(entry.extra);
}

/** Reads a record; undefined when malformed or too large. Bytes are copied. */
export function readRecord(r: Reader): RecordEntry | undefined {
  const version = r.u32();
  const flags = r.u8();
  const key = r.name();
  const value = r.view(r.u16()).slice();
  const extraLength = r.u16();
  const extra = extraLength > 0 ? r.view(extraLength).slice() : NOTHING;
  if (!r.ok || key.length === 0) return undefined;
  const entry = { version, key, value: (flags & TOMBSTONE) !== 0 ? undefined : value, extra };
  return recordBytes(entry) <= MAX_RECORD_BYTES ? entry : undefined;
}
