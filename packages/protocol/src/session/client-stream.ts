import type { OutgoingCall, OutgoingStream } from "../transport.ts";
import type { BulkSend } from "./bulk-send.ts";
import type { ClientBinding } from "./client-bindings.ts";
import type { RequestBatch } from "./request-batch.ts";
import type { SessionStream, StreamState } from "./stream-state.ts";

/** The session that a stream belongs to. */
export interface ClientStreamOwner {
  canSend(stream: ClientStream): boolean;
  sendItem(stream: ClientStream, item: unknown): void;
  endInput(stream: ClientStream): void;
  consumed(stream: ClientStream, bytes: number): void;
  cancel(stream: ClientStream): void;
  requestBytesOf(stream: ClientStream): Uint8Array | undefined;
}

/** Ordinal of a call that has no place on the wire yet. */
export const unwritten: number = Number.POSITIVE_INFINITY;

/** One call on a connection, as its caller holds it. */
export class ClientStream implements SessionStream, OutgoingStream {
  readonly id: number;
  state: StreamState | undefined = undefined;
  /** Undefined once the call has ended for its caller. */
  call: OutgoingCall | undefined;
  readonly binding: ClientBinding;
  /** Place among the calls of the connection; {@link unwritten} while the request is being packed. */
  ordinal: number;
  /** With which others the request leaves; undefined while it is being packed. */
  batch: RequestBatch | undefined = undefined;
  /** Where the request's bytes lie in those of the batch. */
  bodyStart = 0;
  bodyEnd = 0;
  /** The request where its bytes do not lie there: a long one as it is sent, until it is asked for. */
  apart: BulkSend | Uint8Array | undefined = undefined;
  readonly #session: ClientStreamOwner;

  constructor(session: ClientStreamOwner, call: OutgoingCall, binding: ClientBinding, id: number, ordinal: number) {
    this.id = id;
    this.#session = session;
    this.call = call;
    this.binding = binding;
    this.ordinal = ordinal;
  }

  /** Retries that the call lent to the server's side of the tree. */
  get retriesLent(): number {
    return this.call === undefined ? 0 : this.call.retriesLent;
  }

  get writable(): boolean {
    return this.call !== undefined && this.#session.canSend(this);
  }

  send(item: unknown): void {
    if (this.call !== undefined) this.#session.sendItem(this, item);
  }

  endInput(): void {
    if (this.call !== undefined) this.#session.endInput(this);
  }

  release(bytes: number): void {
    this.#session.consumed(this, bytes);
  }

  cancel(): void {
    this.#session.cancel(this);
  }

  takeRequestBytes(): Uint8Array | undefined {
    return this.#session.requestBytesOf(this);
  }
}
