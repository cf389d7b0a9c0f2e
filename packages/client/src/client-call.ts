import type { Pick, Result } from "@pipit/balancer";
import {
  type CallContext,
  type CallDecision,
  type CallDependent,
  type CallFailure,
  type CallOptions,
  type CallRecord,
  type ClientConnection,
  currentContext,
  encodeMessage,
  type Handled,
  isRpcError,
  type ItemStream,
  Metadata,
  type Method,
  type NoRetryReason,
  type OutgoingCall,
  type OutgoingStream,
  RpcError,
  type WheelEntry,
  type WheelSlot,
} from "@pipit/protocol";
import { callError } from "./call-error.ts";
import { CallLog, failureFields } from "./call-log.ts";
import { type CallPlan, checkedTimeout, criticalityNumber } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import { callEnd, callStart } from "./diagnostics.ts";
import type { EndpointChannel } from "./endpoint-channel.ts";
import type { InputPump } from "./input-pump.ts";
import { type InternalOptions, internalOf } from "./internal-options.ts";
import { borrowRetries, judgeRetry, lendRetries } from "./retry-policy.ts";
import { RareState } from "./rare-state.ts";
import type { Route, RouteEndpoint } from "./route.ts";
import { type SignalListener, signals } from "./signal-hub.ts";
import { StreamTimer } from "./stream-timer.ts";
import { tellObserver } from "./tell-observer.ts";
import type { Waiter } from "./wait-list.ts";

/** Retries of a call tree, to be spent anywhere in it. */
const treeRetries = 3;

/**
 * A state machine over one call: from the caller's request, over as many sendings as law 4 allows, to exactly one end. It is
 * long because it is one: what decides (law 4, backoff, budget), words (errors) and notes (the log) lies beside it, and a
 * second object per call would cost more than a long file.
 *
 * `new` → `sent` or `waiting` (for an endpoint or a connection) → … → `backoff` → … → `over`. Connections, timers, signals,
 * parents and waiting lists call in; each looks at the state first, so that whatever comes late changes nothing.
 */
export class ClientCall implements OutgoingCall, WheelEntry, CallDependent, SignalListener, Waiter {
  // What a connection reads.
  readonly method: Method;
  readonly request: unknown;
  deadlineMs: number;
  metadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  attempt = 0;
  retriesLent = 0;
  criticality: 0 | 1 | 2 = 1;
  traceparent: string | undefined = undefined;

  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  /** The two ends of the caller's promise; unused by streams of replies. */
  resolve: (reply: unknown) => void = nothing;
  reject: (error: RpcError) => void = nothing;
  readonly #core: ClientCore;
  readonly #plan: CallPlan;
  readonly #options: CallOptions | undefined;
  #startedMs: number;
  #state: "new" | "waiting" | "backoff" | "sent" | "over" = "new";
  #pick: Pick<RouteEndpoint> | undefined = undefined;
  /** Whether the balancer has heard how the pick went. */
  #pickOpen = false;
  #connection: ClientConnection | undefined = undefined;
  #stream: OutgoingStream | undefined = undefined;
  #sentMs = 0;
  /** The client's stalls when it was sent. */
  #sentStallMs = 0;
  /** Its time will be that of the endpoint: no stream, whose length is its reader's, and no connect in it. */
  #timed = false;
  #retries = treeRetries;
  #parent: CallContext | undefined = undefined;
  #rare: RareState | undefined = undefined;

  /** @throws RangeError or TypeError for an option that makes no sense */
  constructor(core: ClientCore, plan: CallPlan, request: unknown, options: CallOptions | undefined) {
    this.#core = core;
    this.#plan = plan;
    this.#options = options;
    this.method = plan.method;
    this.request = request;
    const nowMs = core.turn.now();
    this.#startedMs = nowMs;
    const parent = options?.context ?? currentContext();
    const given = options?.timeoutMs;
    if (given === undefined && !plan.timeoutGiven && streams(plan)) {
      this.#useRare().watchesSilence = true;
      this.deadlineMs = Infinity;
    } else this.deadlineMs = nowMs + (given === undefined ? plan.timeoutMs : checkedTimeout(given));
    if (parent !== undefined) this.#inherit(parent);
    if (this.deadlineMs === Infinity && !streams(plan)) {
      throw new RangeError(`Option timeoutMs: Infinity is for streams; ${plan.method.name} has one reply`);
    }
    if (options !== undefined) this.#takeOptions(options);
    if (plan.method.idempotency === "once") this.idempotencyKey ??= core.createKey();
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#state === "over";
  }

