import type { Pick, Result } from "@pipit/balancer";
import {
  type CallContext,
  type CallDependent,
  type CallFailure,
  type CallOptions,
  type ClientConnection,
  currentContext,
  isRpcError,
  type ItemStream,
  Metadata,
  type Method,
  type OutgoingCall,
  type OutgoingStream,
  RpcError,
  type WheelEntry,
  type WheelSlot,
} from "@pipit/protocol";
import { attemptResult } from "./attempt-result.ts";
import { sendWithCredentials } from "./call-credentials.ts";
import { attach, detach, inherit } from "./call-parent.ts";
import { type CallPlan, checkedTimeout, criticalityNumber, isBounded, streams } from "./call-plan.ts";
import { describeFailure, noteAttempt, noteDecision, sinceStartMs, tellEnd, wantsRecord } from "./call-report.ts";
import { CallRetry } from "./call-retry.ts";
import { lose } from "./call-rival.ts";
import { waitAt } from "./call-wait.ts";
import type { ClientCore } from "./client-core.ts";
import { callStart } from "./diagnostics.ts";
import type { InputPump } from "./input-pump.ts";
import { type InternalOptions, internalOf } from "./internal-options.ts";
import { RareState } from "./rare-state.ts";
import { lendRetries } from "./retry-policy.ts";
import type { RouteEndpoint } from "./route.ts";
import { type SignalListener, signals } from "./signal-hub.ts";
import { watchSilence } from "./stream-timer.ts";
import { tellObserver } from "./tell-observer.ts";

/** Retries of a call tree, to be spent anywhere in it. */
const treeRetries = 3;

/** Where a call stands. */
export type CallState = "new" | "waiting" | "backoff" | "sent" | "over";

/**
 * A state machine over one call: from the caller's request, over as many sendings as law 4 allows, to exactly one end.
 *
 * `new` → `sent` or `waiting` (for an endpoint, a connection or credentials) → … → `backoff` → … → `over`. Connections, timers,
 * signals, parents and waiting lists call in; each looks at the state first, so that whatever comes late changes nothing.
 *
 * Here is the straight way of a call, in one object, since a second one per call would be felt. What only some calls do lies beside
 * it, in the files named `call-…`, which share the fields below: waiting, credentials, what follows a failure, hedges, the
 * parent call, and what is told at the end.
 */
export class ClientCall implements OutgoingCall, WheelEntry, CallDependent, SignalListener {
  // What a connection reads.
  readonly request: unknown;
  deadlineMs: number;
  attempt = 0;
  retriesLent = 0;

  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  /** The two ends of the caller's promise; unused by streams of replies. */
  resolve: (reply: unknown) => void = nothing;
  reject: (error: RpcError) => void = nothing;

  // For the files beside this one.
  readonly core: ClientCore;
  readonly plan: CallPlan;
  readonly options: CallOptions | undefined;
  startedMs: number;
  state: CallState = "new";
  /** Where it goes, or went last. */
  pick: Pick<RouteEndpoint> | undefined = undefined;
  connection: ClientConnection | undefined = undefined;
  stream: OutgoingStream | undefined = undefined;
  sentMs = 0;
  /** Retries that it may still spend, or lend. */
  retries: number = treeRetries;
  parent: CallContext | undefined = undefined;
  rare: RareState | undefined = undefined;

  /** Whether the balancer has yet to hear how the pick went. */
  #pickOpen = false;
  /** The client's stalls when it was sent. */
  #sentStallMs = 0;
  /** Its time will be that of the endpoint: no stream, whose length is its reader's, and no connect in it. */
  #timed = false;

  /** @throws RangeError or TypeError for an option that makes no sense */
  constructor(core: ClientCore, plan: CallPlan, request: unknown, options: CallOptions | undefined) {
    this.core = core;
    this.plan = plan;
    this.options = options;
    this.request = request;
    const nowMs = core.turn.now();
    this.startedMs = nowMs;
    const parent = options?.context ?? currentContext();
    const given = options?.timeoutMs;
    if (given === undefined && !isBounded(plan)) {
      this.useRare().watchesSilence = true;
      this.deadlineMs = Infinity;
    } else this.deadlineMs = nowMs + (given === undefined ? plan.timeoutMs : checkedTimeout(given));
    if (parent !== undefined) inherit(this, parent);
    if (this.deadlineMs === Infinity && !streams(plan)) throw endless(plan.method);
    if (options !== undefined) this.#takeOptions(options);
    if (plan.method.idempotency === "once") this.useRare().idempotencyKey ??= core.createKey();
  }

