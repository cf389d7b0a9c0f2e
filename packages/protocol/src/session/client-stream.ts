import type { Metadata } from "../metadata.ts";
import type { OutgoingCall, OutgoingStream } from "../transport.ts";
import type { BulkSend } from "./bulk-send.ts";
import type { ClientBinding } from "./client-bindings.ts";
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
  readonly retriesLent: number;
  /** Buffer that went to the socket with the request in it. */
  sent: Uint8Array | undefined;
  /** Buffer that was to go to the socket when the connection ended. */
  unsent: Uint8Array | undefined;
  /** The request's bytes where they do not lie in `sent`. */
  body: Uint8Array | undefined;
  /** The request where it is a long one, until it is asked for. */
  long: BulkSend | undefined;
  bodyStart = 0;
  bodyEnd = 0;
  /** From the head of the reply. */
  trailers: Metadata | undefined;
  retriesReturned = 0;
  readonly #session: ClientStreamOwner;

  constructor(session: ClientStreamOwner, call: OutgoingCall, binding: ClientBinding, id: number, ordinal: number) {
    this.id = id;
    this.#session = session;
    this.call = call;
    this.binding = binding;
    this.ordinal = ordinal;
    this.retriesLent = call.retriesLent;
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
