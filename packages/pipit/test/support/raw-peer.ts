import type { ByteStream } from "@pipit/protocol";
import type { SimulatedNetwork, VirtualClock } from "@pipit/simulation";

/** The bare bytes of a connection: plays a peer that keeps to no protocol. */
export interface RawPeer {
  readonly stream: ByteStream;
  /** All that came so far. */
  received(): Buffer;
  /** The other end has half-closed, or the connection is gone. */
  ended(): boolean;
  send(...parts: readonly (Uint8Array | string)[]): void;
}

/** Takes over the stream. */
export function rawPeer(stream: ByteStream): RawPeer {
  const chunks: Uint8Array[] = [];
  let ended = false;
  stream.start({
    onData: (chunk) => chunks.push(chunk),
    onDrain() {},
    onEnd() {
      ended = true;
    },
    onClose() {
      ended = true;
    },
  });
  return {
    stream,
    received: () => Buffer.concat(chunks),
    ended: () => ended,
    send(...parts) {
      stream.write(Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part))));
    },
  };
}

/** Connects as a client that keeps to no protocol. */
export async function rawClient(network: SimulatedNetwork, clock: VirtualClock, address: string): Promise<RawPeer> {
  const { signal } = new AbortController();
  return rawPeer(await clock.runUntil(network.host("stranger").connect(address, { signal, clock })));
}

/** A frame: length, type, stream id, payload. */
export function frame(type: number, streamId: number, ...payload: readonly (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(payload.map((part) => Uint8Array.from(part)));
  const head = Buffer.alloc(9);
  head.writeUInt32LE(5 + body.length, 0);
  head.writeUInt8(type, 4);
  head.writeUInt32LE(streamId, 5);
  return Buffer.concat([head, body]);
}

/** Length as one byte, then the text: for texts below 128 bytes. */
export function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}

export const magicBytes: Buffer = Buffer.from("PIPIT\r\n\0", "latin1");

/** A well-formed client preface, by hand, that offers the features whose bits are set. */
export function clientPrefaceWith(features: number): Buffer {
  return Buffer.concat([
    magicBytes,
    frame(
      0,
      0,
      [1, 1, features],
      text(""),
      text(""),
      [0x80, 0x20],
      [0x80, 0x80, 0x10],
      [0x80, 0x80, 0x80, 0x10],
      [0x80, 0x80, 0x80, 0x02],
    ),
  ]);
}

/** The preface of a client that offers nothing. */
export const clientPreface: Buffer = clientPrefaceWith(0);

/** A well-formed server preface, by hand: id "bad", generation "1". */
export const serverPreface: Buffer = Buffer.concat([
  magicBytes,
  frame(
    0,
    0,
    [1, 1, 0],
    text("bad"),
    text("1"),
    [0x80, 0x20],
    [0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x02],
  ),
]);

/** 32 bits, little-endian. */
export function u32le(value: number): Buffer {
  return Buffer.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** Binds `service/method` of a kind, request and reply of any value, to `number`. */
export function bindAny(number: number, service: string, method: string, kind = 0): Buffer {
  return frame(0x11, 0, [number], text(service), text(method), [kind, 0, 0, 0]);
}

/** Frames in a run of bytes that begins at a frame. */
export function framesOf(
  bytes: Buffer,
): { readonly type: number; readonly streamId: number; readonly payload: Buffer }[] {
  const frames = [];
  let pos = bytes.subarray(0, 8).equals(magicBytes) ? 8 : 0;
  while (pos + 9 <= bytes.length) {
    const length = bytes.readUInt32LE(pos);
    frames.push({
      type: bytes[pos + 4] ?? 0,
      streamId: bytes.readUInt32LE(pos + 5),
      payload: bytes.subarray(pos + 9, pos + 4 + length),
    });
    pos += 4 + length;
  }
  return frames;
}
