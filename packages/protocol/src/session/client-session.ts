import type { Reader } from "@pipit/codec";
import { RpcError } from "../rpc-error.ts";
import type { LoadReport, OutgoingCall, OutgoingStream } from "../transport.ts";
import { BulkSend } from "./bulk-send.ts";
import { readMetadata, readVarint } from "./bytes.ts";
import { hasOneReply, misplaced, streamsOutput } from "./call-shape.ts";
import { ClientBindings, type ConfirmedMethods } from "./client-bindings.ts";
import { ClientStream, type ClientStreamOwner, unwritten } from "./client-stream.ts";
import { errorOf } from "./declared-error.ts";
import { readFailure } from "./failure-frame.ts";
import { foreignAnswer } from "./foreign.ts";
import { readFlags } from "./frame-flags.ts";
import { decodeMessage } from "./message-type.ts";
import { bulkOf } from "./outgoing-messages.ts";
import type { Preface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { readReplyFields } from "./reply-head.ts";
import { handledWhenLost, RequestWriter } from "./request-writer.ts";
import { Session, type SessionOptions } from "./session.ts";
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
  readonly #requests: RequestWriter;
  #openCalls = 0;
  #acceptedCount = Number.POSITIVE_INFINITY;
  #goneAway = false;
  /** One-way calls in the bytes that go to the socket now. */
  #leaving: ClientStream[] | undefined;
  /** Calls that may be open at once. */
  #maxStreams: number;

  constructor(options: SessionOptions, events: ClientSessionEvents, confirmed: ConfirmedMethods) {
    super(options);
    this.#events = events;
    this.#requests = new RequestWriter(this.output, this.outgoing, options.host);
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
   * @throws RpcError `invalid_argument`, `resource_exhausted` or `unavailable`, and nothing was sent
   */
  start(call: OutgoingCall, nowMs: number): OutgoingStream {
    this.output.relieveCalls();
    if (!this.available) throw noRoom(this.#openCalls);
    const binding = this.#bindings.of(call.method);
    const stream = new ClientStream(this, call, binding, this.#ids.take(), this.#requests.nextOrdinal);
    this.#openCalls++;
    try {
      this.#requests.write(stream, call, nowMs);
    } catch (error) {
      throw this.#notWritten(stream, error);
    }
    if (this.closed) throw this.#closedMeanwhile(undefined);
    this.streams.add(stream);
    return stream;
  }

  #notWritten(stream: ClientStream, error: unknown): unknown {
    if (this.closed) return this.#closedMeanwhile(error);
    this.#openCalls--;
    this.#ids.giveBack(stream.id);
    return error;
  }

  /** A getter of the request may have ended the connection: the call was never in its table, and nothing of it is sent. */
  #closedMeanwhile(cause: unknown): RpcError {
    const text = `The connection to ${this.peerName} was closed while the request was encoded`;
    return new RpcError("unavailable", text, { cause, handled: "no" });
  }

  /** Fails everything that is open: the connection is lost, or closed on purpose. */
  end(error: RpcError): void {
    this.letGo();
    this.#requests.close(this.output.close());
    for (const stream of this.streams.all()) {
      if (stream.call === undefined) continue;
      const handled = handledWhenLost(stream, this.#acceptedCount);
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
    const batch = this.#requests.takeBatch(bytes);
    if (batch === undefined) return false;
    this.#leaving = batch.oneways;
    // A stream that lasts keeps its batch.
    batch.oneways = undefined;
    return true;
  }

  override onFlushed(): void {
    const oneways = this.#leaving;
    if (oneways === undefined) return;
    this.#leaving = undefined;
    for (const stream of oneways) this.#settleOneway(stream);
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

  protected override handle(type: number, streamId: number, reader: Reader): void {
    if (type === FrameType.reply) this.#onReply(this.streams.find(streamId), reader);
    else this.#handleOther(type, streamId, reader);
  }

  #handleOther(type: number, streamId: number, reader: Reader): void {
    switch (type) {
      case FrameType.item:
        return this.#onItem(this.streams.find(streamId));
      case FrameType.error:
        return this.#onFailure(this.streams.find(streamId), reader, false);
      case FrameType.refused:
        return this.#onFailure(this.streams.find(streamId), reader, true);
      case FrameType.accepted:
        return this.#onAccepted(this.streams.find(streamId));
      case FrameType.metadata:
        return this.streams.find(streamId)?.call?.onMetadata(readMetadata(reader));
      case FrameType.bound:
        return this.#bindings.onBound(reader);
      case FrameType.goAway:
        return this.#onGoAway(reader);
      case FrameType.load:
        return this.#events.onLoad({ eventLoopDelayMs: readVarint(reader), inFlight: readVarint(reader) });
      default:
        return this.handleCommon(type, streamId, reader);
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
    this.outgoing.inOrder(stream, () => this.output.end(this.output.begin(FrameType.inputEnd, stream.id)));
  }

  consumed(stream: ClientStream, bytes: number): void {
    this.release(stream, bytes, stream.call !== undefined);
  }

  cancel(stream: ClientStream): void {
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
    return this.#requests.take(stream);
  }

  #onAccepted(stream: ClientStream | undefined): void {
    if (stream?.call === undefined) return;
    this.#requests.keepAlone(stream);
    stream.call.onAccepted();
  }

  #onReply(stream: ClientStream | undefined, reader: Reader): void {
    if (stream === undefined) throw new ProtocolFault("End of a stream that is not open");
    const arriving = stream.state?.arriving;
    if (arriving !== undefined) return this.#onReplyLater(arriving, stream);
    this.flood.countWork();
    const flags = readFlags(reader, "reply");
    if ((flags & Flag.fields) !== 0) this.stateOf(stream).replyHead = readReplyFields(reader);
    const { method } = stream.binding;
    if ((flags & Flag.message) === 0) {
      if (hasOneReply(method)) throw misplaced("Reply without its message", method);
      this.#settleReply(stream, undefined);
    } else if (hasOneReply(method)) this.readMessage(stream, flags, 0);
    else throw misplaced("Reply with a message", method);
  }

  // What makes functions stands apart: a function that makes some takes memory for what they share at each call of its own.

  #onReplyLater(arriving: Waiting[], stream: ClientStream): void {
    this.readLater(arriving, (later) => this.#onReply(stream, later));
  }

  override deliver(stream: ClientStream, message: Reader, charge: number): void {
    if (charge > 0) this.#decodeItem(stream, message, charge);
    else this.#decodeReply(stream, message);
  }

  override refuseMessage(stream: ClientStream, error: RpcError): void {
    this.#giveUp(stream, error);
  }

  override rejectMessage(stream: ClientStream, error: RpcError): void {
    this.#giveUp(stream, error);
  }

  /** That was the call's end. */
  override onPassed(stream: ClientStream): void {
    if (this.isOpen(stream)) this.#retire(stream);
  }

  #decodeReply(stream: ClientStream, reader: Reader): void {
    const { binding } = stream;
    if (stream.call === undefined) return this.#retire(stream);
    let reply: unknown;
    try {
      if (binding.refusal !== undefined) throw binding.refusal;
      reply = decodeMessage(binding.response, binding.types.response, reader, "internal", "Reply");
    } catch (error) {
      return this.#settleUnread(stream, error as RpcError);
    }
    this.#settleReply(stream, reply);
  }

  #onItem(stream: ClientStream | undefined): void {
    if (stream === undefined) return this.dropItem();
    const { method } = stream.binding;
    if (!streamsOutput(method)) throw misplaced("Item of the server", method);
    if (stream.call === undefined) return this.dropItem();
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

  /** Fails a call whose reply or item we cannot take, with its end still to come, or whose request cannot be sent after all. */
  #giveUp(stream: ClientStream, error: RpcError): void {
    const { call } = stream;
    if (call === undefined) return;
    // Where its request could not even be written once it was packed, nobody has it.
    const handled = stream.ordinal === unwritten ? "no" : "yes";
    this.cancel(stream);
    call.onFailure({ error, handled, refused: false, retriesReturned: 0 });
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
      retriesReturned: retriesReturned(stream, failure),
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

  #settleReply(stream: ClientStream, reply: unknown): void {
    const { apart, call } = stream;
    const head = stream.state?.replyHead;
    const returned = retriesReturned(stream, head);
    this.#retire(stream);
    if (apart !== undefined) this.#recycle(stream, apart);
    call?.onReply(reply, head?.trailers, returned);
  }

  /** Nobody asks for the request again. */
  #recycle(stream: ClientStream, request: BulkSend | Uint8Array): void {
    stream.apart = undefined;
    if (request instanceof BulkSend) this.output.recycle(request);
  }

  /** The reply cannot be read. */
  #settleUnread(stream: ClientStream, error: RpcError): void {
    const returned = retriesReturned(stream, stream.state?.replyHead);
    this.#settleFailure(stream, { error, handled: "yes", refused: false, retriesReturned: returned });
  }

  #settleFailure(stream: ClientStream, failure: Parameters<OutgoingCall["onFailure"]>[0]): void {
    const { call } = stream;
    this.#retire(stream);
    call?.onFailure(failure);
  }

  /** A one-way call has settled for its caller; the server still owes its end. */
  #settleOneway(stream: ClientStream): void {
    const { call } = stream;
    if (call === undefined || bulkOf(stream) !== undefined) return;
    stream.call = undefined;
    this.#openCalls--;
    this.#requests.forget(stream);
    call.onReply(undefined, undefined, call.retriesLent);
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

/** Of the retries that an open call lent, those that the server has not used: all, where its end says nothing of it. */
function retriesReturned({ retriesLent }: ClientStream, end: { readonly retriesUsed: number } | undefined): number {
  return end === undefined ? retriesLent : Math.max(0, retriesLent - end.retriesUsed);
}

function noRoom(openCalls: number): RpcError {
  return new RpcError("unavailable", `No room for a call: ${openCalls} are open`, { handled: "no" });
}
