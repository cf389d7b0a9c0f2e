import { CodecError, type Writer } from "@pipit/codec";
import type { Compression, CompressionAlgorithm } from "../compression.ts";
import { RpcError } from "../rpc-error.ts";
import { BulkSend } from "./bulk-send.ts";
import { copyOf, writeByte, writeRaw, writeU32 } from "./bytes.ts";
import type { MessageType } from "./message-type.ts";
import type { Output } from "./output.ts";
import { leastPackedBytes, numberOf, type Packing, sharedAlgorithm } from "./packing.ts";
import type { Preface } from "./preface.ts";
import type { SessionStream, StreamState } from "./stream-state.ts";
import { chunkBytes, Flag } from "./wire.ts";

/*
 * Messages on their way out: straight into their frame where they are short, else in parts behind it, and packed where that was
 * asked for (wire protocol, sections "Messages and chunks" and "Compression"). What follows on a stream waits for its message.
 */

/** What a codec may put ahead of bytes. */
const headRoomBytes = 16;

/** A frame that has begun. */
export interface FrameStart {
  readonly start: number;
  /** Where its flags stand. */
  readonly flagsAt: number;
}

/** Whose messages are sent: a session. */
export interface MessageSource<S extends SessionStream> {
  readonly closed: boolean;
  stateOf(stream: S): StreamState;
  /** The frame of a message that was packed meanwhile cannot be begun. */
  rejectMessage(stream: S, error: RpcError): void;
  /** What was under way on the stream is written, and so is what waited for it. */
  onSent(stream: S): void;
}

/** A message of ours is under way on the stream: being packed, or sent in parts. What follows waits. */
export function isSending({ state }: SessionStream): boolean {
  return state?.sending !== undefined;
}

/** The message that is being packed on the stream. */
export function packingOf({ state }: SessionStream): Packing | undefined {
  const sending = state?.sending;
  return sending instanceof BulkSend ? undefined : sending;
}

/** The long message that is under way on the stream, once its head is written. */
export function bulkOf({ state }: SessionStream): BulkSend | undefined {
  const sending = state?.sending;
  // The engine asks its runtime what undefined is an instance of.
  return sending !== undefined && sending instanceof BulkSend ? sending : undefined;
}

/** Writes the messages of one connection. */
export class OutgoingMessages<S extends SessionStream> {
  readonly #source: MessageSource<S>;
  readonly #output: Output;
  readonly #compression: Compression | undefined;
  /** What messages are packed with, where they are; known once the peer's preface is. */
  #algorithm: CompressionAlgorithm | undefined;
  #maxMessageBytes: number;

  /** Until the peer says what it takes, that is `maxMessageBytes`. */
  constructor(source: MessageSource<S>, output: Output, maxMessageBytes: number, compression: Compression | undefined) {
    this.#source = source;
    this.#output = output;
    this.#maxMessageBytes = maxMessageBytes;
    this.#compression = compression;
  }

