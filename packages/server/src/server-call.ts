import {
  type CallDependent,
  type Code,
  type Context,
  type DeclaredErrorOptions,
  type IncomingCall,
  type IncomingHandler,
  ItemStream,
  maxMetadataBytes,
  Metadata,
  type Method,
  type Peer,
  type RetryPurse,
  RpcError,
  type WheelEntry,
  type WheelSlot,
} from "@pipit/protocol";
import type { HandlerEntry } from "./handler-table.ts";
import { RareState } from "./rare-state.ts";
import type { ClaimedCall } from "./run-once.ts";
import { SealableMetadata } from "./sealable-metadata.ts";
import type { ServerCore } from "./server-core.ts";

/**
 * One call at the server, and the context that its handler sees. Everything that not every call needs (the abort signal,
 * metadata, trailers, the purse of retries) is made when it is first asked for.
 */
export class ServerCall implements Context, IncomingHandler, WheelEntry {
  readonly core: ServerCore;
  readonly incoming: IncomingCall;
  readonly entry: HandlerEntry;
  /** How it ended, where it failed. */
  failedWith: Code | undefined = undefined;
  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  #ended = false;
  #rare: RareState | undefined = undefined;

  constructor(core: ServerCore, incoming: IncomingCall, entry: HandlerEntry) {
    this.core = core;
    this.incoming = incoming;
    this.entry = entry;
  }

  // What the handler sees.

  get method(): Method {
    return this.entry.method;
  }

  get deadlineMs(): number {
    return this.incoming.deadlineMs;
  }

  remainingMs(): number {
    const { deadlineMs } = this.incoming;
    if (deadlineMs === Number.POSITIVE_INFINITY) return deadlineMs;
    return Math.max(0, deadlineMs - this.core.clock.now());
  }

  get signal(): AbortSignal {
    const rare = this.#useRare();
    if (rare.controller === undefined) {
      rare.controller = new AbortController();
      if (rare.cancelled !== undefined) rare.controller.abort(rare.cancelled);
    }
    return rare.controller.signal;
  }

  get transaction(): unknown {
    return this.claimed?.transaction;
  }

