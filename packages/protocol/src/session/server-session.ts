import type { Reader } from "@pipit/codec";
import type { StreamPeer } from "../byte-stream.ts";
import type { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import type { CallAcceptor, CallSource } from "../transport.ts";
import { metadataBytes, readVarint, writeVarint } from "./bytes.ts";
import { misplaced } from "./call-shape.ts";
import { encodeErrorData } from "./declared-error.ts";
import { writeFailure } from "./failure-frame.ts";
import { readFlags } from "./frame-flags.ts";
import { decodeMessage } from "./message-type.ts";
import { type FrameStart, isSending } from "./outgoing-messages.ts";
import type { Preface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { writeReplyFields } from "./reply-head.ts";
import { readRequestFields } from "./request-head.ts";
import { type ServerBinding, ServerBindings } from "./server-bindings.ts";
import { ServerStream, type ServerStreamOwner } from "./server-stream.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Flag, FrameType, frameHeadBytes, slotMask } from "./wire.ts";

/** What a server session tells its shell beside calls. */
export interface ServerSessionEvents {
  /** The first bytes belong to another protocol: answer in it, then close. */
  onForeign(bytes: Uint8Array): void;
  onPreface(preface: Preface): void;
  /** No call is open. */
  onIdle(): void;
}

/** Time between two load reports on a connection. */
const loadIntervalMs = 100;

/** The server's end of the wire: hands calls to the acceptor, and sends each exactly one end. */
export class ServerSession extends Session<ServerStream> implements ServerStreamOwner {
  readonly peer: StreamPeer;
  readonly source: CallSource = { running: 0 };
  /** What `authenticate` returned. */
  identity: unknown;
  readonly #acceptor: CallAcceptor;
  readonly #events: ServerSessionEvents;
  readonly #bindings: ServerBindings;
  #openedCount = 0;
  #goAwayAcked = false;
  #loadAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions, acceptor: CallAcceptor, peer: StreamPeer, events: ServerSessionEvents) {
    super(options);
    this.#acceptor = acceptor;
    this.#bindings = new ServerBindings(this.output, options.limits, acceptor);
    this.#events = events;
    this.peer = peer;
  }

  get openCalls(): number {
    return this.streams.count;
  }

  /** Whether a message is being encoded now, whose getters run. */
  get encoding(): boolean {
    return !this.output.direct;
  }

  /** The client has heard that we go away, and will open no more. */
  get goAwayAcked(): boolean {
    return this.#goAwayAcked;
  }

  /** Takes no more calls: those opened later are refused, and the client knows how many were taken. */
  goAway(why: RpcError = new RpcError("unavailable", "The server is draining")): void {
    if (this.closed || this.#bindings.leaving !== undefined) return;
    this.#bindings.leaving = why;
    this.writeGoAway(why);
  }

  /** Fails every open call at its caller; the handlers see a cancel. */
  abandon(error: RpcError): void {
    for (const stream of this.streams.all()) {
      if (stream.ended) continue;
      const { handler } = stream;
      this.fail(stream, error, undefined, 0);
      handler?.onCancel(error);
    }
  }

  /** The connection is gone: tells the handlers that nobody waits. */
  end(error: RpcError): void {
    this.letGo();
    this.output.close();
    for (const stream of this.streams.all()) {
      stream.ended = true;
      stream.handler?.onCancel(error);
    }
    this.streams.clear();
  }

  protected override get peerName(): string {
    return this.peer.address;
  }

  protected override get takenCount(): number {
    return this.#openedCount;
  }

  override onFlush(): boolean {
    return false;
  }

  override onFlushed(): void {}

  protected override onForeign(bytes: Uint8Array): void {
    this.closed = true;
    this.#events.onForeign(bytes);
  }

  protected override onPreface(preface: Preface): void {
    this.#events.onPreface(preface);
  }

  protected override onWritable(stream: ServerStream): void {
    stream.handler?.onWritable();
  }

  protected override handle(type: number, streamId: number, reader: Reader): void {
    if (type === FrameType.request) this.#onRequest(streamId, reader);
    else this.#handleOther(type, streamId, reader);
  }

  #handleOther(type: number, streamId: number, reader: Reader): void {
    switch (type) {
      case FrameType.item:
        return this.#onItem(this.streams.find(streamId));
      case FrameType.inputEnd:
        this.flood.countControl();
        return this.#onInputEnd(this.streams.find(streamId));
      case FrameType.cancel:
        this.flood.countControl();
        return this.#onCancel(this.streams.find(streamId));
      case FrameType.bind:
        this.flood.countControl();
        return this.#bindings.onBind(reader);
      case FrameType.goAwayAck:
        this.#goAwayAcked = true;
        if (this.streams.count === 0) this.#events.onIdle();
        return;
      case FrameType.goAway:
        return this.#onGoAway(reader);
      default:
        return this.handleCommon(type, streamId, reader);
    }
  }

  canSend(stream: ServerStream): boolean {
    return this.writable(stream);
  }

  sendItem(stream: ServerStream, item: unknown): void {
    try {
      const { method, types } = stream.binding;
      this.writeItem(stream, types.response, item, method.compress);
    } catch (error) {
      throw ownFault(error);
    }
  }

  consumed(stream: ServerStream, bytes: number): void {
    this.release(stream, bytes, !stream.ended);
  }

  accept(stream: ServerStream): void {
    this.output.end(this.output.begin(FrameType.accepted, stream.id));
  }

  sendMetadata(stream: ServerStream, metadata: Metadata): void {
    const block = metadataBytes(metadata);
    this.outgoing.inOrder(stream, () => {
      const start = this.output.begin(FrameType.metadata, stream.id, block.length);
      const { writer } = this.output;
      writer.bytes.set(block, writer.pos);
      writer.pos += block.length;
      this.output.end(start);
    });
  }

  /** Ends with a message. @throws RpcError when it does not encode; the call is still open */
  reply(stream: ServerStream, message: unknown, trailers: Metadata | undefined, retriesReturned: number): void {
    this.output.relieveCalls();
    const { method, types } = stream.binding;
    const start = this.#beginReply(stream, Flag.message, blockOf(trailers), retriesReturned);
    const again = method.compress ? this.#replyLater(stream, trailers, retriesReturned) : undefined;
    try {
      this.outgoing.write(stream, start, start + frameHeadBytes, types.response, message, again);
    } catch (error) {
      throw ownFault(error);
    }
    // A getter of the message has ended the call.
    if (stream.ended) return this.forget(stream);
    if (!isSending(stream)) this.output.countSmall();
    this.#finish(stream);
  }

  /** Ends a stream of items, or a one-way call. */
  endOk(stream: ServerStream, trailers: Metadata | undefined, retriesReturned: number): void {
    // Encoded now, so that what does not fit is the handler's error; sent behind a long item that is under way.
    const block = blockOf(trailers);
    this.outgoing.inOrder(stream, () => {
      this.output.end(this.#beginReply(stream, 0, block, retriesReturned));
      this.#finish(stream);
    });
  }

  fail(stream: ServerStream, error: RpcError, trailers: Metadata | undefined, retriesReturned: number): void {
    this.forget(stream);
    const retriesUsed = stream.retriesLent - retriesReturned;
    this.#writeEnd(
      FrameType.error,
      stream.id,
      error,
      encodeErrorData(error, stream.binding.types),
      trailers,
      retriesUsed,
    );
    this.#finish(stream);
  }

  refuse(stream: ServerStream, error: RpcError): void {
    this.forget(stream);
    this.#writeEnd(FrameType.refused, stream.id, error, undefined, undefined, 0);
    this.#finish(stream);
  }

  #onRequest(streamId: number, reader: Reader): void {
    this.flood.countWork();
    const { maxStreams } = this.limits;
    if ((streamId & slotMask) >= maxStreams || this.streams.isTaken(streamId)) throw badSlot(streamId, maxStreams);
    this.#openedCount++;
    const bound = this.#bindings.of(readVarint(reader));
    const flags = readFlags(reader, "request");
    const leftMs = (flags & Flag.deadline) === 0 ? Number.POSITIVE_INFINITY : readVarint(reader);
    const refusal = bound.refusal ?? this.#bindings.leaving;
    if (refusal !== undefined) return this.#writeEnd(FrameType.refused, streamId, refusal, undefined, undefined, 0);
    this.#open(new ServerStream(this, streamId, bound as ServerBinding, this.receivedAtMs + leftMs), flags);
  }

  #open(stream: ServerStream, flags: number): void {
    const { reader } = this;
    if ((flags & Flag.fields) !== 0) stream.head = readRequestFields(reader);
    this.streams.add(stream);
    if (stream.streamsInput) {
      if ((flags & Flag.message) !== 0) throw new ProtocolFault("Message in the head of a stream of requests");
      return this.#acceptor.onCall(stream);
    }
    if ((flags & Flag.message) === 0) throw new ProtocolFault("Call without its message");
    this.readMessage(stream, flags, 0);
  }

  override deliver(stream: ServerStream, message: Reader, charge: number): void {
    if (charge > 0) return this.#deliverItem(stream, message, charge);
    stream.setRequest(message.bytes, message.pos, message.end);
    this.#acceptor.onCall(stream);
  }

  override refuseMessage(stream: ServerStream, error: RpcError): void {
    this.refuse(stream, error);
  }

  override rejectMessage(stream: ServerStream, error: RpcError): void {
    this.#reject(stream, error);
  }

  /** A call whose request is not taken has ended with that. */
  override onPassed(): void {}

  #onInputEnd(stream: ServerStream | undefined): void {
    if (stream === undefined) return void this.lateFrames++;
    if (!stream.streamsInput) throw misplaced("Input end", stream.method);
    const arriving = stream.state?.arriving;
    if (arriving !== undefined) this.readLater(arriving, () => stream.handler?.onInputEnd());
    else stream.handler?.onInputEnd();
  }

  #onItem(stream: ServerStream | undefined): void {
    if (stream === undefined) return this.dropItem();
    if (!stream.streamsInput) throw misplaced("Item of the caller", stream.method);
    // Behind a reply that is still on its way nobody takes items any more.
    if (stream.ended) return this.dropItem();
    this.readItem(stream);
  }

  #deliverItem(stream: ServerStream, message: Reader, charge: number): void {
    const { requestDecoder, types } = stream.binding;
    let item: unknown;
    try {
      item = decodeMessage(requestDecoder, types.request, message, "invalid_argument", "Request");
    } catch (error) {
      return this.#reject(stream, error as RpcError);
    }
    stream.handler?.onItem(item, charge);
  }

  /** Ends a call whose item we cannot take: the handler sees a cancel, the caller the reason. */
  #reject(stream: ServerStream, error: RpcError): void {
    const { handler } = stream;
    this.fail(stream, RpcError.with(error, error.message, { handled: "yes" }), undefined, 0);
    handler?.onCancel(error);
  }

  #onCancel(stream: ServerStream | undefined): void {
    if (stream === undefined) return void this.lateFrames++;
    const { handler, ended } = stream;
    this.fail(stream, cancelled, undefined, 0);
    if (!ended) handler?.onCancel(cancelled);
  }

  /** The client ends the connection, and says why when it is our fault. */
  #onGoAway(reader: Reader): void {
    readVarint(reader);
    this.shut(new RpcError("unavailable", `${this.peerName} closed the connection`));
  }

  /** Begins the frame of a reply that is packed. Apart, since a function that makes functions takes memory for them at each call. */
  #replyLater(stream: ServerStream, trailers: Metadata | undefined, retriesReturned: number): () => FrameStart {
    return () => {
      const start = this.#beginReply(stream, Flag.message, blockOf(trailers), retriesReturned);
      return { start, flagsAt: start + frameHeadBytes };
    };
  }

  /** Begins a reply's frame, whose flags stand right behind its head. */
  #beginReply(stream: ServerStream, flags: number, trailers: Uint8Array | undefined, retriesReturned: number): number {
    const retriesUsed = stream.retriesLent - retriesReturned;
    const hasFields = trailers !== undefined || retriesUsed > 0;
    const frame = this.output.begin(FrameType.reply, stream.id);
    const { writer } = this.output;
    writer.bytes[writer.pos++] = hasFields ? flags | Flag.fields : flags;
    if (hasFields) writeReplyFields(writer, trailers, retriesUsed);
    return frame;
  }

  #writeEnd(
    type: number,
    streamId: number,
    error: RpcError,
    data: Uint8Array | undefined,
    trailers: Metadata | undefined,
    retriesUsed: number,
  ): void {
    // First what can throw: a frame that has begun must be completed.
    const block = blockOf(trailers);
    const start = this.output.begin(type, streamId);
    writeFailure(this.output.writer, { error, data, trailers: block, retriesUsed });
    this.output.end(start);
  }

  /** The terminal frame is written: the slot belongs to the client again. */
  #finish(stream: ServerStream): void {
    stream.ended = true;
    if (stream.state === undefined) this.#vacate(stream);
    else this.#finishInOrder(stream);
  }

  #finishInOrder(stream: ServerStream): void {
    this.releaseRest(stream);
    this.outgoing.inOrder(stream, () => this.#vacate(stream));
  }

  #vacate(stream: ServerStream): void {
    this.forget(stream);
    this.streams.remove(stream);
    if (this.receivedAtMs - this.#loadAtMs >= loadIntervalMs) this.#reportLoad();
    if (this.streams.count === 0) this.#events.onIdle();
  }

  #reportLoad(): void {
    const load = this.#acceptor.load();
    this.#loadAtMs = this.receivedAtMs;
    if (load === undefined) return;
    const start = this.output.begin(FrameType.load, 0);
    const { writer } = this.output;
    writeVarint(writer, Math.max(0, Math.round(load.eventLoopDelayMs)));
    writeVarint(writer, load.inFlight);
    this.output.end(start);
  }
}

function blockOf(trailers: Metadata | undefined): Uint8Array | undefined {
  return trailers === undefined || trailers.size === 0 ? undefined : metadataBytes(trailers);
}

function badSlot(streamId: number, maxStreams: number): ProtocolFault {
  const slot = streamId & slotMask;
  return new ProtocolFault(
    slot >= maxStreams
      ? `Stream slot ${slot}: at most ${maxStreams} are allowed`
      : `Stream ${streamId} opened in a slot that is taken`,
  );
}

const cancelled = new RpcError("cancelled", "The caller cancelled the call", { handled: "maybe" });

/** A reply that does not encode is the server's fault, whatever the codec calls it. */
function ownFault(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  const code = error.code === "invalid_argument" ? "internal" : error.code;
  return new RpcError(code, `Reply: ${error.message}`, { cause: error.cause, handled: "yes" });
}