  /** The peer says what it takes, and what it can unpack. */
  onPreface({ features, maxMessageBytes }: Preface): void {
    this.#algorithm = sharedAlgorithm(this.#compression, features);
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Encodes a message at the end of the frame begun at `start`, whose flags stand at `flagsAt`, and completes the frame.
   * A long message leaves the frame and follows it in parts. Returns its size.
   *
   * With `again`, which begins the frame anew, it may be packed: then nothing is written yet.
   *
   * @throws RpcError `invalid_argument` when it does not encode, `resource_exhausted` when the peer takes none so long
   */
  write(
    stream: S,
    start: number,
    flagsAt: number,
    type: MessageType,
    message: unknown,
    again?: () => FrameStart,
  ): number {
    const output = this.#output;
    const bodyStart = output.writer.pos;
    // Bytes say how many they are; of anything else the last message is the best guess.
    const expected = message instanceof Uint8Array ? message.length + headRoomBytes : type.longBytes;
    let apart: Writer | undefined;
    try {
      if (expected <= chunkBytes) output.encode(type.codec, message);
      else apart = output.encodeApart(type.codec, message, expected);
    } catch (error) {
      output.undo(start);
      throw error instanceof CodecError ? notEncoded(error) : error;
    }
    const size = this.finish(stream, start, flagsAt, bodyStart, again, apart);
    if (size > chunkBytes || apart !== undefined) type.longBytes = size;
    return size;
  }

  /** Completes a frame whose message is written from `bodyStart` on, or lies `apart`; else as {@link write}. */
  finish(
    stream: S,
    start: number,
    flagsAt: number,
    bodyStart: number,
    again?: () => FrameStart,
    apart?: Writer,
  ): number {
    const output = this.#output;
    const size = apart === undefined ? output.writer.pos - bodyStart : apart.pos;
    const packs = again !== undefined && this.#algorithm !== undefined && size >= leastPackedBytes;
    if (size <= chunkBytes && !packs) {
      if (apart !== undefined) {
        writeRaw(output.writer, apart.bytes.subarray(0, size));
        output.dropApart(apart);
      }
      output.end(start);
      return size;
    }
    if (size > this.#maxMessageBytes) {
      output.undo(start);
      const text = `Message of ${size} bytes: the peer accepts at most ${this.#maxMessageBytes}`;
      throw new RpcError("resource_exhausted", text, { handled: "no" });
    }
    if (packs) {
      const body = apart?.bytes.subarray(0, size) ?? copyOf(output.writer.bytes, bodyStart, bodyStart + size);
      output.undo(start);
      this.#pack(stream, body, again);
      return size;
    }
    const body = apart === undefined ? output.takeBody(bodyStart) : apart.bytes.subarray(0, size);
    this.#startBulk(stream, start, flagsAt, body, apart);
    return size;
  }

  /** Runs `write` once nothing of the stream is under way: at once, or behind its message. */
  inOrder(stream: S, write: () => void): void {
    if (!isSending(stream)) write();
    else (this.#source.stateOf(stream).afterSending ??= []).push(write);
  }

  /** The stream has ended: nothing more of it is sent. Returns what was spent for an item of which nothing was. */
  drop(state: StreamState): number {
    const { sending } = state;
    state.sending = undefined;
    state.afterSending = undefined;
    if (!(sending instanceof BulkSend)) return sending?.charge ?? 0;
    this.#output.dropBulk(sending);
    return 0;
  }

  /** Sends a message once it is packed, or as it is when that makes it no smaller. */
  #pack(stream: S, body: Uint8Array, again: () => FrameStart): void {
    const algorithm = this.#algorithm;
    if (algorithm === undefined) return;
    const packing: Packing = { body, charge: 0 };
    const state = this.#source.stateOf(stream);
    state.sending = packing;
    this.#compression?.pack(algorithm, body, (packed) => {
      if (this.#source.closed || state.sending !== packing) return; // the stream has ended meanwhile
      state.sending = undefined;
      let begun: FrameStart;
      try {
        begun = again();
      } catch (error) {
        // Metadata that was changed meanwhile may not fit any more.
        return this.#source.rejectMessage(stream, RpcError.from(error));
      }
      const { start, flagsAt } = begun;
      const { writer } = this.#output;
      const message = packed !== undefined && packed.length < body.length ? packed : body;
      if (message === packed) {
        writer.bytes[flagsAt] = (writer.bytes[flagsAt] ?? 0) | Flag.compressed;
        writeByte(writer, numberOf(algorithm));
        writeU32(writer, body.length);
      }
      if (message.length > chunkBytes) return this.#startBulk(stream, start, flagsAt, message, undefined);
      writeRaw(writer, message);
      this.#output.end(start);
      this.#done(stream);
    });
  }

  /** Completes the frame as the head of a long message, and sends `body` after it in parts. */
  #startBulk(stream: S, start: number, flagsAt: number, body: Uint8Array, apart: Writer | undefined): void {
    const output = this.#output;
    const { writer } = output;
    writer.bytes[flagsAt] = (writer.bytes[flagsAt] ?? 0) | Flag.chunked;
    writeU32(writer, body.length);
    output.end(start);
    const bulk = new BulkSend(stream.id, body, apart, () => this.#done(stream));
    this.#source.stateOf(stream).sending = bulk;
    output.sendBulk(bulk);
  }

  /** The message that was under way is written: what waited for it follows. */
  #done(stream: S): void {
    const state = this.#source.stateOf(stream);
    const waiting = state.afterSending;
    state.sending = undefined;
    state.afterSending = undefined;
    for (const write of waiting ?? []) write();
    this.#source.onSent(stream);
  }
}

function notEncoded(error: CodecError): RpcError {
  return new RpcError("invalid_argument", error.message, { cause: error, handled: "no" });
}