  get method(): Method {
    return this.plan.method;
  }

  get metadata(): Metadata | undefined {
    return this.rare?.metadata;
  }

  get idempotencyKey(): string | undefined {
    return this.rare?.idempotencyKey;
  }

  get traceparent(): string | undefined {
    return this.parent?.traceparent;
  }

  get criticality(): 0 | 1 | 2 {
    return this.rare?.criticality ?? this.parent?.criticality ?? 1;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.state === "over";
  }

  get requestBytes(): Uint8Array | undefined {
    return this.rare?.requestBytes;
  }

  get replyMetadata(): Metadata | undefined {
    return this.rare?.replyMetadata;
  }

  get replyTrailers(): Metadata | undefined {
    return this.rare?.replyTrailers;
  }

  /** Gives it where reply items go. */
  set items(items: ItemStream<unknown>) {
    this.useRare().items = items;
  }

  /** Gives it where requests come from. */
  set input(input: InputPump) {
    this.useRare().input = input;
  }

  /** Goes about it. Nothing has happened before, so that a stream may begin with its reader. */
  begin(): void {
    const { core } = this;
    core.inFlight++;
    // A hedge is a sending more and not a call more.
    if (this.rare?.rival === undefined) {
      core.counts.started++;
      if (callStart.hasSubscribers) callStart.publish({ method: this.method, target: this.plan.route.text });
      this.plan.budget.deposit();
    }
    const signal = this.options?.signal;
    if (signal !== undefined) {
      if (signal.aborted) return this.#cancelBy(signal.reason);
      signals.add(signal, this);
    }
    if (core.closed || this.deadlineMs <= this.startedMs) return this.fail(notBegun(core.closed));
    core.wheel.add(this);
    if (this.rare?.watchesSilence === true) watchSilence(this);
    if (this.parent !== undefined && attach(this, this.parent)) return;
    this.routeFirst();
  }

  /** Gives it up: the server is told, the caller gets `error`. */
  cancel(error: RpcError): void {
    if (this.state === "over") return;
    this.abandon("cancelled");
    this.fail(error);
  }

  /** The caller stopped reading: nobody is to be told of any error. */
  leave(): void {
    if (this.state === "over") return;
    this.abandon("cancelled");
    this.finish(undefined);
  }

  /** A reader took items: credit. */
  release(bytes: number): void {
    this.stream?.release(bytes);
  }

  /** Where it went last. */
  get endpointId(): string | undefined {
    return this.pick?.endpoint.id;
  }

  // What the connection reports.

  onAccepted(): void {
    if (this.rare?.inputEnded !== true || this.plan.streamsOutput) this.rare?.timer?.stop();
  }

  onMetadata(metadata: Metadata): void {
    const rare = this.useRare();
    // They come once; what a peer sends more of them tells nobody anything.
    if (this.state !== "sent" || rare.metadataAttempt === this.attempt) return;
    rare.metadataAttempt = this.attempt;
    rare.replyMetadata = metadata;
    const onMetadata = this.options?.onMetadata;
    if (onMetadata !== undefined) tellObserver(() => onMetadata(metadata));
  }

  onItem(item: unknown, bytes: number): void {
    const rare = this.useRare();
    rare.itemSeen = true;
    rare.items?.push(item, bytes);
  }

  onWritable(): void {
    this.rare?.input?.pull();
  }

  onReply(reply: unknown, trailers: Metadata | undefined, retriesReturned: number): void {
    if (this.state !== "sent") return;
    this.retries += Math.min(retriesReturned, this.retriesLent);
    if (trailers !== undefined) this.useRare().replyTrailers = trailers;
    this.done("ok");
    const rival = this.rare?.rival;
    if (rival !== undefined) lose(rival);
    if (this.rare?.log !== undefined || wantsRecord(this.options)) noteAttempt(this, undefined, "yes");
    this.finish(undefined);
    const items = this.rare?.items;
    if (items === undefined) this.resolve(reply);
    else items.close();
  }

  onFailure(failure: CallFailure): void {
    if (this.state !== "sent") return;
    const { error, handled, retriesReturned } = failure;
    this.retries += handled === "no" ? this.retriesLent : Math.min(retriesReturned, this.retriesLent);
    this.retriesLent = 0;
    this.useRare().replyTrailers = error.metadata;
    this.done(attemptResult(failure));
    noteAttempt(this, error, handled);
    this.afterFailure(failure);
  }

