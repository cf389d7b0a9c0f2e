import type { Reader } from "@pipit/codec";
import type { StreamPeer } from "../byte-stream.ts";
import type { Method } from "../contract.ts";
import type { Metadata } from "../metadata.ts";
import type { RpcError } from "../rpc-error.ts";
import type { CallSource, IncomingCall, IncomingHandler } from "../transport.ts";
import { streamsInput } from "./call-shape.ts";
import { decodeMessage } from "./message-type.ts";
import { plainHead, type RequestHead } from "./request-head.ts";
import type { ServerBinding } from "./server-bindings.ts";
import type { SessionStream, StreamState } from "./stream-state.ts";

/** The session that a stream belongs to: it writes what the stream's call says, as long as that has not ended. */
export interface ServerStreamOwner {
  readonly peer: StreamPeer;
  readonly source: CallSource;
  readonly identity: unknown;
  window(bytes: Uint8Array, start: number, end: number): Reader;
  canSend(stream: ServerStream): boolean;
  accept(stream: ServerStream): void;
  sendMetadata(stream: ServerStream, metadata: Metadata): void;
  sendItem(stream: ServerStream, item: unknown): void;
  consumed(stream: ServerStream, bytes: number): void;
  reply(stream: ServerStream, message: unknown, trailers: Metadata | undefined, retriesReturned: number): void;
  endOk(stream: ServerStream, trailers: Metadata | undefined, retriesReturned: number): void;
  fail(stream: ServerStream, error: RpcError, trailers: Metadata | undefined, retriesReturned: number): void;
  refuse(stream: ServerStream, error: RpcError): void;
}

const noBytes = new Uint8Array(0);

/** One call on a connection, as its server holds it. */
export class ServerStream implements SessionStream, IncomingCall {
  readonly id: number;
  state: StreamState | undefined = undefined;
  readonly binding: ServerBinding;
  readonly deadlineMs: number;
  handler: IncomingHandler | undefined = undefined;
  /** The one end was sent, or there is nobody to send it to. */
  ended = false;
  head: RequestHead = plainHead;
  readonly #session: ServerStreamOwner;
  #bytes: Uint8Array = noBytes;
  #start = 0;
  #end = 0;

  constructor(session: ServerStreamOwner, id: number, binding: ServerBinding, deadlineMs: number) {
    this.#session = session;
    this.id = id;
    this.binding = binding;
    this.deadlineMs = deadlineMs;
  }

  get method(): Method {
    return this.binding.method;
  }

  get metadata(): Metadata | undefined {
    return this.head.metadata;
  }

  get idempotencyKey(): string | undefined {
    return this.head.idempotencyKey;
  }

  get attempt(): number {
    return this.head.attempt;
  }

  get retriesLent(): number {
    return this.head.retriesLent;
  }

  get criticality(): 0 | 1 | 2 {
    return this.head.criticality;
  }

  get traceparent(): string | undefined {
    return this.head.traceparent;
  }

  get streamsInput(): boolean {
    return streamsInput(this.binding.method);
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

  decodeRequest(): unknown {
    const { requestDecoder, types } = this.binding;
    const message = this.#session.window(this.#bytes, this.#start, this.#end);
    // Much else may have come in the same memory, and the call may last.
    this.#bytes = noBytes;
    return decodeMessage(requestDecoder, types.request, message, "invalid_argument", "Request");
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