  get requestBytes(): Uint8Array | undefined {
    return this.#rare?.requestBytes;
  }

  get replyMetadata(): Metadata | undefined {
    return this.#rare?.replyMetadata;
  }

  get replyTrailers(): Metadata | undefined {
    return this.#rare?.replyTrailers;
  }

  /** Gives it where reply items go. */
  set items(items: ItemStream<unknown>) {
    this.#useRare().items = items;
  }

  /** Gives it where requests come from. */
  set input(input: InputPump) {
    this.#useRare().input = input;
  }

  /** Takes what a hedge of this call costs, if it can be had. */
  takeHedge(): boolean {
    const why = this.#retries < 1 ? "tree spent" : this.#plan.budget.withdraw() ? undefined : "budget spent";
    this.#decided(
      why === undefined ? { type: "hedge", atMs: this.#atMs } : { type: "no hedge", atMs: this.#atMs, why },
    );
    if (why !== undefined) return false;
    this.#retries--;
    return true;
  }

  /** Makes this call a second sending of `first`: elsewhere, with its deadline, and half of the retries it has left. */
  hedge(first: ClientCall, endpointId: string): void {
    const parent = this.#parent;
    if (parent !== undefined) parent.retries.left += this.#retries;
    this.#retries = Math.floor(first.#retries / 2);
    first.#retries -= this.#retries;
    this.#startedMs = first.#startedMs;
    this.deadlineMs = first.deadlineMs;
    this.idempotencyKey = first.idempotencyKey;
    this.attempt = first.attempt;
    const rare = this.#useRare();
    rare.avoid = new Set([endpointId]);
    rare.firstReason = "hedge";
    rare.log = first.#rare?.log;
    rare.rival = first;
    first.#useRare().rival = this;
  }

  /** Where it went last. */
  get endpointId(): string | undefined {
    return this.#pick?.endpoint.id;
  }