  // Time and cancel.

  onDeadline(): void {
    const lateMs = this.rare?.extended === true ? 0 : this.core.turn.lateBy(this.startedMs);
    if (lateMs > 0) {
      // It began behind a long computation in the same turn, of which its deadline knew nothing.
      this.useRare().extended = true;
      this.deadlineMs += lateMs;
      this.core.wheel.add(this);
      return;
    }
    this.expire("The deadline passed");
  }

  onParentCancelled(reason: unknown): void {
    const late = isRpcError(reason) && reason.code === "deadline_exceeded";
    const text = "The call for which this one was made was given up";
    this.cancel(new RpcError(late ? "deadline_exceeded" : "cancelled", text, { cause: reason }));
  }

  /** The caller's signal, or that of a context made by hand, fired. */
  onSignal(reason: unknown): void {
    if (this.options?.signal?.aborted === true) this.#cancelBy(reason);
    else this.onParentCancelled(reason);
  }

  // Sending.

  /** Picks an endpoint as for a first sending, and goes there. */
  routeFirst(): void {
    if (this.rare !== undefined) return this.#routeRare(this.rare);
    this.take(this.plan.route.pickFirst(this.options?.hashKey, this.method));
  }

  #routeRare(rare: RareState): void {
    const { route } = this.plan;
    const hashKey = this.options?.hashKey;
    const { avoid } = rare;
    rare.reason = rare.firstReason;
    if (rare.only !== undefined) return this.take(route.pickSame(rare.only), route.emptiness());
    this.take(
      avoid === undefined ? route.pickFirst(hashKey, this.method) : route.pickAgain(hashKey, avoid, this.method),
    );
  }

  /** Goes where the pick leads. Where it leads nowhere, the call ends with `failed` if that is given, or waits if it may. */
  take(pick: Pick<RouteEndpoint> | undefined, failed?: RpcError): void {
    if (pick === undefined) return this.#goNowhere(failed);
    this.open(pick);
    this.connect();
  }

  #goNowhere(failed: RpcError | undefined): void {
    const { route } = this.plan;
    if (failed !== undefined) this.fail(failed);
    else if (!route.resolved || this.options?.waitForReady === true) waitAt(this, route);
    else this.fail(route.emptiness());
  }

  /** The balancer is owed an outcome for this pick. */
  open(pick: Pick<RouteEndpoint>): void {
    this.pick = pick;
    this.#pickOpen = true;
  }

  /** Sends it where it was picked to go, over a connection that stands or may be written to already. */
  connect(): void {
    const { channel } = (this.pick as Pick<RouteEndpoint>).endpoint;
    const { credentials } = this.core;
    const connection = channel.acquire();
    if (connection === undefined) waitAt(this, channel);
    else if (credentials === undefined) this.sendOn(connection);
    else sendWithCredentials(this, credentials, connection, channel);
  }

  sendOn(connection: ClientConnection): void {
    this.attempt++;
    this.retriesLent = lendRetries(this.retries);
    this.retries -= this.retriesLent;
    const { turn, stalls } = this.core;
    const nowMs = turn.now();
    this.sentMs = nowMs;
    this.#timed = connection.state !== "connecting" && !streams(this.plan);
    if (this.#timed) this.#sentStallMs = stalls.begin(nowMs);
    this.connection = connection;
    this.state = "sent";
    try {
      this.stream = connection.start(this);
    } catch (error) {
      return this.#notSent(error);
    }
    // A getter of the request has given the call up, when there was no stream to cancel yet.
    if (this.over) return this.stream.cancel();
    (this.pick as Pick<RouteEndpoint>).endpoint.channel.callCount++;
    this.rare?.input?.pull();
  }

  /** The connection would not take it: the request does not encode, or there is no room after all. */
  #notSent(thrown: unknown): void {
    if (this.over) return;
    const error = RpcError.from(thrown, "internal");
    this.attempt--;
    this.retries += this.retriesLent;
    this.retriesLent = 0;
    this.stream = undefined;
    this.done("refused");
    if (error.code === "unavailable") this.afterFailure({ error, handled: "no", refused: false, retriesReturned: 0 });
    else this.fail(error);
  }

  /** A sending failed, and all that it owed is settled. */
  afterFailure(failure: CallFailure): void {
    const rare = this.useRare();
    rare.retry ??= new CallRetry(this);
    rare.retry.after(failure);
  }

  /** Keeps what was sent, to be sent again. */
  keepRequestBytes(): void {
    this.useRare().requestBytes ??= this.stream?.takeRequestBytes();
    this.stream = undefined;
  }

  // Ends.

  #cancelBy(reason: unknown): void {
    this.cancel(new RpcError("cancelled", "The caller gave up", { cause: reason }));
  }

  /** Time has run out. */
  expire(text: string): void {
    if (this.state === "over") return;
    const waits = this.state === "waiting";
    const last = this.pick?.endpoint.channel.lastError;
    this.abandon("failed");
    const why = waits && last !== undefined ? `${text} while waiting for a connection: ${last.message}` : text;
    this.fail(new RpcError("deadline_exceeded", why, waits ? { cause: last } : {}));
  }

  /** Stops whatever goes on, without an end from the other side. */
  abandon(result: Result): void {
    if (this.state === "sent") {
      this.stream?.cancel();
      const text = this.rare?.lost === true ? "Another sending answered first" : "Given up";
      const error = new RpcError(result === "failed" ? "deadline_exceeded" : "cancelled", text);
      noteAttempt(this, error, this.connection?.state === "connecting" ? "no" : "maybe");
    }
    this.done(this.state === "sent" ? result : "refused");
    this.rare?.wait?.stop();
    this.rare?.retry?.stop();
  }

  /** Tells the balancer, once per pick. */
  done(result: Result): void {
    if (!this.#pickOpen) return;
    this.#pickOpen = false;
    const { turn, stalls } = this.core;
    const timed = this.#timed;
    this.#timed = false;
    let elapsedMs = 0;
    if (timed) {
      const nowMs = turn.now();
      // What the client stood still is no fault of the endpoint's.
      elapsedMs = nowMs - this.sentMs - stalls.end(nowMs) + this.#sentStallMs;
    }
    const pick = this.pick as Pick<RouteEndpoint>;
    if (this.core.settlePick(this.plan.route, pick, result, elapsedMs, !timed)) this.#noteBreaker(pick);
  }

  #noteBreaker({ endpoint }: Pick<RouteEndpoint>): void {
    noteDecision(this, { type: "breaker opened", atMs: sinceStartMs(this), endpoint: endpoint.address });
  }

  /** Ends it with an error, worded for its caller. */
  fail(error: RpcError): void {
    if (this.state === "over") return;
    const failure = describeFailure(this, error);
    this.finish(failure);
    const items = this.rare?.items;
    if (items === undefined) this.reject(failure);
    else items.fail(failure);
  }

  /** The one way to `over`. */
  finish(error: RpcError | undefined): void {
    const { core } = this;
    this.state = "over";
    core.wheel.remove(this);
    // Of a hedged call one end is told: the last.
    const { rare } = this;
    const isLast = rare?.rival === undefined || (!rare.lost && rare.rival.over);
    core.callEnded(error, isLast);
    rare?.timer?.stop();
    if (this.options?.signal !== undefined) signals.remove(this.options.signal, this);
    const { parent } = this;
    if (parent !== undefined) detach(this, parent);
    rare?.input?.stop();
    if (isLast && wantsRecord(this.options)) tellEnd(this, error);
  }

  useRare(): RareState {
    return (this.rare ??= new RareState());
  }

  #takeOptions({ metadata, idempotencyKey, criticality }: CallOptions): void {
    if (metadata !== undefined) {
      const rare = this.useRare();
      rare.ownMetadata = new Metadata(metadata);
      rare.metadata = rare.ownMetadata;
    }
    if (criticality !== undefined) this.useRare().criticality = criticalityNumber(criticality);
    if (idempotencyKey !== undefined) this.useRare().idempotencyKey = idempotencyKey;
    const ours = internalOf(this.options);
    if (ours !== undefined) this.#takeInternal(ours);
  }

  #takeInternal({ only, queuedMs }: InternalOptions): void {
    const rare = this.useRare();
    rare.only = only;
    if (only !== undefined) rare.firstReason = "chosen";
    if (queuedMs === undefined) return;
    this.startedMs -= queuedMs;
    noteDecision(this, { type: "queued", atMs: 0, waitedMs: queuedMs });
  }
}

function nothing(): void {}

function endless({ name }: Method): RangeError {
  return new RangeError(`Option timeoutMs: Infinity is for streams; ${name} has one reply`);
}

function notBegun(isClosed: boolean): RpcError {
  return isClosed
    ? new RpcError("unavailable", "The client is closed", { handled: "no" })
    : new RpcError("deadline_exceeded", "No time was left to send the call", { handled: "no" });
}
