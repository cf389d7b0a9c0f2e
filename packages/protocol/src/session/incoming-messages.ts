import { Reader } from "@pipit/codec";
import type { Compression } from "../compression.ts";
import { RpcError } from "../rpc-error.ts";
import { allocate, readByte, readU32 } from "./bytes.ts";
import { isPlain } from "./frame-flags.ts";
import { type BytePool, HeldBytes } from "./held-bytes.ts";
import type { SessionLimits } from "./limits.ts";
import { algorithmOf, type PackedHead } from "./packing.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { reassemblyExcess } from "./reassembly.ts";
import type { Assembly, SessionStream, StreamState, Waiting } from "./stream-state.ts";
import { Flag } from "./wire.ts";

/*
 * Messages that are not here with their frame: long ones, which come in parts, and packed ones, which are unpacked elsewhere
 * (wire protocol, sections "Messages and chunks" and "Compression"). A stream's messages are delivered in the order in which they began.
 */

/** Who gets the messages: a session. */
export interface MessageSink<S extends SessionStream> {
  /** A message is whole: an item when it took credit, else the one message of the call. */
  deliver(stream: S, message: Reader, charge: number): void;
  /** The one message of the call is longer than we take, or there is no room for it beside others. */
  refuseMessage(stream: S, error: RpcError): void;
  /** A message came damaged, or an item cannot be taken: the call may run by now, and has failed. */
  rejectMessage(stream: S, error: RpcError): void;
  /** Whether the stream still takes messages. */
  isOpen(stream: S): boolean;
  /** The one message of the call has come to its end, and nobody took it: it was refused or damaged, or its call was cancelled meanwhile. */
  onPassed(stream: S): void;
  /** The peer broke the protocol, in what was read later than it came. */
  fault(message: string): void;
}

/** Size of the message under the reader, once it is whole and unpacked. The reader stays where it is. */
export function wholeBytes(reader: Reader, flags: number): number {
  if (isPlain(flags)) return reader.end - reader.pos;
  const { pos } = reader;
  if ((flags & Flag.compressed) !== 0) readByte(reader);
  const size = readU32(reader);
  reader.pos = pos;
  return size;
}

/** Puts together and unpacks the messages of one connection, within its budget. */
export class IncomingMessages<S extends SessionStream> {
  readonly #sink: MessageSink<S>;
  /** Of unfinished messages: parts that have come, and packed ones that are being unpacked. */
  readonly #held: HeldBytes;
  readonly #limits: SessionLimits;
  readonly #compression: Compression | undefined;

  constructor(sink: MessageSink<S>, pool: BytePool, limits: SessionLimits, compression: Compression | undefined) {
    this.#sink = sink;
    this.#held = new HeldBytes(pool);
    this.#limits = limits;
    this.#compression = compression;
  }

  /** Whether a message has begun and is not whole. */
  get unfinished(): boolean {
    return this.#held.heldBytes > 0;
  }