  get metadata(): Metadata {
    return (this.#useRare().metadata ??= this.incoming.metadata ?? new Metadata());
  }

  get replyMetadata(): Metadata {
    return (this.#useRare().replyMetadata ??= new SealableMetadata());
  }

  get trailers(): Metadata {
    return (this.#useRare().trailers ??= new Metadata());
  }

  get peer(): Peer {
    const rare = this.#useRare();
    if (rare.peer === undefined) {
      const { peer, identity } = this.incoming;
      rare.peer = { address: peer.address, secure: peer.secure || peer.local, identity };
    }
    return rare.peer;
  }

  get attempt(): number {
    return this.incoming.attempt;
  }

  get idempotencyKey(): string | undefined {
    return this.incoming.idempotencyKey;
  }

  get traceparent(): string | undefined {
    return this.incoming.traceparent;
  }

  get criticality(): 0 | 1 | 2 {
    return this.incoming.criticality;
  }

  get retries(): RetryPurse {
    return (this.#useRare().purse ??= { left: this.#ended ? 0 : this.incoming.retriesLent });
  }

  error(name: string, data: unknown, options: DeclaredErrorOptions = {}): RpcError {
    if (!Object.hasOwn(this.method.errors, name)) {
      const known = Object.keys(this.method.errors).join(", ") || "none";
      throw new TypeError(
        `Error "${name}" is not declared by ${this.method.service}/${this.method.name}, which has ${known}`,
      );
    }
    return new RpcError(options.code ?? "failed_precondition", options.message ?? name, { error: name, data });
  }

  addDependent(dependent: CallDependent): void {
    const rare = this.#useRare();
    if (rare.cancelled !== undefined) {
      dependent.onParentCancelled(rare.cancelled);
      return;
    }
    rare.dependents ??= new Set();
    rare.dependents.add(dependent);
  }

  removeDependent(dependent: CallDependent): void {
    this.#rare?.dependents?.delete(dependent);
  }

  // What the server does with it.

  /** Whether an end has not been sent yet. */
  get open(): boolean {
    return !this.#ended;
  }

  /** Why the call was given up from outside; undefined while it was not. */
  get cancelled(): RpcError | undefined {
    return this.#rare?.cancelled;
  }

  /** The stream of request items, once it was opened. */
  get requests(): ItemStream<unknown> | undefined {
    return this.#rare?.requests;
  }

  /** What the reply store gave for a `once` call. */
  get claimed(): ClaimedCall | undefined {
    return this.#rare?.claimed;
  }

  set claimed(claimed: ClaimedCall) {
    this.#useRare().claimed = claimed;
  }

  /** Has `told` called once the end has been sent, in place of who was to be told before. */
  set whenEnded(told: (() => void) | undefined) {
    this.#useRare().whenEnded = told;
  }

  /** Has `told` called whenever there is room for more reply items. */
  set wake(told: () => void) {
    this.#useRare().wake = told;
  }

  /** Cancel, deadline and items reach the call from now on. */
  watch(): void {
    if (this.#ended) return;
    this.incoming.handler = this;
    this.core.wheel.add(this);
  }

  /** The stream of request items, from now on. */
  openRequests(): ItemStream<unknown> {
    const { incoming } = this;
    const requests = new ItemStream<unknown>({
      onConsumed: (bytes) => incoming.release(bytes),
      onLeft: () => undefined,
    });
    this.#useRare().requests = requests;
    return requests;
  }

  /** Sends reply metadata, once, if the handler set any. */
  sendMetadata(): void {
    const metadata = this.#rare?.replyMetadata;
    if (metadata === undefined) return;
    if (metadata.size > 0 && !metadata.sealed) this.incoming.sendMetadata(metadata);
    metadata.seal();
  }

  /** Ends with the one reply. A reply that does not encode throws, and the call is still open. */
  reply(message: unknown): void {
    if (this.#ended) return;
    this.sendMetadata();
    this.incoming.reply(message, this.#sentTrailers(), this.#retriesLeft());
    this.#finish();
  }

  /** Ends a stream of replies. */
  end(): void {
    if (this.#ended) return;
    this.sendMetadata();
    this.incoming.end(this.#sentTrailers(), this.#retriesLeft());
    this.#finish();
  }

  fail(error: RpcError): void {
    if (this.#ended) return;
    this.failedWith = error.code;
    const trailers = this.#rare?.trailers ?? error.metadata;
    // What does not fit on the wire must not keep the error from its caller.
    const sent = trailers !== undefined && trailers.byteLength <= maxMetadataBytes ? trailers : undefined;
    this.incoming.fail(error, sent, this.#retriesLeft());
    this.#finish();
  }

  /** Turns the call away before any code of the server's own saw it. */
  refuse(error: RpcError): void {
    if (this.#ended) return;
    this.failedWith = error.code;
    this.incoming.refuse(error);
    this.#finish();
  }

  /** Gives the call up from outside: the signal fires, nested calls end, the caller is told. */
  cancel(reason: RpcError): void {
    if (this.#ended) return;
    const rare = this.#useRare();
    rare.cancelled = reason;
    this.fail(reason);
    rare.controller?.abort(reason);
    rare.requests?.abort(reason);
    const { dependents } = rare;
    rare.dependents = undefined;
    if (dependents !== undefined) for (const dependent of dependents) dependent.onParentCancelled(reason);
    rare.wake?.();
  }

  #useRare(): RareState {
    return (this.#rare ??= new RareState());
  }

  #retriesLeft(): number {
    return this.#rare?.purse?.left ?? this.incoming.retriesLent;
  }

  #finish(): void {
    this.#ended = true;
    if (this.wheelSlot !== undefined) this.core.wheel.remove(this);
    const rare = this.#rare;
    if (rare === undefined) return;
    rare.whenEnded?.();
    // What the caller got back must not be spent here any more.
    if (rare.purse !== undefined) rare.purse.left = 0;
  }

  /** @throws RpcError when they are too large */
  #sentTrailers(): Metadata | undefined {
    const trailers = this.#rare?.trailers;
    return trailers === undefined || trailers.size === 0 ? undefined : fitting(trailers);
  }

  // What the connection and the wheel tell it.

  onItem(item: unknown, bytes: number): void {
    this.#rare?.requests?.push(item, bytes);
  }

  onInputEnd(): void {
    this.#rare?.requests?.close();
  }

  onWritable(): void {
    this.#rare?.wake?.();
  }

  onCancel(reason: RpcError): void {
    // Law 5: only the caller's cancel and the deadline stop a `once` handler; its reply is kept for the next attempt.
    if (this.method.idempotency === "once" && reason.code !== "cancelled") return;
    this.cancel(reason);
  }

  onDeadline(): void {
    this.core.countDeadline();
    this.cancel(new RpcError("deadline_exceeded", "The deadline passed while the handler ran"));
  }
}

function fitting(trailers: Metadata): Metadata {
  const { byteLength } = trailers;
  if (byteLength <= maxMetadataBytes) return trailers;
  throw new RpcError("internal", `Trailers of ${byteLength} bytes: at most ${maxMetadataBytes} can be sent`);
}
