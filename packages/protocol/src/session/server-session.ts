import { CodecError, type Decoder, Reader, Writer } from "@pipit/codec";
import type { StreamPeer } from "../byte-stream.ts";
import type { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import type { CallAcceptor, CallSource, IncomingCall, IncomingHandler } from "../transport.ts";
import type { Method } from "../contract.ts";
import { readBind, writeReplyDescriptions } from "./binding-frames.ts";
import { decodeText, metadataBytes, readMetadata, readVarint, writeByte, writeVarint } from "./bytes.ts";
import { maxErrorDataBytes, writeFailure, writeGoAway } from "./failure-frame.ts";
import { endFields, fieldNumber, numberField, readFields, writeField } from "./fields.ts";
import { decodeMessage, type MethodTypes, typesOf } from "./message-type.ts";
import type { Preface } from "./preface.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { foreignSchemaBytes, resolveAtServer, UnknownFingerprint } from "./resolve-types.ts";
import { type FrameStart, isSending, readFlags, Session, type SessionOptions } from "./session.ts";
import type { SessionStream, StreamState } from "./stream-state.ts";
import {
  BindResult,
  defaultRetriesLent,
  Flag,
  FrameType,
  frameHeadBytes,
  ReplyField,
  RequestField,
  slotMask,
} from "./wire.ts";

/** What a server session tells its shell beside calls. */
export interface ServerSessionEvents {
  /** The first bytes belong to another protocol: answer in it, then close. */
  onForeign(bytes: Uint8Array): void;
  onPreface(preface: Preface): void;
  /** No call is open. */
  onIdle(): void;
}

/** A method as bound on this connection. */
interface Binding {
  readonly refusal: undefined;
  readonly method: Method;
  readonly types: MethodTypes;
  readonly requestDecoder: Decoder<unknown>;
}

/** Why a method as bound on this connection cannot be called. */
interface RefusedBinding {
  readonly refusal: RpcError;
}

/** Time between two load reports on a connection. */
const loadIntervalMs = 100;

/** The server's end of the wire: hands calls to the acceptor, and sends each exactly one end. */
export class ServerSession extends Session {
  readonly peer: StreamPeer;
  readonly source: CallSource = { running: 0 };
  /** What `authenticate` returned. */
  identity: unknown;
  readonly #acceptor: CallAcceptor;
  readonly #events: ServerSessionEvents;
  readonly #streams: (ServerStream | undefined)[] = [];
  readonly #bindings = new Map<number, Binding | RefusedBinding>();
  /** The binding used last, and its number: calls of one method come in runs. */
  #lastBinding: Binding | RefusedBinding | undefined;
  #lastNumber = -1;
  #openCalls = 0;
  #openedCount = 0;
  #acceptedCount = Number.POSITIVE_INFINITY;
  #goAwayAcked = false;
  #loadAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions, acceptor: CallAcceptor, peer: StreamPeer, events: ServerSessionEvents) {
    super(options);
    this.#acceptor = acceptor;
    this.#events = events;
    this.peer = peer;
  }

  get openCalls(): number {
    return this.#openCalls;
  }

  /** The client has heard that we go away, and will open no more. */
  get goAwayAcked(): boolean {
    return this.#goAwayAcked;
  }

  /** Takes no more calls: those opened later are refused, and the client knows how many were taken. */
  goAway(): void {
    if (this.closed || this.#acceptedCount !== Number.POSITIVE_INFINITY) return;
    this.#acceptedCount = this.#openedCount;
    const start = this.output.begin(FrameType.goAway, 0);
    writeGoAway(this.output.writer, this.#openedCount, new RpcError("unavailable", "The server is draining"));
    this.output.end(start);
  }

  /** Fails every open call at its caller; the handlers see a cancel. */
  abandon(error: RpcError): void {
    for (const stream of Array.from(this.#streams)) {
      if (stream === undefined || stream.ended) continue;
      const { handler } = stream;
      this.fail(stream, error, undefined, 0);
      handler?.onCancel(error);
    }
  }

  /** The connection is gone: tells the handlers that nobody waits. */
  end(error: RpcError): void {
    this.letGo();
    this.output.close();
    for (const stream of this.#streams) {
      if (stream === undefined) continue;
      stream.ended = true;
      stream.handler?.onCancel(error);
    }
    this.#streams.length = 0;
    this.#openCalls = 0;
  }

  override fault(message: string): void {
    if (this.closed) return;
    const start = this.output.begin(FrameType.goAway, 0);
    writeGoAway(this.output.writer, this.#openedCount, new RpcError("internal", message));
    this.output.end(start);
    this.shut(new RpcError("unavailable", `${this.peer.address} broke the protocol: ${message}`));
  }

  override onFlush(): boolean {
    return false;
  }

  protected override onForeign(bytes: Uint8Array): void {
    this.closed = true;
    this.#events.onForeign(bytes);
  }

  protected override onPreface(preface: Preface): void {
    this.#events.onPreface(preface);
  }

  protected override onWritable(stream: SessionStream): void {
    (stream as ServerStream).handler?.onWritable();
  }

  protected override find(streamId: number): ServerStream | undefined {
    const stream = this.#streams[streamId & slotMask];
    return stream !== undefined && stream.id === streamId ? stream : undefined;
  }

  protected override handle(type: number, streamId: number, reader: Reader): boolean {
    switch (type) {
      case FrameType.request:
        this.#onRequest(streamId, reader);
        return true;
      case FrameType.item:
        this.#onItem(this.find(streamId));
        return true;
      case FrameType.inputEnd:
        this.flood.countControl();
        this.#onInputEnd(this.find(streamId));
        return true;
      case FrameType.cancel:
        this.flood.countControl();
        this.#onCancel(this.find(streamId));
        return true;
      case FrameType.bind:
        this.flood.countControl();
        this.#onBind(reader);
        return true;
      case FrameType.goAwayAck:
        this.#goAwayAcked = true;
        if (this.#openCalls === 0) this.#events.onIdle();
        return true;
      case FrameType.goAway:
        this.#onGoAway(reader);
        return true;
      default:
        return false;
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
    this.inOrder(stream, () => {
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
    const start = this.#beginReply(stream, Flag.message, trailers, retriesReturned);
    const again = method.compress
      ? (): FrameStart => {
          const anew = this.#beginReply(stream, Flag.message, trailers, retriesReturned);
          return { start: anew, flagsAt: anew + frameHeadBytes };
        }
      : undefined;
    try {
      this.writeMessage(stream, start, start + frameHeadBytes, types.response, message, again);
    } catch (error) {
      throw ownFault(error);
    }
    this.#finish(stream);
  }

  /** Ends a stream of items, or a one-way call. */
  endOk(stream: ServerStream, trailers: Metadata | undefined, retriesReturned: number): void {
    // Encoded now, so that what does not fit is the handler's error; sent behind a long item that is under way.
    const block = trailers === undefined || trailers.size === 0 ? undefined : metadataBytes(trailers);
    this.inOrder(stream, () => {
      this.output.end(this.#beginReply(stream, 0, undefined, retriesReturned, block));
      this.#finish(stream);
    });
  }

  fail(stream: ServerStream, error: RpcError, trailers: Metadata | undefined, retriesReturned: number): void {
    this.forget(stream);
    const retriesUsed = stream.retriesLent - retriesReturned;
    this.#writeEnd(FrameType.error, stream.id, error, this.#errorData(stream, error), trailers, retriesUsed);
    this.#finish(stream);
  }

  refuse(stream: ServerStream, error: RpcError): void {
    this.forget(stream);
    this.#writeEnd(FrameType.refused, stream.id, error, undefined, undefined, 0);
    this.#finish(stream);
  }

  #onRequest(streamId: number, reader: Reader): void {
    this.flood.countWork();
    const slot = streamId & slotMask;
    if (slot >= this.limits.maxStreams)
      throw new ProtocolFault(`Stream slot ${slot}: at most ${this.limits.maxStreams} are allowed`);
    if (this.#streams[slot] !== undefined) throw new ProtocolFault(`Stream ${streamId} opened in a slot that is taken`);
    this.#openedCount++;
    const bound = this.#bindingOf(readVarint(reader));
    const flags = readFlags(reader, "request");
    const leftMs = (flags & Flag.deadline) === 0 ? Number.POSITIVE_INFINITY : readVarint(reader);
    if (bound.refusal === undefined && this.#openedCount <= this.#acceptedCount) {
      return this.#open(new ServerStream(this, streamId, bound, this.receivedAtMs + leftMs), flags, slot);
    }
    const error = bound.refusal ?? new RpcError("unavailable", "The server is draining");
    this.#writeEnd(FrameType.refused, streamId, error, undefined, undefined, 0);
  }

  #bindingOf(number: number): Binding | RefusedBinding {
    if (number === this.#lastNumber && this.#lastBinding !== undefined) return this.#lastBinding;
    const bound = this.#bindings.get(number);
    if (bound === undefined) throw new ProtocolFault("Call of a method that was not bound");
    this.#lastNumber = number;
    this.#lastBinding = bound;
    return bound;
  }

  #open(stream: ServerStream, flags: number, slot: number): void {
    const { reader } = this;
    if ((flags & Flag.fields) !== 0) readFields(reader, (id, value) => stream.readField(id, value));
    while (this.#streams.length < slot) this.#streams.push(undefined);
    this.#streams[slot] = stream;
    this.#openCalls++;
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
    if (stream.streamsInput) this.#reject(stream, error);
    else this.refuse(stream, error);
  }

  override rejectMessage(stream: ServerStream, error: RpcError): void {
    this.#reject(stream, error);
  }

  #onInputEnd(stream: ServerStream | undefined): void {
    const arriving = stream?.state?.arriving;
    if (arriving !== undefined) this.readLater(arriving, () => stream?.handler?.onInputEnd());
    else stream?.handler?.onInputEnd();
  }

  #onItem(stream: ServerStream | undefined): void {
    if (stream === undefined) return this.dropItem();
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

  #onBind(reader: Reader): void {
    const frame = readBind(reader);
    if (this.#bindings.size >= this.limits.maxBindings)
      throw new ProtocolFault(`More than ${this.limits.maxBindings} methods bound`);
    if (this.#bindings.has(frame.number)) throw new ProtocolFault(`Binding ${frame.number} made twice`);
    const method = this.#acceptor.lookup(frame.service, frame.method);
    const start = this.output.begin(FrameType.bound, 0);
    const { writer } = this.output;
    writeVarint(writer, frame.number);
    try {
      if (method === undefined)
        throw new RpcError("unimplemented", `No method ${frame.service}/${frame.method} here`, { handled: "no" });
      this.takeForeignSchemas(foreignSchemaBytes(method, frame));
      const { requestDecoder, tell } = resolveAtServer(method, frame);
      this.#bindings.set(frame.number, {
        refusal: undefined,
        method,
        types: typesOf(method),
        requestDecoder,
      });
      writeByte(writer, tell === undefined ? BindResult.same : BindResult.schemas);
      if (tell !== undefined) writeReplyDescriptions(writer, tell);
    } catch (error) {
      const unknown = error instanceof UnknownFingerprint;
      const refusal = unknown
        ? new RpcError("unavailable", "Bind the method again with its schemas")
        : RpcError.from(error);
      this.#bindings.set(frame.number, { refusal });
      writeByte(writer, unknown ? BindResult.unknownFingerprint : BindResult.refused);
      if (!unknown) writeFailure(writer, { error: refusal, data: undefined, trailers: undefined, retriesUsed: 0 });
    }
    this.output.end(start);
  }

  /** The client ends the connection, and says why when it is our fault. */
  #onGoAway(reader: Reader): void {
    readVarint(reader);
    this.shut(new RpcError("unavailable", `${this.peer.address} closed the connection`));
  }

  /** Begins a reply's frame, whose flags stand right behind its head. */
  #beginReply(
    stream: ServerStream,
    flags: number,
    trailers: Metadata | undefined,
    retriesReturned: number,
    block?: Uint8Array,
  ): number {
    const trailerBytes = trailers === undefined || trailers.size === 0 ? block : metadataBytes(trailers);
    const retriesUsed = stream.retriesLent - retriesReturned;
    const { output } = this;
    const frame = output.begin(FrameType.reply, stream.id);
    const { writer } = output;
    const hasFields = trailerBytes !== undefined || retriesUsed > 0;
    writer.bytes[writer.pos++] = hasFields ? flags | Flag.fields : flags;
    if (!hasFields) return frame;
    if (trailerBytes !== undefined) writeField(writer, ReplyField.trailers, trailerBytes);
    if (retriesUsed > 0) writeField(writer, ReplyField.retriesUsed, numberField(retriesUsed));
    endFields(writer);
    return frame;
  }

  #errorData(stream: ServerStream, error: RpcError): Uint8Array | undefined {
    const type = error.error === undefined ? undefined : stream.binding.types.errors.get(error.error);
    if (type === undefined) return undefined;
    const writer = new Writer(256);
    try {
      type.codec.encodeTo(writer, error.data);
    } catch (thrown) {
      if (!(thrown instanceof CodecError)) throw thrown;
      return undefined;
    }
    return writer.pos <= maxErrorDataBytes ? writer.take() : undefined;
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
    const block = trailers === undefined || trailers.size === 0 ? undefined : metadataBytes(trailers);
    const start = this.output.begin(type, streamId);
    writeFailure(this.output.writer, { error, data, trailers: block, retriesUsed });
    this.output.end(start);
  }

  /** The terminal frame is written: the slot belongs to the client again. */
  #finish(stream: ServerStream): void {
    stream.ended = true;
    this.releaseRest(stream);
    if (!isSending(stream)) this.#vacate(stream);
    else this.inOrder(stream, () => this.#vacate(stream));
  }

  #vacate(stream: ServerStream): void {
    this.forget(stream);
    this.#streams[stream.id & slotMask] = undefined;
    this.#openCalls--;
    if (this.receivedAtMs - this.#loadAtMs >= loadIntervalMs) this.#reportLoad();
    if (this.#openCalls === 0) this.#events.onIdle();
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

const cancelled = new RpcError("cancelled", "The caller cancelled the call", { handled: "maybe" });
const noBytes = new Uint8Array(0);

/** What the fields of a request's head say, with what holds where they are absent. */
class RequestHead {
  metadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  attempt = 1;
  retriesLent: number = defaultRetriesLent;
  criticality: 0 | 1 | 2 = 1;
  traceparent: string | undefined = undefined;
}

/** That of a request without fields, which most are: one for all. */
const plainHead: RequestHead = Object.freeze(new RequestHead());

/** One call on a connection, as its server holds it. */
export class ServerStream implements SessionStream, IncomingCall {
  readonly id: number;
  state: StreamState | undefined = undefined;
  readonly binding: Binding;
  readonly deadlineMs: number;
  handler: IncomingHandler | undefined = undefined;
  /** The one end was sent, or there is nobody to send it to. */
  ended = false;
  readonly #session: ServerSession;
  #head: RequestHead = plainHead;
  #bytes: Uint8Array = noBytes;
  #start = 0;
  #end = 0;

  constructor(session: ServerSession, id: number, binding: Binding, deadlineMs: number) {
    this.#session = session;
    this.id = id;
    this.binding = binding;
    this.deadlineMs = deadlineMs;
  }

  get method(): Method {
    return this.binding.method;
  }

  get metadata(): Metadata | undefined {
    return this.#head.metadata;
  }

  get idempotencyKey(): string | undefined {
    return this.#head.idempotencyKey;
  }

  get attempt(): number {
    return this.#head.attempt;
  }

  get retriesLent(): number {
    return this.#head.retriesLent;
  }

  get criticality(): 0 | 1 | 2 {
    return this.#head.criticality;
  }

  get traceparent(): string | undefined {
    return this.#head.traceparent;
  }

  get streamsInput(): boolean {
    const { kind } = this.binding.method;
    return kind === "client_stream" || kind === "bidi";
  }

  get peer(): StreamPeer {
    return this.#session.peer;
  }

  get source(): CallSource {
    return this.#session.source;
  }

  get identity(): unknown {
    return this.#session.identity;
  }

  get open(): boolean {
    return !this.ended;
  }

  get writable(): boolean {
    return !this.ended && this.#session.canSend(this);
  }

  get requestBytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Where the one request message lies. */
  setRequest(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** A field of the request's head. @throws ProtocolFault */
  readField(id: number, value: Uint8Array): void {
    if (this.#head === plainHead) this.#head = new RequestHead();
    const head = this.#head;
    switch (id) {
      case RequestField.idempotencyKey:
        if (value.length > 256) throw new ProtocolFault(`Idempotency key of ${value.length} bytes`);
        head.idempotencyKey = decodeText(value);
        return;
      case RequestField.attempt:
        head.attempt = bounded(value, 1, 0xffff);
        return;
      case RequestField.retriesLent:
        head.retriesLent = bounded(value, 0, 0xff);
        return;
      case RequestField.criticality:
        head.criticality = bounded(value, 0, 2) as 0 | 1 | 2;
        return;
      case RequestField.traceparent:
        if (value.length > 256) throw new ProtocolFault(`Trace context of ${value.length} bytes`);
        head.traceparent = decodeText(value);
        return;
      case RequestField.metadata:
        head.metadata = readMetadata(new Reader(value));
        break;
      default:
      // A field of a later version.
    }
  }

  decodeRequest(): unknown {
    const { requestDecoder, types } = this.binding;
    return decodeMessage(
      requestDecoder,
      types.request,
      this.#session.window(this.#bytes, this.#start, this.#end),
      "invalid_argument",
      "Request",
    );
  }

  accept(): void {
    if (!this.ended) this.#session.accept(this);
  }

  sendMetadata(metadata: Metadata): void {
    if (!this.ended) this.#session.sendMetadata(this, metadata);
  }

  send(item: unknown): void {
    if (!this.ended) this.#session.sendItem(this, item);
  }

  release(bytes: number): void {
    this.#session.consumed(this, bytes);
  }

  reply(message: unknown, trailers: Metadata | undefined, retriesReturned: number): void {
    if (!this.ended) this.#session.reply(this, message, trailers, retriesReturned);
  }

  end(trailers: Metadata | undefined, retriesReturned: number): void {
    if (!this.ended) this.#session.endOk(this, trailers, retriesReturned);
  }

  fail(error: RpcError, trailers: Metadata | undefined, retriesReturned: number): void {
    if (!this.ended) this.#session.fail(this, error, trailers, retriesReturned);
  }

  refuse(error: RpcError): void {
    if (!this.ended) this.#session.refuse(this, error);
  }
}

/** A reply that does not encode is the server's fault, whatever the codec calls it. */
function ownFault(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  const code = error.code === "invalid_argument" ? "internal" : error.code;
  return new RpcError(code, `Reply: ${error.message}`, { cause: error.cause, handled: "yes" });
}

function bounded(value: Uint8Array, least: number, most: number): number {
  const number = fieldNumber(value);
  if (!(number >= least && number <= most))
    throw new ProtocolFault(`Field value ${number}: expected ${least} to ${most}`);
  return number;
}