  /** Goes about it. Nothing has happened before, so that a stream may begin with its reader. */
  begin(): void {
    const core = this.#core;
    core.inFlight++;
    // A hedge is a sending more and not a call more.
    if (this.#rare?.rival === undefined) {
      core.counts.started++;
      if (callStart.hasSubscribers) callStart.publish({ method: this.method, target: this.#plan.route.text });
      this.#plan.budget.deposit();
    }
    const signal = this.#options?.signal;
    if (signal !== undefined) {
      if (signal.aborted) {
        this.#cancelBy(signal.reason);
        return;
      }
      signals.add(signal, this);
    }
    if (core.closed) {
      this.#fail(new RpcError("unavailable", "The client is closed", { handled: "no" }));
      return;
    }
    if (this.deadlineMs <= this.#startedMs) {
      this.#fail(new RpcError("deadline_exceeded", "No time was left to send the call", { handled: "no" }));
      return;
    }
    core.wheel.add(this);
    if (this.#rare?.watchesSilence === true) this.#startTimer();
    if (this.#parent !== undefined && this.#attach(this.#parent)) return;
    this.#routeFirst();
  }

  /** Gives it up: the server is told, the caller gets `error`. */
  cancel(error: RpcError): void {
    if (this.#state === "over") return;
    this.#abandon("cancelled");
    this.#fail(error);
  }

  /** The caller stopped reading: nobody is to be told of any error. */
  leave(): void {
    if (this.#state === "over") return;
    this.#abandon("cancelled");
    this.#finish(undefined);
  }

  /** A reader took items: credit. */
  release(bytes: number): void {
    this.#stream?.release(bytes);
  }

  // For the input pump.

  get writable(): boolean {
    return this.#state === "sent" && this.#stream?.writable === true;
  }

  send(item: unknown): void {
    this.#stream?.send(item);
  }

  onInputEnd(): void {
    const rare = this.#useRare();
    rare.inputEnded = true;
    this.#stream?.endInput();
    if (!this.#plan.streamsOutput && rare.watchesSilence) this.#startTimer();
  }

  onInputError(error: unknown): void {
    // An item that does not encode says what is wrong with it; anything else came from the caller's own iterable.
    const encoding = isRpcError(error) && error.code === "invalid_argument";
    this.cancel(encoding ? error : new RpcError("cancelled", "The stream of requests threw", { cause: error }));
  }

  // What the connection reports.

  onAccepted(): void {
    if (this.#rare?.inputEnded !== true || this.#plan.streamsOutput) this.#rare?.timer?.stop();
  }

  onMetadata(metadata: Metadata): void {
    this.#useRare().replyMetadata = metadata;
    const onMetadata = this.#options?.onMetadata;
    if (onMetadata !== undefined) tellObserver(() => onMetadata(metadata));
  }

  onItem(item: unknown, bytes: number): void {
    const rare = this.#useRare();
    rare.itemSeen = true;
    rare.items?.push(item, bytes);
  }

  onWritable(): void {
    this.#rare?.input?.pull();
  }

  onReply(reply: unknown, trailers: Metadata | undefined, retriesReturned: number): void {
    if (this.#state !== "sent") return;
    this.#retries += Math.min(retriesReturned, this.retriesLent);
    if (trailers !== undefined) this.#useRare().replyTrailers = trailers;
    this.#done("ok");
    const rival = this.#rare?.rival;
    if (rival !== undefined) rival.#lose();
    if (this.#rare?.log !== undefined || wantsRecord(this.#options)) this.#noteAttempt(undefined, "yes");
    this.#finish(undefined);
    const items = this.#rare?.items;
    if (items === undefined) this.resolve(reply);
    else items.close();
  }

  onFailure(failure: CallFailure): void {
    if (this.#state !== "sent") return;
    const { error, handled, retriesReturned } = failure;
    this.#retries += handled === "no" ? this.retriesLent : Math.min(retriesReturned, this.retriesLent);
    this.retriesLent = 0;
    this.#useRare().replyTrailers = error.metadata;
    this.#done(resultOf(failure));
    this.#noteAttempt(error, handled);
    this.#decide(failure);
  }

  // Time, cancel and waiting.

  onDeadline(): void {
    const lateMs = this.#rare?.extended === true ? 0 : this.#core.turn.lateBy(this.#startedMs);
    if (lateMs > 0) {
      // It began behind a long computation in the same turn, of which its deadline knew nothing.
      this.#useRare().extended = true;
      this.deadlineMs += lateMs;
      this.#core.wheel.add(this);
      return;
    }
    this.#expire("The deadline passed");
  }

  onParentCancelled(reason: unknown): void {
    const late = isRpcError(reason) && reason.code === "deadline_exceeded";
    const text = "The call for which this one was made was given up";
    this.cancel(new RpcError(late ? "deadline_exceeded" : "cancelled", text, { cause: reason }));
  }

  /** The caller's signal, or that of a context made by hand, fired. */
  onSignal(reason: unknown): void {
    if (this.#options?.signal?.aborted === true) this.#cancelBy(reason);
    else this.onParentCancelled(reason);
  }

  resume(): void {
    const waitedAt = this.#stopWaiting();
    if (this.#state !== "waiting") return;
    this.#state = "new";
    if (waitedAt === this.#pick?.endpoint.channel) this.#send();
    else this.#routeFirst();
  }

  giveUp(error: RpcError): void {
    const place = this.#stopWaiting();
    if (this.#state !== "waiting") return;
    if (place === this.#plan.route) {
      this.#fail(error);
      return;
    }
    this.#sentMs = this.#core.turn.now();
    this.#connection = undefined;
    this.#done("failed");
    this.#noteAttempt(error, "no");
    this.#decide({ error, handled: "no", refused: false, retriesReturned: 0 });
  }

  // Sending.

  #routeFirst(): void {
    const { route } = this.#plan;
    const hashKey = this.#options?.hashKey;
    const rare = this.#rare;
    const avoid = rare?.avoid;
    if (rare !== undefined) rare.reason = rare.firstReason;
    if (rare?.only !== undefined) {
      this.#take(route.pickSame(rare.only), route.emptiness());
      return;
    }
    this.#take(
      avoid === undefined ? route.pickFirst(hashKey, this.method) : route.pickAgain(hashKey, avoid, this.method),
    );
  }

  #take(pick: Pick<RouteEndpoint> | undefined, failed?: RpcError): void {
    this.#pick = pick ?? this.#pick;
    if (pick !== undefined) {
      this.#pickOpen = true;
      this.#send();
      return;
    }
    const { route } = this.#plan;
    if (failed !== undefined) this.#fail(failed);
    else if (!route.resolved || this.#options?.waitForReady === true) this.#waitAt(route);
    else this.#fail(route.emptiness());
  }

  #send(): void {
    const { channel } = (this.#pick as Pick<RouteEndpoint>).endpoint;
    const connection = channel.acquire();
    if (connection === undefined) this.#waitAt(channel);
    else if (this.#core.credentials === undefined) this.#sendOn(connection);
    else this.#sendWithCredentials(connection, channel);
  }

  #sendOn(connection: ClientConnection): void {
    this.attempt++;
    this.retriesLent = lendRetries(this.#retries);
    this.#retries -= this.retriesLent;
    const { turn, stalls } = this.#core;
    const nowMs = turn.now();
    this.#sentMs = nowMs;
    this.#timed = connection.state !== "connecting" && !streams(this.#plan);
    if (this.#timed) this.#sentStallMs = stalls.begin(nowMs);
    this.#connection = connection;
    this.#state = "sent";
    try {
      this.#stream = connection.start(this);
    } catch (error) {
      this.#notSent(RpcError.from(error, "internal"));
      return;
    }
    (this.#pick as Pick<RouteEndpoint>).endpoint.channel.callCount++;
    this.#rare?.input?.pull();
  }

  /** The connection would not take it: the request does not encode, or there is no room after all. */
  #notSent(error: RpcError): void {
    this.attempt--;
    this.#retries += this.retriesLent;
    this.retriesLent = 0;
    this.#stream = undefined;
    this.#done("refused");
    if (error.code === "unavailable") this.#decide({ error, handled: "no", refused: false, retriesReturned: 0 });
    else this.#fail(error);
  }

  #sendWithCredentials(connection: ClientConnection, channel: EndpointChannel): void {
    if (connection.peer === undefined) {
      // Whether the connection may carry a secret is known once it stands.
      this.#waitAt(channel);
      return;
    }
    this.#state = "waiting";
    const add = this.#core.credentials as NonNullable<ClientCore["credentials"]>;
    add(this.method, connection).then(
      (secret) => this.#credentialsCame(secret, connection),
      (error: unknown) => {
        if (this.#state !== "waiting") return;
        this.#done("refused");
        this.#fail(RpcError.from(error, "unauthenticated"));
      },
    );
  }

  #credentialsCame(secret: Metadata, connection: ClientConnection): void {
    if (this.#state !== "waiting") return;
    for (const [name, value] of this.#rare?.ownMetadata ?? []) secret.set(name, value);
    this.metadata = secret;
    if (connection.available) this.#sendOn(connection);
    else this.#send();
  }

  #waitAt(place: EndpointChannel | Route): void {
    const core = this.#core;
    this.#state = "waiting";
    if (core.waiting.full) {
      this.#done("refused");
      this.#fail(core.waiting.refusal());
      return;
    }
    const rare = this.#useRare();
    if (!this.#plan.streamsInput && rare.requestBytes === undefined) {
      // The request is what it was when the call was made, whatever becomes of the object meanwhile.
      try {
        rare.requestBytes = encodeMessage(this.method, "request", this.request);
      } catch (error) {
        this.#done("refused");
        this.#fail(RpcError.from(error, "internal"));
        return;
      }
    }
    rare.waitsAt = place;
    rare.waitsSinceMs = core.turn.now();
    place.wait(this);
  }

  #stopWaiting(): EndpointChannel | Route | undefined {
    const rare = this.#rare;
    const place = rare?.waitsAt;
    if (rare === undefined || place === undefined) return undefined;
    rare.waitsAt = undefined;
    place.leave(this);
    this.#useLog().waited(this.#core.turn.now() - rare.waitsSinceMs);
    return place;
  }

  // After a failed attempt.

  #decide(failure: CallFailure): void {
    const core = this.#core;
    const { route } = this.#plan;
    const endpoint = (this.#pick as Pick<RouteEndpoint>).endpoint;
    if (core.closed) {
      this.#fail(failure.error);
      return;
    }
    const rare = this.#useRare();
    const tried = (rare.tried ??= new Set());
    tried.add(endpoint.id);
    if (failure.refused && failure.error.code === "unimplemented") endpoint.channel.learnLack(this.method);
    const hashKey = this.#options?.hashKey;
    const instance = this.#connection?.server;
    const verdict = judgeRetry({
      failure,
      idempotency: this.method.idempotency,
      replayable: !rare.itemSeen && rare.input?.touched !== true,
      untried: rare.only === undefined && route.hasUntried(tried, this.method),
      unreachable: this.#connection?.peer === undefined,
      instance,
      sharedStore: this.#plan.sharedReplyStore,
    });
    if (verdict === "no") {
      if (this.#waitsForReady(failure)) this.#retryAfter(failure, readyPollMs, () => this.#routeFirst());
      else this.#fail(failure.error);
      return;
    }
    rare.requestBytes ??= this.#stream?.takeRequestBytes();
    this.#stream = undefined;
    if (verdict === "elsewhere") {
      rare.reason = "elsewhere";
      this.#state = "new";
      this.#take(route.pickUntried(hashKey, tried, this.method), failure.error);
      return;
    }
    if (failure.handled === "no" && this.#waitsForReady(failure)) {
      this.#retryAfter(failure, readyPollMs, () => this.#routeFirst());
      return;
    }
    const why = this.#whyNoRetry();
    if (why !== undefined) {
      this.#decided({ type: "no retry", atMs: this.#atMs, why });
      this.#fail(failure.error);
      return;
    }
    this.#retries--;
    core.counts.retries++;
    const { retryAfterMs } = failure.error;
    const delayMs = core.retryDelayMs(++rare.retryCount, this.#plan.retry, retryAfterMs);
    this.#decided({ type: "backoff", atMs: this.#atMs, delayMs, asked: retryAfterMs !== undefined });
    this.#retryAfter(failure, delayMs, () => {
      rare.reason = "retry";
      if (verdict === "again" && rare.only === undefined)
        this.#take(route.pickAgain(hashKey, tried, this.method), failure.error);
      else if (verdict === "again") this.#take(route.pickSame(endpoint.id), failure.error);
      else this.#sendToSame(endpoint.id, instance as NonNullable<typeof instance>, failure);
    });
  }

  /** Takes a retry out of the budget, or says why there is none. */
  #whyNoRetry(): NoRetryReason | undefined {
    if (!this.#plan.retries) return "retries off";
    if (this.#retries < 1) return "tree spent";
    return this.#plan.budget.withdraw() ? undefined : "budget spent";
  }

  #waitsForReady({ error, handled }: CallFailure): boolean {
    return this.#options?.waitForReady === true && handled === "no" && error.code === "unavailable";
  }

  #retryAfter(failure: CallFailure, delayMs: number, go: () => void): void {
    const core = this.#core;
    if (core.closed || core.turn.now() + delayMs >= this.deadlineMs) {
      this.#decided({ type: "no retry", atMs: this.#atMs, why: "deadline" });
      this.#fail(failure.error);
      return;
    }
    this.#state = "backoff";
    core.sleepers.add(this);
    this.#useRare().cancelBackoff = core.clock.after(delayMs, () => {
      this.#wake();
      this.#state = "new";
      go();
    });
  }

  #wake(): void {
    const rare = this.#rare;
    if (rare?.cancelBackoff === undefined) return;
    rare.cancelBackoff();
    rare.cancelBackoff = undefined;
    this.#core.sleepers.delete(this);
  }

  /** Law 5: a `once` call is known only to the process that got it, and that is known only once it has said who it is. */
  #sendToSame(id: string, instance: { id: string; generation: string }, failure: CallFailure): void {
    const pick = this.#plan.route.pickSame(id);
    if (pick === undefined) {
      this.#fail(failure.error);
      return;
    }
    this.#pick = pick;
    this.#pickOpen = true;
    const connection = pick.endpoint.channel.acquire();
    const server = connection?.server;
    if (connection === undefined || server === undefined) {
      this.#done("refused");
      this.#retryAfter(failure, identityPollMs, () => this.#sendToSame(id, instance, failure));
      return;
    }
    if (server.id === instance.id && server.generation === instance.generation) this.#sendOn(connection);
    else {
      this.#done("refused");
      this.#fail(failure.error);
    }
  }

  // Ends.

  #cancelBy(reason: unknown): void {
    this.cancel(new RpcError("cancelled", "The caller gave up", { cause: reason }));
  }

  #expire(text: string): void {
    if (this.#state === "over") return;
    const waits = this.#state === "waiting";
    const last = this.#pick?.endpoint.channel.lastError;
    this.#abandon("failed");
    const why = waits && last !== undefined ? `${text} while waiting for a connection: ${last.message}` : text;
    this.#fail(new RpcError("deadline_exceeded", why, waits ? { cause: last } : {}));
  }

  /** The rival answered first: nobody is to be told of this end. */
  #lose(): void {
    if (this.#state === "over") return;
    this.#useRare().lost = true;
    this.#abandon("cancelled");
    const endpoint = this.#pick?.endpoint.address ?? this.#plan.route.text;
    this.#decided({ type: "hedge lost", atMs: this.#atMs, endpoint });
    this.#finish(undefined);
  }

  /** Stops whatever goes on, without an end from the other side. */
  #abandon(result: Result): void {
    if (this.#state === "sent") {
      this.#stream?.cancel();
      const text = this.#rare?.lost === true ? "Another sending answered first" : "Given up";
      const error = new RpcError(result === "failed" ? "deadline_exceeded" : "cancelled", text);
      this.#noteAttempt(error, this.#connection?.state === "connecting" ? "no" : "maybe");
    }
    this.#done(this.#state === "sent" ? result : "refused");
    this.#stopWaiting();
    this.#wake();
  }

  /** Tells the balancer, once per pick. */
  #done(result: Result): void {
    if (!this.#pickOpen) return;
    this.#pickOpen = false;
    const { turn, stalls } = this.#core;
    const timed = this.#timed;
    this.#timed = false;
    let elapsedMs = 0;
    if (timed) {
      const nowMs = turn.now();
      // What the client stood still is no fault of the endpoint's.
      elapsedMs = nowMs - this.#sentMs - stalls.end(nowMs) + this.#sentStallMs;
    }
    const pick = this.#pick as Pick<RouteEndpoint>;
    if (this.#core.settlePick(this.#plan.route, pick, result, elapsedMs, !timed)) {
      this.#decided({ type: "breaker opened", atMs: this.#atMs, endpoint: pick.endpoint.address });
    }
  }

  #fail(error: RpcError): void {
    if (this.#state === "over") return;
    const failure = this.#describe(error);
    this.#finish(failure);
    const items = this.#rare?.items;
    if (items === undefined) this.reject(failure);
    else items.fail(failure);
  }

  #finish(error: RpcError | undefined): void {
    const core = this.#core;
    this.#state = "over";
    core.wheel.remove(this);
    // Of a hedged call one end is told: the last.
    const rare = this.#rare;
    const isLast = rare?.rival === undefined || (!rare.lost && rare.rival.over);
    core.callEnded(error, isLast);
    rare?.timer?.stop();
    if (this.#options?.signal !== undefined) signals.remove(this.#options.signal, this);
    const parent = this.#parent;
    if (parent !== undefined) this.#detach(parent);
    rare?.input?.stop();
    if (isLast && wantsRecord(this.#options)) this.#tell(error);
  }

  #useRare(): RareState {
    return (this.#rare ??= new RareState());
  }

  #useLog(): CallLog {
    const rare = this.#useRare();
    return (rare.log ??= new CallLog());
  }

  #tell(error: RpcError | undefined): void {
    const record = error?.record ?? this.#record();
    if (callEnd.hasSubscribers) callEnd.publish({ method: this.method, target: record.target, record, error });
    const { replyMetadata: metadata, replyTrailers: trailers } = this;
    const onEnd = this.#options?.onEnd;
    if (onEnd === undefined) return;
    tellObserver(() => onEnd({ metadata, trailers, record, ...(error === undefined ? {} : { error }) }));
  }

  #describe(error: RpcError): RpcError {
    const { service, name } = this.method;
    const record = this.#record();
    const endpoint = this.#pick?.endpoint;
    const target = endpoint?.address ?? this.#plan.route.text;
    const handled: Handled = this.#rare?.log?.handled ?? "no";
    const unreached = handled !== "yes" && (error.code === "unavailable" || error.code === "deadline_exceeded");
    return callError(error, {
      service,
      method: name,
      target,
      attempt: this.attempt,
      elapsedMs: record.elapsedMs,
      stale: unreached && endpoint?.state === "stale",
      handled,
      record,
    });
  }

  #record(): CallRecord {
    const elapsedMs = this.#core.turn.now() - this.#startedMs;
    return (this.#rare?.log ?? new CallLog()).record(this.method, this.#plan.route.text, elapsedMs);
  }

  /** Now, counted from the start of the call. */
  get #atMs(): number {
    return this.#core.turn.now() - this.#startedMs;
  }

  #decided(decision: CallDecision): void {
    this.#useLog().decided(decision);
  }

  #noteAttempt(error: RpcError | undefined, handled: Handled): void {
    const reason = this.#rare?.reason ?? this.#plan.route.policy;
    const { endpoint, tier } = this.#pick as Pick<RouteEndpoint>;
    const nowMs = this.#core.turn.now();
    this.#useLog().attempt({
      attempt: this.attempt,
      endpoint: endpoint.address,
      reason: tier === "up" ? reason : `${reason}, ${tier}`,
      startedAtMs: this.#sentMs - this.#startedMs,
      elapsedMs: nowMs - this.#sentMs,
      ...(error === undefined ? {} : failureFields(error, handled)),
    });
  }

  // The call it is made for.

  #inherit(parent: CallContext): void {
    this.#parent = parent;
    this.deadlineMs = Math.min(this.deadlineMs, parent.deadlineMs);
    this.criticality = parent.criticality;
    this.traceparent = parent.traceparent;
    this.#retries = borrowRetries(parent.retries.left);
    parent.retries.left -= this.#retries;
  }

