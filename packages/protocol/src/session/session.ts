import { Reader } from "@pipit/codec";
import type { ByteStream } from "../byte-stream.ts";
import type { Compression } from "../compression.ts";
import { RpcError } from "../rpc-error.ts";
import { concat, readVarint, writeVarint } from "./bytes.ts";
import { writeGoAway } from "./failure-frame.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FlowControl } from "./flow-control.ts";
import { isPlain, readFlags } from "./frame-flags.ts";
import type { BytePool } from "./held-bytes.ts";
import { FrameParser, type FrameSink } from "./frame-parser.ts";
import { IncomingMessages, type MessageSink, wholeBytes } from "./incoming-messages.ts";
import type { SessionLimits } from "./limits.ts";
import type { MessageType } from "./message-type.ts";
import { type FrameStart, isSending, type MessageSource, OutgoingMessages, packingOf } from "./outgoing-messages.ts";
import { Output, type OutputHost } from "./output.ts";
import { readMark } from "./pace-mark.ts";
import { Pings } from "./pings.ts";
import { assertSpoken, decodePreface, encodePreface, matchMagic, type Preface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import type { SlabPool } from "./slab-pool.ts";
import { type SessionStream, StreamState, type Waiting } from "./stream-state.ts";
import { StreamTable } from "./stream-table.ts";
import {
  firstSkippableType,
  FrameType,
  frameHeadBytes,
  keepalivePing,
  magic,
  measuringPing,
  paceMark,
} from "./wire.ts";

/*
 * What both ends of a connection do alike, without I/O. Bytes come in by `receive`, with the time; the parser cuts them into frames, and
 * each goes to the part that knows it: messages coming in, flow control, pings, or the role (client or server). What is sent leaves
 * through the output, whose shell calls `flush` at the end of the turn.
 */

/** The shell around a session. */
export interface SessionHost {
  /** The time, on the clock of {@link Session.receive}. Asked only where credit is given back. */
  nowMs(): number;
  /** Call {@link Session.flush} at the end of this turn. */
  scheduleFlush(): void;
  /** The connection is over: send what is written, then close it. `error` says why, when it is nobody's wish. */
  terminate(error: RpcError | undefined): void;
}

/** What the sessions of one transport have in common. */
export interface SessionShare {
  readonly slabs: SlabPool;
  readonly reassembly: BytePool;
  /** Items handed up and not yet consumed. */
  readonly unread: BytePool;
  /** Absent: nothing is packed, and the preface must offer nothing. */
  readonly compression: Compression | undefined;
}

/** What a session is made with. */
export interface SessionOptions extends SessionShare {
  readonly host: SessionHost;
  readonly limits: SessionLimits;
  readonly preface: Preface;
}

/** One end of a connection. */
export abstract class Session<S extends SessionStream = SessionStream>
  implements FrameSink, MessageSink<S>, MessageSource<S>, OutputHost
{
  readonly limits: SessionLimits;
  /** The peer's preface, once read. */
  peerPreface: Preface | undefined;
  /** Nothing more is read or sent. */
  closed = false;
  /** Time of the newest chunk, on the clock of the shell. */
  receivedAtMs = 0;
  /** Frames read so far, and of them those with a part of a long message. */
  frames = 0;
  chunks = 0;
  /** Frames for streams that had ended: races, not faults. */
  lateFrames = 0;
  protected readonly host: SessionHost;
  protected readonly output: Output;
  protected readonly streams: StreamTable<S> = new StreamTable<S>();
  protected readonly outgoing: OutgoingMessages<S>;
  protected readonly flood: FloodGuard;
  protected readonly reader: Reader = new Reader();
  readonly #parser = new FrameParser();
  readonly #incoming: IncomingMessages<S>;
  readonly #flow: FlowControl;
  readonly #pings: Pings;
  /** Streams whose producers wait for room. */
  readonly #blocked = new Set<S>();
  /** Bytes of the magic that have come. */
  #magicRead = 0;

  constructor(options: SessionOptions) {
    const { compression, limits, reassembly, unread } = options;
    this.host = options.host;
    this.limits = limits;
    this.output = new Output(options.slabs, this);
    this.outgoing = new OutgoingMessages(this, this.output, limits.maxMessageBytes, compression);
    this.#incoming = new IncomingMessages(this, reassembly, limits, compression);
    this.flood = new FloodGuard(limits);
    this.#flow = new FlowControl(limits, unread);
    this.#pings = new Pings(this.output);
    this.output.append(encodePreface(options.preface));
  }

  /** Whether a frame, or the preface, has begun and not ended: a peer may not hold us so for long. */
  get partial(): boolean {
    return this.#parser.partial || this.peerPreface === undefined;
  }

  /** Whether a long message has begun and not ended. */
  get unfinished(): boolean {
    return this.#incoming.unfinished;
  }

  /** Bytes came from the peer. Where they are `borrowed`, nothing of them is kept when this returns. */
  receive(chunk: Uint8Array, nowMs: number, borrowed = false): void {
    if (this.closed) return;
    this.receivedAtMs = nowMs;
    try {
      const rest = this.#magicRead < magic.length ? this.#readMagic(chunk) : chunk;
      if (rest.length > 0) this.#parser.push(rest, this, borrowed);
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.fault(error.message);
    }
  }

  /** The stream below stands: what is written leaves. */
  attach(stream: ByteStream): void {
    this.output.attach(stream);
  }

  flush(): void {
    this.output.flush();
  }

  /** The socket took everything. */
  onDrain(): void {
    this.output.onDrain();
  }

  /** The session's one reader, set on a window; valid until the next frame. */
  window(bytes: Uint8Array, start: number, end: number): Reader {
    const { reader } = this;
    if (reader.bytes === bytes) {
      // Another frame of the same chunk: what `reset` asks the engine about memory costs as much as the whole frame.
      reader.pos = start;
      reader.end = end;
    } else reader.reset(bytes, start, end);
    return reader;
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    this.#pings.send(keepalivePing);
  }

  onFrame(type: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    this.frames++;
    if (this.peerPreface === undefined) return this.#readPreface(type, bytes, start, end);
    if (type === FrameType.chunk) return this.#onChunk(streamId, bytes, start, end);
    this.handle(type, streamId, this.window(bytes, start, end));
  }

  /** A frame that is not one role's. @throws ProtocolFault when its type is unknown, and not one to be skipped */
  protected handleCommon(type: number, streamId: number, reader: Reader): void {
    const { bytes, pos } = reader;
    switch (type) {
      case FrameType.window:
        this.flood.countControl();
        return this.#onWindow(streamId, readVarint(reader));
      case FrameType.connectionWindow:
        this.flood.countControl();
        this.#flow.onConnectionCredit(readVarint(reader));
        return this.onRoom();
      case FrameType.ping:
        this.flood.countControl();
        return this.#pings.answer(bytes, pos, reader.end);
      case FrameType.pong:
        if (bytes[pos] === paceMark) this.output.onMark(readMark(bytes, pos), this.receivedAtMs);
        else if (bytes[pos] === measuringPing) this.#flow.onMeasured(this.receivedAtMs);
        return;
      default:
        if (type < firstSkippableType) throw new ProtocolFault(`Frame of unknown type ${type}`);
    }
  }

  /** There is room again: tells the producers that were refused. */
  onRoom(): void {
    this.#pings.onRoom();
    if (this.#blocked.size === 0 || !this.#flow.hasCredit) return;
    for (const stream of Array.from(this.#blocked)) this.#wake(stream);
  }

  /** A frame. What is not this role's goes to {@link handleCommon}. */
  protected abstract handle(type: number, streamId: number, reader: Reader): void;
  /** The peer's preface was read and its version fits. */
  protected abstract onPreface(preface: Preface): void;
  /** The first bytes are those of another protocol. */
  protected abstract onForeign(bytes: Uint8Array): void;
  abstract deliver(stream: S, message: Reader, charge: number): void;
  abstract refuseMessage(stream: S, error: RpcError): void;
  abstract rejectMessage(stream: S, error: RpcError): void;
  abstract onPassed(stream: S): void;
  /** The stream has room for items again. */
  protected abstract onWritable(stream: S): void;
  /** The peer, as errors call it. */
  protected abstract get peerName(): string;
  /** Calls of the peer that were taken. */
  protected abstract get takenCount(): number;
  abstract onFlush(bytes: Uint8Array): boolean;
  abstract onFlushed(): void;

  stateOf(stream: S): StreamState {
    return (stream.state ??= new StreamState(this.#flow.streamWindowBytes));
  }

  isOpen(stream: S): boolean {
    return !this.closed && this.streams.find(stream.id) === stream;
  }

  onSent(stream: S): void {
    this.#wake(stream);
  }

  nowMs(): number {
    return this.host.nowMs();
  }

  scheduleFlush(): void {
    if (!this.closed) this.host.scheduleFlush();
  }

  /** Whether one more item may be sent on the stream now; if not, `onWritable` follows. */
  protected writable(stream: S): boolean {
    if (this.#flow.maySend(this.stateOf(stream)) && !isSending(stream) && !this.output.full) return true;
    this.#blocked.add(stream);
    return false;
  }

  /**
   * A stream has ended: nothing waits for it any more. Items that its reader has not taken are the reader's own from here on, as a
   * reply is: they count no more, since nobody would tell us of a reader that has gone.
   */
  protected forget(stream: S): void {
    if (this.#blocked.size > 0) this.#blocked.delete(stream);
    if (stream.state !== undefined) this.#drop(stream, stream.state);
  }

  #drop(stream: S, state: StreamState): void {
    this.#incoming.drop(state);
    this.#giveConnectionCredit(this.#flow.consume(state));
    if (isSending(stream) && this.#flow.takeBack(this.outgoing.drop(state))) this.onRoom();
  }

  /** What {@link forget} gives back to the connection, ahead of it: the end is written, and something of ours is under way still. */
  protected releaseRest(stream: S): void {
    if (stream.state !== undefined) this.#giveConnectionCredit(this.#flow.consume(stream.state));
  }

  /** Items of a stream were consumed. `open` is false when the stream has ended: only the connection gets credit then. */
  protected release(stream: S, bytes: number, open: boolean): void {
    const flow = this.#flow;
    const state = this.stateOf(stream);
    this.#giveConnectionCredit(flow.consume(state, bytes));
    if (!open || this.closed || !flow.isRenewalDue(state)) return;
    if (flow.measure(state, this.host.nowMs())) this.#pings.send(measuringPing);
    this.#writeWindow(FrameType.window, stream.id, flow.renew(state));
  }

  /** Sends an item, packed where `compress`. @throws RpcError when it does not encode or is too long; the stream is as before */
  protected writeItem(stream: S, type: MessageType, item: unknown, compress: boolean): void {
    const start = this.#beginItem(stream);
    const again = compress ? this.#itemLater(stream) : undefined;
    const charge = frameHeadBytes + this.outgoing.write(stream, start, start + frameHeadBytes, type, item, again);
    this.#flow.spend(this.stateOf(stream), charge);
    if (!isSending(stream)) this.output.countItem(charge);
    else {
      const packing = packingOf(stream);
      if (packing !== undefined) packing.charge = charge;
    }
    this.flood.countWork(); // the peer may give credit back for it, ask whether we live, and so on
    this.output.relieve();
  }

  /** Begins the frame of an item that is packed. Apart, since a function that makes functions takes memory for them at each call. */
  #itemLater(stream: S): () => FrameStart {
    return () => {
      const start = this.#beginItem(stream);
      return { start, flagsAt: start + frameHeadBytes };
    };
  }

  #beginItem(stream: S): number {
    const start = this.output.begin(FrameType.item, stream.id);
    const { writer } = this.output;
    writer.bytes[writer.pos++] = 0;
    return start;
  }

  /**
   * Takes in the message of the frame under the reader, whose flags were read, and which took `charge` of credit: now, or
   * when its last part has come and it is unpacked.
   */
  protected readMessage(stream: S, flags: number, charge: number): void {
    const { reader } = this;
    if (!isPlain(flags)) this.#incoming.begin(stream, this.stateOf(stream), reader, flags, charge);
    else if (stream.state?.arriving === undefined) this.deliver(stream, reader, charge);
    else this.#incoming.arrive(stream, reader, charge);
  }

  /** Reads the frame under the reader when what came before it on its stream is unpacked. */
  protected readLater(arriving: Waiting[], read: (reader: Reader) => void): void {
    const { bytes, pos, end } = this.reader;
    arriving.push({ heldBytes: 0, read: () => read(this.window(bytes, pos, end)) });
  }

  /** Takes in an item's credit and message. */
  protected readItem(stream: S): void {
    this.flood.countWork();
    const { reader } = this;
    const flags = readFlags(reader, "item");
    const charge = wholeBytes(reader, flags) + frameHeadBytes;
    this.#flow.take(this.stateOf(stream), charge);
    if (this.#flow.holdsTooMuch) {
      const text = `Item of ${charge} bytes: the process holds more than ${this.limits.maxProcessUnreadBytes} bytes of items that nobody has read`;
      return this.rejectMessage(stream, new RpcError("resource_exhausted", text));
    }
    this.readMessage(stream, flags, charge);
  }

  /** An item for a stream that has ended: its credit goes back at once. */
  protected dropItem(): void {
    this.lateFrames++;
    const { reader } = this;
    const flags = readFlags(reader, "item");
    this.#giveConnectionCredit(this.#flow.takeLate(wholeBytes(reader, flags) + frameHeadBytes));
  }

  /** The connection is gone: nothing is held for it any more. */
  protected letGo(): void {
    this.closed = true;
    this.#incoming.close();
    this.#flow.close();
  }

  /** The peer broke the protocol, or speaks another version: says so and ends. */
  fault(message: string): void {
    if (this.closed) return;
    this.writeGoAway(new RpcError("internal", message));
    this.shut(new RpcError("unavailable", `${this.peerName} broke the protocol: ${message}`));
  }

  /** Tells the peer that no more of its calls are taken, and why. */
  protected writeGoAway(error: RpcError): void {
    const start = this.output.begin(FrameType.goAway, 0);
    writeGoAway(this.output.writer, this.takenCount, error);
    this.output.end(start);
  }

  /** Ends the session; later calls of its methods do nothing. */
  protected shut(error: RpcError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#blocked.clear();
    this.host.terminate(error);
  }

  /** Gives what comes behind the magic; nothing where the first bytes are those of another protocol. */
  #readMagic(chunk: Uint8Array): Uint8Array {
    const count = matchMagic(chunk, this.#magicRead);
    if (count === undefined) {
      this.onForeign(concat(magic.subarray(0, this.#magicRead), chunk));
      return chunk.subarray(chunk.length);
    }
    this.#magicRead += count;
    return chunk.subarray(count);
  }

  #readPreface(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type !== FrameType.preface) throw new ProtocolFault(`Frame of type ${type} before the preface`);
    const preface = decodePreface(bytes, start, end);
    assertSpoken(preface);
    this.peerPreface = preface;
    this.outgoing.onPreface(preface);
    this.#flow.onPeerWindows(preface.streamWindowBytes, preface.connectionWindowBytes);
    this.onPreface(preface);
    this.onRoom();
  }

  #onWindow(streamId: number, credit: number): void {
    const stream = this.streams.find(streamId);
    if (stream === undefined) return void this.lateFrames++;
    this.#flow.onCredit(this.stateOf(stream), credit);
    this.#wake(stream);
  }

  /** There may be room for a stream that was refused. */
  #wake(stream: S): void {
    if (!this.#blocked.has(stream) || !this.writable(stream)) return;
    this.#blocked.delete(stream);
    this.onWritable(stream);
  }

  #onChunk(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.streams.find(streamId);
    const state = stream?.state;
    if (stream === undefined || state === undefined) return void this.lateFrames++;
    const { assembly } = state;
    if (assembly === undefined) {
      this.lateFrames++;
      return this.#incoming.passPart(stream, state, end - start);
    }
    const { filled } = assembly;
    this.chunks++;
    this.#incoming.addPart(stream, state, assembly, bytes.subarray(start, end));
    // The peer asks how far we are, now and then.
    this.flood.countWork((assembly.filled >>> 16) - (filled >>> 16));
  }

  #giveConnectionCredit(credit: number): void {
    if (credit > 0 && !this.closed) this.#writeWindow(FrameType.connectionWindow, 0, credit);
  }

  #writeWindow(type: number, streamId: number, credit: number): void {
    const start = this.output.begin(type, streamId);
    writeVarint(this.output.writer, credit);
    this.output.end(start);
  }
}