  /**
   * Takes in the head under the reader of a message that is long or packed, and took `charge` of credit. What is longer than we
   * take is refused. @throws ProtocolFault
   */
  begin(stream: S, state: StreamState, reader: Reader, flags: number, charge: number): void {
    const packed = (flags & Flag.compressed) === 0 ? undefined : this.#readPackedHead(reader);
    const isChunked = (flags & Flag.chunked) !== 0;
    const size = isChunked ? readU32(reader) : reader.end - reader.pos;
    if (isChunked && reader.pos !== reader.end) throw new ProtocolFault("Head of a long message carries a part of it");
    if (state.assembly !== undefined) throw new ProtocolFault("Long message inside another on one stream");
    if (size === 0) throw new ProtocolFault("Long message without bytes");
    if (packed !== undefined && size >= packed.bytes) throw new ProtocolFault("Packed message that is no smaller");
    const held = (isChunked ? size : 0) + (packed?.bytes ?? 0);
    const excess = reassemblyExcess(this.#held, this.#limits, packed?.bytes ?? size, held);
    if (excess !== undefined) {
      const error = new RpcError("resource_exhausted", excess, { handled: "no" });
      if (charge > 0) return this.#sink.rejectMessage(stream, error);
      this.#sink.refuseMessage(stream, error);
      if (isChunked) state.unwantedBytes = size;
      else this.#sink.onPassed(stream);
      return;
    }
    this.#held.take(held);
    if (isChunked) state.assembly = { bytes: allocate(size), filled: 0, charge, packed };
    else if (packed !== undefined) {
      this.#unpack(stream, state, reader.bytes.subarray(reader.pos, reader.end), packed, charge);
    }
  }

  /** A part of a long message came, for a stream that waits for it. @throws ProtocolFault when it does not fit */
  addPart(stream: S, state: StreamState, assembly: Assembly, part: Uint8Array): void {
    const { bytes, packed, charge } = assembly;
    const filled = assembly.filled + part.length;
    if (part.length === 0 || filled > bytes.length) throw new ProtocolFault("Chunk does not fit its message");
    bytes.set(part, assembly.filled);
    assembly.filled = filled;
    if (filled < bytes.length) return;
    if (packed === undefined) {
      this.drop(state);
      this.arrive(stream, new Reader(bytes), charge);
    } else {
      state.assembly = undefined;
      this.#unpack(stream, state, bytes, packed, charge, bytes.length + packed.bytes);
    }
  }

  /** A part came of a message that nobody waits for. @throws ProtocolFault when it does not fit */
  passPart(stream: S, state: StreamState, bytes: number): void {
    if (state.unwantedBytes === 0) return; // of an item
    if (bytes > state.unwantedBytes) throw new ProtocolFault("Chunk does not fit its message");
    state.unwantedBytes -= bytes;
    if (state.unwantedBytes === 0) this.#sink.onPassed(stream);
  }

  /** A whole message is here: delivers it, or keeps it behind those of its stream that are still being unpacked. */
  arrive(stream: S, message: Reader, charge: number): void {
    const arriving = stream.state?.arriving;
    if (arriving === undefined) return this.#sink.deliver(stream, message, charge);
    const { bytes, pos, end } = message;
    arriving.push({ heldBytes: 0, read: () => this.#sink.deliver(stream, new Reader(bytes, pos, end), charge) });
  }

  /** Nobody waits for more parts. */
  drop(state: StreamState): void {
    const { assembly } = state;
    if (assembly === undefined) return;
    if (assembly.charge === 0) state.unwantedBytes = assembly.bytes.length - assembly.filled;
    this.#held.giveBack(assembly.bytes.length + (assembly.packed?.bytes ?? 0));
    state.assembly = undefined;
  }

  /** The connection has ended: nothing of it is held any more. */
  close(): void {
    this.#held.close();
  }

  #readPackedHead(reader: Reader): PackedHead {
    const algorithm = algorithmOf(readByte(reader), this.#compression);
    return { algorithm, bytes: readU32(reader) };
  }

  /** Unpacks a message, one at a time on a stream. Its size was admitted, and no more than that comes out. */
  #unpack(
    stream: S,
    state: StreamState,
    bytes: Uint8Array,
    packed: PackedHead,
    charge: number,
    heldBytes = packed.bytes,
  ): void {
    if (state.arriving !== undefined) {
      const read = (): void => this.#unpack(stream, state, bytes, packed, charge, heldBytes);
      state.arriving.push({ heldBytes, read });
      return;
    }
    state.arriving = [];
    this.#compression?.unpack(packed.algorithm, bytes, packed.bytes, (message) => {
      const first = (): void => {
        this.#held.giveBack(heldBytes);
        if (message !== undefined) return this.#sink.deliver(stream, new Reader(message), charge);
        this.#sink.rejectMessage(stream, new RpcError("data_loss", "A compressed message cannot be unpacked"));
        if (charge === 0) this.#sink.onPassed(stream);
      };
      const waiting = state.arriving ?? [];
      state.arriving = undefined;
      this.#catchUp(stream, [{ heldBytes, read: first }, ...waiting]);
    });
  }

  /** Takes in what came on a stream, up to the next message that must be unpacked; drops it when the stream has ended. */
  #catchUp(stream: S, waiting: readonly Waiting[]): void {
    try {
      for (const [at, next] of waiting.entries()) {
        const unpacking: Waiting[] | undefined = stream.state?.arriving;
        if (unpacking !== undefined) return void unpacking.push(...waiting.slice(at));
        if (this.#sink.isOpen(stream)) next.read();
        else this.#held.giveBack(next.heldBytes);
      }
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#sink.fault(error.message);
    }
  }
}