  /** Returns true when the parent is over already, and this call with it. */
  #attach(parent: CallContext): boolean {
    if (parent.addDependent === undefined) {
      if (parent.signal.aborted) this.onParentCancelled(parent.signal.reason);
      else signals.add(parent.signal, this);
    } else parent.addDependent(this);
    return (this.#state as string) === "over";
  }

  #detach(parent: CallContext): void {
    parent.retries.left += this.#retries;
    this.#retries = 0;
    if (parent.removeDependent === undefined) signals.remove(parent.signal, this);
    else parent.removeDependent(this);
  }

  #takeOptions({ metadata, idempotencyKey, criticality }: CallOptions): void {
    if (metadata !== undefined) {
      this.metadata = new Metadata(metadata);
      this.#useRare().ownMetadata = this.metadata;
    }
    if (criticality !== undefined) this.criticality = criticalityNumber(criticality);
    this.idempotencyKey = idempotencyKey;
    const ours = internalOf(this.#options);
    if (ours !== undefined) this.#takeInternal(ours);
  }

  #takeInternal({ only, queuedMs }: InternalOptions): void {
    const rare = this.#useRare();
    rare.only = only;
    if (only !== undefined) rare.firstReason = "chosen";
    if (queuedMs === undefined) return;
    this.#startedMs -= queuedMs;
    this.#decided({ type: "queued", atMs: 0, waitedMs: queuedMs });
  }

  #startTimer(): void {
    const rare = this.#useRare();
    rare.timer ??= new StreamTimer(this.#core.wheel, () =>
      this.#expire(rare.inputEnded ? "No reply came" : "No server accepted the stream"),
    );
    rare.timer.start(this.#core.turn.now() + this.#plan.timeoutMs);
  }
}

/** How long a call that waits for ready leaves between its rounds, in milliseconds. */
const readyPollMs = 200;
/** How long a `once` call leaves between looks whether its server has said who it is, in milliseconds. */
const identityPollMs = 5;

function nothing(): void {}

// A function, and no getter: private ones are answered by the engine's slow path.
function wantsRecord(options: CallOptions | undefined): boolean {
  return options?.onEnd !== undefined || callEnd.hasSubscribers;
}

function streams(plan: CallPlan): boolean {
  return plan.streamsInput || plan.streamsOutput;
}

/** What an attempt's failure says of its endpoint. */
function resultOf({ error, refused, handled }: CallFailure): Result {
  if (error.error !== undefined) return "ok";
  switch (error.code) {
    case "resource_exhausted":
    case "internal":
    case "deadline_exceeded":
      return "failed";
    case "unavailable":
      // Turned away by one that drains: no fault of its own. Lost before it was sent: the connection's.
      return refused ? "refused" : "failed";
    case "cancelled":
      return "cancelled";
    default:
      return refused || handled === "no" ? "refused" : "ok";
  }
}
