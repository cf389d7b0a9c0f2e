/*
 * Constants of the wire protocol, version 1. `docs/wire-protocol.md` is normative; its sections are named here.
 */

/** First bytes of each direction (section "Preface"): "PIPIT", CR, LF, NUL. No other protocol begins so. */
export const magic: Uint8Array = new Uint8Array([0x50, 0x49, 0x50, 0x49, 0x54, 0x0d, 0x0a, 0x00]);

/** Versions that this implementation speaks. */
export const lowestVersion = 1;
export const highestVersion = 1;

/** Bytes ahead of each payload: u32 length of what follows, u8 type, u32 stream id; little-endian. */
export const frameHeadBytes = 9;

/** Part of {@link frameHeadBytes} that the length counts: type and stream id. */
export const countedHeadBytes = 5;

/**
 * Longest message part in one frame: 64 KiB of payload and room for its length. Longer messages are cut, so that a small
 * frame never waits for a large one.
 */
export const chunkBytes: number = 64 * 1024 + 256;

/**
 * Longest frame, by its length field: a chunk with a full header block, or a binding with its schemas. Known before a
 * byte of it is kept.
 */
export const maxFrameBytes: number = 512 * 1024;

/** Streams on a connection: ids are a slot in the low bits and the slot's generation above. */
export const slotBits = 20;
export const slotMask: number = (1 << slotBits) - 1;

/** Generations that we use: eleven of the twelve bits, so that an id is a small integer to the engine and no number on the heap. */
export const generationMask = 0x7ff;

/** Frame types (section "Frames"). Unknown ones from 0x80 up are skipped; unknown ones below end the connection. */
export const FrameType = {
  preface: 0x00,
  request: 0x01,
  item: 0x02,
  inputEnd: 0x03,
  reply: 0x04,
  error: 0x05,
  refused: 0x06,
  accepted: 0x07,
  metadata: 0x08,
  chunk: 0x09,
  cancel: 0x0a,
  window: 0x0b,
  connectionWindow: 0x0c,
  ping: 0x0d,
  pong: 0x0e,
  goAway: 0x0f,
  goAwayAck: 0x10,
  bind: 0x11,
  bound: 0x12,
  load: 0x13,
} as const;

/** Payload of a ping, which comes back in its pong. */
export const pingBytes = 8;

/** First bytes of the payloads of our pings: for a sign of life, to measure the path, behind bulk. They mean nothing to the peer. */
export const keepalivePing = 0x4b;
export const measuringPing = 0x4d;
export const paceMark = 0x50;

/** First type that a receiver may skip when it does not know it. */
export const firstSkippableType = 0x80;

/** Flags of request, reply and item frames. */
export const Flag = {
  /** A message follows the head. */
  message: 0x01,
  /** The message is longer than a frame: u32 size stands here, the bytes in chunk frames. */
  chunked: 0x02,
  /** A field block stands in the head. */
  fields: 0x04,
  /** The time left stands in the head (requests). */
  deadline: 0x08,
  /** The message is packed: u8 algorithm and u32 size when unpacked stand ahead of it, and of its size if it is chunked. */
  compressed: 0x10,
} as const;

/** Flags that may stand in each frame; a peer that sets another is at fault. */
export const knownFlags: Readonly<Record<"request" | "item" | "reply", number>> = {
  request: Flag.message | Flag.chunked | Flag.fields | Flag.deadline | Flag.compressed,
  item: Flag.message | Flag.chunked | Flag.compressed,
  reply: Flag.message | Flag.chunked | Flag.fields | Flag.compressed,
};

/** Fields of a request's head. */
export const RequestField = {
  idempotencyKey: 1,
  attempt: 2,
  retriesLent: 3,
  criticality: 4,
  traceparent: 5,
  metadata: 6,
} as const;

/** Fields of a reply's, an error's or a refusal's head. */
export const ReplyField = {
  trailers: 1,
  retriesUsed: 2,
  message: 3,
  errorName: 4,
  errorData: 5,
  handled: 6,
  retryAfterMs: 7,
} as const;

/** Retries lent with the first sending of a fresh call tree, which holds three: not sent when it is this. */
export const defaultRetriesLent = 1;

/** What a bound frame says. */
export const BindResult = { same: 0, schemas: 1, refused: 2, unknownFingerprint: 3 } as const;

/** How a bind frame describes a message's type. */
export const TypeForm = { any: 0, fingerprint: 1, schema: 2 } as const;

/** Initial limits that hold until the peer's preface says more (section "Preface"). */
export const base = {
  maxStreams: 1024,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
} as const;
