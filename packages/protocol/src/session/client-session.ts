import type { Reader } from "@pipit/codec";
import type { Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import type { LoadReport, OutgoingCall, OutgoingStream } from "../transport.ts";
import { copyOf, readMetadata, readVarint, writeRaw, writeVarint } from "./bytes.ts";
import { type ClientBinding, ClientBindings, type ConfirmedMethods } from "./client-bindings.ts";
import { ClientStream, type ClientStreamOwner, unwritten } from "./client-stream.ts";
import { readFailure } from "./failure-frame.ts";
import { errorOf } from "./declared-error.ts";
import { foreignAnswer } from "./foreign.ts";
import { decodeMessage } from "./message-type.ts";
import type { Preface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { readReplyFields } from "./reply-head.ts";
import { hasRequestFields, writeRequestFields } from "./request-head.ts";
import { type FrameStart, readFlags, Session, type SessionOptions } from "./session.ts";
import type { Waiting } from "./stream-state.ts";
import { StreamIds } from "./stream-table.ts";
import { base, Flag, FrameType } from "./wire.ts";

/** What a client session tells its shell beside calls. */
export interface ClientSessionEvents {
  /** The server's preface was read. */
  onPreface(preface: Preface): void;
  onLoad(load: LoadReport): void;
  /** It was full, and has room again by an end that the server owed, or because it said that it takes more. */
  onRoom(): void;
  /** The server takes no more calls here. */
  onGoAway(): void;
  /** No call is open and the server owes nothing: a draining connection may close. */
  onIdle(): void;
  /** Why a session that saw foreign bytes or a fault fails: the address belongs into the message. */
  readonly address: string;
}

/** The client's end of the wire: opens calls, and brings each to exactly one end. */
export class ClientSession extends Session<ClientStream> implements ClientStreamOwner {
  readonly #events: ClientSessionEvents;
  readonly #bindings: ClientBindings;
  readonly #ids = new StreamIds();
  #unflushed: ClientStream[] = [];
  #opened = 0;
  /** Where the flags of the request begun last stand. */
  #flagsAt = 0;
  #openCalls = 0;
  #acceptedCount = Number.POSITIVE_INFINITY;
  #goneAway = false;
  /** Calls that may be open at once. */
  #maxStreams: number;

  constructor(options: SessionOptions, events: ClientSessionEvents, confirmed: ConfirmedMethods) {
    super(options);
    this.#events = events;
    this.#bindings = new ClientBindings(this.output, options.limits, confirmed);
    this.#maxStreams = Math.min(this.limits.maxStreams, base.maxStreams);
  }

  /** Calls that have not ended. */
  get openCalls(): number {
    return this.#openCalls;
  }

  /** Whether a call may be started. */
  get available(): boolean {
    return !this.closed && !this.#goneAway && this.#ids.count < this.#maxStreams;
  }

  /** No call is open and the server owes nothing. */
  get idle(): boolean {
    return this.#ids.count === 0;
  }

  /**
   * Starts a call: its request is encoded before this returns. `nowMs` is the shell's clock.
   *
   * @throws RpcError `invalid_argument` or `resource_exhausted`, and nothing was sent
   */
  start(call: OutgoingCall, nowMs: number): OutgoingStream {
    this.output.relieveCalls();
    if (!this.available) {
      throw new RpcError("unavailable", `No room for a call: ${this.#openCalls} are open`, { handled: "no" });
    }
    const binding = this.#bindings.of(call.method);
    const stream = new ClientStream(this, call, binding, this.#ids.take(), this.#opened + 1);
    this.#openCalls++;
    try {
      this.#writeRequest(stream, call, binding, nowMs);
    } catch (error) {
      this.#openCalls--;
      this.#ids.giveBack(stream.id);
      throw error;
    }
    if (stream.ordinal !== unwritten) this.#opened++;
    this.streams.add(stream);
    return stream;
  }

  /** Fails everything that is open: the connection is lost, or closed on purpose. */
  end(error: RpcError): void {
    this.letGo();
    // What never left the slab cannot have run.
    const unsent = this.output.close();
    for (const stream of this.#unflushed) if (stream.sent === undefined) stream.unsent = unsent;
    this.#unflushed = [];
    for (const stream of this.streams.all()) {
      if (stream.call === undefined) continue;
      const handled = this.#handledWhenLost(stream);
      this.#settleFailure(stream, {
        error: new RpcError(error.code, error.message, { cause: error.cause, handled }),
        handled,
        refused: false,
        retriesReturned: handled === "no" ? stream.retriesLent : 0,
      });
    }
    this.streams.clear();
    this.#openCalls = 0;
  }

  override onFlush(bytes: Uint8Array): boolean {
    const flushed = this.#unflushed;
    if (flushed.length === 0) return false;
    this.#unflushed = [];
    for (const stream of flushed) {
      stream.sent = bytes;
      if (stream.binding.method.kind === "oneway") this.#settleOneway(stream);
    }
    return true;
  }

  protected override get peerName(): string {
    return this.#events.address;
  }

  /** The server opens no calls. */
  protected override get takenCount(): number {
    return 0;
  }

  protected override onForeign(bytes: Uint8Array): void {
    this.shut(new RpcError("unavailable", foreignAnswer(this.#events.address, bytes), { handled: "no" }));
  }

  protected override onPreface(preface: Preface): void {
    this.#maxStreams = Math.min(this.limits.maxStreams, preface.maxStreams);
    this.#bindings.onIdentity(preface.identity);
    this.#events.onPreface(preface);
    if (this.available) this.#events.onRoom();
  }

  protected override onWritable(stream: ClientStream): void {
    stream.call?.onWritable();
  }

  protected override handle(type: number, streamId: number, reader: Reader): boolean {
    switch (type) {
      case FrameType.reply:
        this.#onReply(this.streams.find(streamId), reader);
        return true;
      case FrameType.item:
        this.#onItem(this.streams.find(streamId));
        return true;
      case FrameType.error:
        this.#onFailure(this.streams.find(streamId), reader, false);
        return true;
      case FrameType.refused:
        this.#onFailure(this.streams.find(streamId), reader, true);
        return true;
      case FrameType.accepted:
        this.streams.find(streamId)?.call?.onAccepted();
        return true;
      case FrameType.metadata:
        this.streams.find(streamId)?.call?.onMetadata(readMetadata(reader));
        return true;
      case FrameType.bound:
        this.#bindings.onBound(reader);
        return true;
      case FrameType.goAway:
        this.#onGoAway(reader);
        return true;
      case FrameType.load:
        this.#events.onLoad({ eventLoopDelayMs: readVarint(reader), inFlight: readVarint(reader) });
        return true;
      default:
        return false;
    }
  }

  /** For {@link ClientStream}. */
  sendItem(stream: ClientStream, item: unknown): void {
    const { method, types } = stream.binding;
    this.writeItem(stream, types.request, item, method.compress);
  }

  canSend(stream: ClientStream): boolean {
    return this.writable(stream);
  }

  endInput(stream: ClientStream): void {
    this.inOrder(stream, () => this.output.end(this.output.begin(FrameType.inputEnd, stream.id)));
  }

  consumed(stream: ClientStream, bytes: number): void {
    this.release(stream, bytes, stream.call !== undefined);
  }

  cancel(stream: ClientStream): void {
    this.releaseRest(stream);
    if (stream.call === undefined || this.closed) return;
    // The server has never heard of it.
    if (stream.ordinal === unwritten) return this.#retire(stream);
    stream.call = undefined;
    this.#openCalls--;
    this.forget(stream);
    this.output.end(this.output.begin(FrameType.cancel, stream.id));
    const owedEnds = this.#ids.count - this.#openCalls;
    if (owedEnds > this.limits.maxOwedEnds) this.fault(`The peer owes the ends of ${owedEnds} cancelled calls`);
  }

  requestBytesOf(stream: ClientStream): Uint8Array | undefined {
    if (stream.long !== undefined) {
      const { body } = stream.long;
      stream.long = undefined; // whoever takes it may keep it
      stream.body = body;
    }
    if (stream.body !== undefined) return stream.body;
    const bytes = stream.sent ?? stream.unsent ?? (this.closed ? undefined : this.output.writer.bytes);
    return bytes && copyOf(bytes, stream.bodyStart, stream.bodyEnd);
  }

  #writeRequest(stream: ClientStream, call: OutgoingCall, binding: ClientBinding, nowMs: number): void {
    const { output } = this;
    const start = this.#beginRequest(stream, call, binding, nowMs);
    const { writer } = output;
    const bodyStart = writer.pos;
    let size = 0;
    const { kind, compress } = binding.method;
    const again = compress ? (): FrameStart => this.#beginPacked(stream, call, binding) : undefined;
    if (kind === "client_stream" || kind === "bidi") output.end(start);
    else if (call.requestBytes === undefined) {
      size = this.writeMessage(stream, start, this.#flagsAt, binding.types.request, call.request, again);
    } else {
      writeRaw(writer, call.requestBytes);
      size = this.finishMessage(stream, start, this.#flagsAt, bodyStart, again);
    }
    const packing = stream.state?.packing;
    if (packing === undefined) this.#rememberBytes(stream, bodyStart, bodyStart + size);
    else {
      stream.body = packing.body;
      stream.ordinal = unwritten;
    }
  }

  /** Begins a request's frame up to its message, and notes where its flags stand. @throws RpcError when the head does not fit */
  #beginRequest(stream: ClientStream, call: OutgoingCall, binding: ClientBinding, nowMs: number): number {
    const { output } = this;
    const start = output.begin(FrameType.request, stream.id);
    const { writer } = output;
    writeVarint(writer, binding.number);
    const flagsAt = writer.pos;
    const { kind } = binding.method;
    let flags: number = kind !== "client_stream" && kind !== "bidi" ? Flag.message : 0;
    writer.bytes[writer.pos++] = 0;
    if (call.deadlineMs !== Number.POSITIVE_INFINITY) {
      flags |= Flag.deadline;
      writeVarint(writer, Math.max(1, Math.ceil(call.deadlineMs - nowMs)));
    }
    if (hasRequestFields(call)) {
      flags |= Flag.fields;
      try {
        writeRequestFields(writer, call);
      } catch (error) {
        output.undo(start);
        throw error;
      }
    }
    writer.bytes[flagsAt] = flags;
    this.#flagsAt = flagsAt;
    return start;
  }

  /** The request is packed: only now is the call opened, in the order of the wire. */
  #beginPacked(stream: ClientStream, call: OutgoingCall, binding: ClientBinding): FrameStart {
    const start = this.#beginRequest(stream, call, binding, this.host.nowMs());
    stream.ordinal = ++this.#opened;
    this.#unflushed.push(stream);
    return { start, flagsAt: this.#flagsAt };
  }

  /** Notes where the request's bytes lie, so that a retry can send the same ones. */
  #rememberBytes(stream: ClientStream, bodyStart: number, bodyEnd: number): void {
    const bulk = stream.state?.bulk;
    if (bulk !== undefined) {
      bulk.kept = true;
      stream.long = bulk;
    } else if (!this.output.direct) stream.body = copyOf(this.output.writer.bytes, bodyStart, bodyEnd);
    else {
      stream.bodyStart = bodyStart;
      stream.bodyEnd = bodyEnd;
    }
    this.#unflushed.push(stream);
  }

  #onReply(stream: ClientStream | undefined, reader: Reader): void {
    if (stream === undefined) throw new ProtocolFault("End of a stream that is not open");
    const arriving = stream.state?.arriving;
    if (arriving !== undefined) return this.#onReplyLater(arriving, stream);
    this.flood.countWork();
    const flags = readFlags(reader, "reply");
    if ((flags & Flag.fields) !== 0) this.#readHead(stream, reader);
    else stream.retriesReturned = stream.retriesLent;
    if ((flags & Flag.message) !== 0) this.readMessage(stream, flags, 0);
    else if (hasOneReply(stream.binding.method)) throw new ProtocolFault("Reply without its message");
    else this.#settleReply(stream, undefined);
  }

  // What makes functions stands apart: a function that makes some takes memory for what they share at each call of its own.

  #onReplyLater(arriving: Waiting[], stream: ClientStream): void {
    this.readLater(arriving, (later) => this.#onReply(stream, later));
  }

  #readHead(stream: ClientStream, reader: Reader): void {
    const { trailers, retriesUsed } = readReplyFields(reader);
    stream.trailers = trailers;
    stream.retriesReturned = Math.max(0, stream.retriesLent - retriesUsed);
  }

  override deliver(stream: ClientStream, message: Reader, charge: number): void {
    if (charge > 0) this.#decodeItem(stream, message, charge);
    else this.#decodeReply(stream, message);
  }

  /** The reply cannot be taken; the server still owes the call's end. */
  override refuseMessage(stream: ClientStream, error: RpcError): void {
    this.#giveUp(stream, error);
  }

  override rejectMessage(stream: ClientStream, error: RpcError): void {
    this.#giveUp(stream, error);
  }

  #decodeReply(stream: ClientStream, reader: Reader): void {
    const { binding } = stream;
    if (stream.call === undefined) return this.#retire(stream);
    let reply: unknown;
    try {
      if (binding.refusal !== undefined) throw binding.refusal;
      reply = decodeMessage(binding.response, binding.types.response, reader, "internal", "Reply");
    } catch (error) {
      return this.#settleFailure(stream, {
        error: error as RpcError,
        handled: "yes",
        refused: false,
        retriesReturned: stream.retriesReturned,
      });
    }
    this.#settleReply(stream, reply);
  }

  #onItem(stream: ClientStream | undefined): void {
    if (stream === undefined || stream.call === undefined) return this.dropItem();
    this.readItem(stream);
  }

  #decodeItem(stream: ClientStream, reader: Reader, charge: number): void {
    const { binding, call } = stream;
    if (call === undefined) return;
    let item: unknown;
    try {
      if (binding.refusal !== undefined) throw binding.refusal;
      item = decodeMessage(binding.response, binding.types.response, reader, "internal", "Reply");
    } catch (error) {
      return this.#giveUp(stream, error as RpcError);
    }
    call.onItem(item, charge);
  }

  /** Fails a call whose reply we cannot take; the server still owes its end. */
  #giveUp(stream: ClientStream, error: RpcError): void {
    const { call } = stream;
    if (call === undefined) return;
    this.cancel(stream);
    call.onFailure({ error, handled: "yes", refused: false, retriesReturned: 0 });
  }

  #onFailure(stream: ClientStream | undefined, reader: Reader, refused: boolean): void {
    if (stream === undefined) throw new ProtocolFault("End of a stream that is not open");
    const arriving = stream.state?.arriving;
    if (arriving !== undefined) return this.readLater(arriving, (later) => this.#onFailure(stream, later, refused));
    this.flood.countWork();
    const failure = readFailure(reader);
    const handled = refused ? "no" : failure.handled;
    this.#settleFailure(stream, {
      error: errorOf(failure, stream.binding, handled),
      handled,
      refused,
      retriesReturned: Math.max(0, stream.retriesLent - failure.retriesUsed),
    });
  }

  #onGoAway(reader: Reader): void {
    this.#acceptedCount = readVarint(reader);
    const { code, message } = readFailure(reader);
    if (!this.#goneAway) {
      this.#goneAway = true;
      this.output.end(this.output.begin(FrameType.goAwayAck, 0));
      if (message !== "" && code !== "unavailable") {
        return this.shut(new RpcError("unavailable", `${this.peerName} closed the connection: ${message}`));
      }
      this.#events.onGoAway();
    }
    this.#checkIdle();
  }

  #handledWhenLost(stream: ClientStream): "no" | "maybe" {
    const bulk = stream.state?.bulk;
    if (stream.sent === undefined && bulk === undefined) return "no";
    if (stream.ordinal > this.#acceptedCount) return "no";
    // A request of which a part is missing cannot have reached a handler.
    const { kind } = stream.binding.method;
    const whole = bulk === undefined || bulk.sent === bulk.body.length;
    return whole || kind === "client_stream" || kind === "bidi" ? "maybe" : "no";
  }

  #settleReply(stream: ClientStream, reply: unknown): void {
    const { call } = stream;
    this.#retire(stream);
    if (stream.long !== undefined) {
      this.output.recycle(stream.long);
      stream.long = undefined;
    }
    call?.onReply(reply, stream.trailers, stream.retriesReturned);
  }

  #settleFailure(stream: ClientStream, failure: Parameters<OutgoingCall["onFailure"]>[0]): void {
    const { call } = stream;
    this.#retire(stream);
    call?.onFailure(failure);
  }

  /** A one-way call has settled for its caller; the server still owes its end. */
  #settleOneway(stream: ClientStream): void {
    const { call } = stream;
    if (call === undefined || stream.state?.bulk !== undefined) return;
    stream.call = undefined;
    this.#openCalls--;
    call.onReply(undefined, undefined, stream.retriesLent);
  }

  /** The server's one terminal frame came: the slot may be used again, under a new generation. */
  #retire(stream: ClientStream): void {
    if (this.closed) {
      stream.call = undefined;
      return;
    }
    this.forget(stream);
    const isOwed = stream.call === undefined;
    const wasFull = isOwed && !this.available;
    if (!isOwed) this.#openCalls--;
    stream.call = undefined;
    this.streams.remove(stream);
    this.#ids.retire(stream.id);
    if (wasFull && this.available) this.#events.onRoom();
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.idle) this.#events.onIdle();
  }
}

function hasOneReply({ kind }: Method): boolean {
  return kind === "unary" || kind === "client_stream";
}
