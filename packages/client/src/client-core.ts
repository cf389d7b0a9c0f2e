import { peakEwma, type Outcome, type Pick, type Result } from "@pipit/balancer";
import {
  type CallOptions,
  type Clock,
  type DeadlineWheel,
  type Interceptor,
  type Method,
  type Random,
  RpcError,
  type Transport,
  uniform,
} from "@pipit/protocol";
import { type CallPlan, planCalls } from "./call-plan.ts";
import { Breaker } from "./breaker.ts";
import type { ClientCall } from "./client-call.ts";
import { type AddCredentials, guardCredentials } from "./credentials.ts";
import { defaultTransport } from "./default-transport.ts";
import type { ChannelEvidence } from "./channel-link.ts";
import { EndpointChannel } from "./endpoint-channel.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./options.ts";
import { retryDelayMs } from "./backoff.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import {
  mergeResilience,
  type MethodResilience,
  type ResilienceOptions,
  type ResolvedRetry,
  resolveRetry,
} from "./resilience-options.ts";
import { RetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";
import { type ResolvedEndpoint, Route, type RouteEndpoint } from "./route.ts";
import { type ParsedTarget, parseTarget } from "./target.ts";
import { LazySet } from "./lazy-set.ts";
import { sharedTime } from "./shared-time.ts";
import type { StallMeter } from "./stall-meter.ts";
import type { TurnClock } from "./turn-clock.ts";
import { WaitList } from "./wait-list.ts";
import { watchRegistry } from "./watch-registry.ts";

/** Counters of a client since it was made. */
export interface ClientCounts {
  started: number;
  succeeded: number;
  failed: number;
  retries: number;
  hedges: number;
}

interface SharedChannel {
  readonly channel: EndpointChannel;
  uses: number;
}

/** Everything that the calls of one client share. */
export class ClientCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly turn: TurnClock;
  readonly stalls: StallMeter;
  readonly wheel: DeadlineWheel;
  readonly waiting: WaitList;
  readonly target: ParsedTarget;
  readonly credentials: AddCredentials | undefined;
  /** Under the resilience options of every service. */
  readonly resilience: ResilienceOptions;
  /** Under the options of every call. */
  readonly defaults: CallOptions | undefined;
  readonly interceptors: Interceptor[] = [];
  readonly counts: ClientCounts = { started: 0, succeeded: 0, failed: 0, retries: 0, hedges: 0 };
  /** Calls between two sendings. */
  readonly sleepers: LazySet<ClientCall> = new LazySet();
  /** Calls that ask for their credentials. */
  readonly asking: LazySet<ClientCall> = new LazySet();
  closed = false;
  inFlight = 0;
  readonly #options: ClientOptions;
  readonly #resolved: ResolvedClientOptions;
  readonly #transport: Transport;
  readonly #channels = new Map<string, SharedChannel>();
  readonly #routes = new Map<string, Route>();
  readonly #budgets = new Map<string, RetryBudget>();
  #limits: Map<string, ConcurrencyLimit> | undefined;
  /** Numbers of the functions that make balancers, for the keys of routes. */
  #makers: WeakMap<object, number> | undefined;
  #makerCount = 0;
  /** Ends the watches of the registry, where there are any. */
  #watching: AbortController | undefined;
  /** One for all picks: a balancer reads it before `done` returns. */
  readonly #outcome: { result: Result; elapsedMs: number; untimed: boolean; load: Outcome["load"] } = {
    result: "ok",
    elapsedMs: 0,
    untimed: false,
    load: undefined,
  };
  #onIdle: (() => void) | undefined;

  constructor(options: ClientOptions) {
    const resolved = resolveClientOptions(options);
    this.#options = options;
    this.defaults = options.defaults;
    this.#resolved = resolved;
    this.clock = resolved.clock;
    this.random = resolved.random;
    const { turn, stalls, wheel } = sharedTime(resolved.clock);
    this.turn = turn;
    this.stalls = stalls;
    this.wheel = wheel;
    this.waiting = new WaitList(resolved.clock, resolved.connection.maxWaitingCalls);
    this.target = parseTarget(options.target);
    this.credentials = options.credentials === undefined ? undefined : guardCredentials(options.credentials);
    this.resilience = mergeResilience(options);
    resolveRetry(this.resilience.retry);
    this.#transport = options.transport ?? defaultTransport();
    if (resolved.connection.connect === "eager" && this.target.type === "addresses") this.routeOf("");
  }

  get routes(): Iterable<Route> {
    return this.#routes.values();
  }

  get channels(): readonly EndpointChannel[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  /**
   * The way to a service: one for all where addresses are given, else one per name. Who has options of its own for balancer,
   * ejection or breaker has a way of its own, and the same one for the same options.
   */
  routeOf(service: string, scope?: string, options: ResilienceOptions = this.resilience): Route {
    const base = this.target.type === "addresses" ? "" : service;
    const key = scope === undefined ? base : `${scope} ${this.#routeKey(options)}`;
    let route = this.#routes.get(key);
    if (route === undefined) {
      if (scope !== undefined) assertRoom(this.#routes.size, "balancer, ejection and breaker");
      route = this.#openRoute(base, options);
      this.#routes.set(key, route);
      this.#resolve(route, base);
    }
    return route;
  }

  /** The concurrency limit of a service or method, if it has one: the same for the same options. */
  limitOf({ options: { concurrency }, limitScope }: MethodResilience): ConcurrencyLimit | undefined {
    if (concurrency === undefined || concurrency === false) return undefined;
    const key = `${limitScope} ${JSON.stringify(concurrency)}`;
    const limits = (this.#limits ??= new Map());
    let limit = limits.get(key);
    if (limit === undefined) {
      assertRoom(limits.size, "concurrency");
      limit = new ConcurrencyLimit(this.clock, concurrency);
      limits.set(key, limit);
    }
    return limit;
  }

  /** How calls of a method are made: what does not change from call to call. */
  plan(
    method: Method,
    options: CallOptions | undefined,
    defaults: CallOptions | undefined,
    resilience: MethodResilience,
  ): CallPlan {
    const route = this.routeOf(method.service, resilience.routeScope, resilience.options);
    const budget = this.#budgetOf(resilience.budgetScope, resilience.options.retry?.budget);
    return planCalls(method, { route, budget }, options, defaults, resilience.options);
  }

  /** Key of a `once` call: 128 random bits. */
  createKey(): string {
    let text = "";
    for (const byte of this.random.bytes(16)) text += byte.toString(16).padStart(2, "0");
    return text;
  }

  /** Wait before a retry: full jitter, and never less than the peer asked for. */
  retryDelayMs(retry: number, options: ResolvedRetry, retryAfterMs: number | undefined): number {
    if (retryAfterMs !== undefined) return retryAfterMs * (1 + pushBackJitter * uniform(this.random));
    return retryDelayMs(retry, options, this.random);
  }

  /** An attempt ended: tells the balancer. Returns whether that opened the endpoint's circuit breaker. */
  settlePick(route: Route, pick: Pick<RouteEndpoint>, result: Result, elapsedMs: number, untimed: boolean): boolean {
    const outcome = this.#outcome;
    const { channel } = pick.endpoint;
    outcome.result = result;
    outcome.elapsedMs = elapsedMs;
    outcome.untimed = untimed;
    outcome.load = channel.takeLoad();
    pick.done(outcome);
    const opened = route.record(pick.endpoint.id, result);
    channel.released();
    return opened;
  }

  /** @param isLast false for a hedged call of which another sending is still to end, or has answered */
  callEnded(error: RpcError | undefined, isLast: boolean): void {
    if (isLast) {
      if (error === undefined) this.counts.succeeded++;
      else this.counts.failed++;
    }
    this.inFlight--;
    if (this.inFlight === 0) this.#onIdle?.();
  }

  /** Takes no more calls, waits for the open ones as long as `graceMs`, then ends what is left. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    const reason = new RpcError("cancelled", "The client was closed");
    cancelAll(this.sleepers, reason);
    this.#watching?.abort();
    if (this.inFlight > 0 && graceMs > 0) await this.#idle(graceMs);
    for (const { channel } of this.#channels.values()) channel.destroy(reason);
    for (const route of this.#routes.values()) route.close(reason);
    cancelAll(this.sleepers, reason);
    cancelAll(this.asking, reason);
    this.#channels.clear();
  }

  #idle(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#onIdle = undefined;
        resolve();
      };
      const cancel = this.clock.after(graceMs, done);
      this.#onIdle = done;
    });
  }

  #budgetOf(scope: string, options: RetryBudgetOptions | undefined): RetryBudget {
    const key = `${scope} ${JSON.stringify(options ?? {})}`;
    let budget = this.#budgets.get(key);
    if (budget === undefined) {
      if (options !== undefined) assertRoom(this.#budgets.size, "retry.budget");
      budget = new RetryBudget(this.clock, options);
      this.#budgets.set(key, budget);
    }
    return budget;
  }

  #routeKey({ balancer, ejection, breaker }: ResilienceOptions): string {
    let maker = balancer === undefined ? 0 : this.#makers?.get(balancer);
    if (balancer !== undefined && maker === undefined) {
      maker = ++this.#makerCount;
      (this.#makers ??= new WeakMap()).set(balancer, maker);
    }
    return JSON.stringify([maker, ejection, breaker]);
  }

  #openRoute(key: string, { balancer, ejection = {}, breaker = {} }: ResilienceOptions): Route {
    const { target } = this;
    const { zone } = this.#options;
    const context = {
      now: () => this.turn.now(),
      random: this.random,
      zone,
      ejection: ejection === false ? undefined : ejection,
    };
    return new Route({
      text: target.type === "addresses" ? target.text : key,
      policy: balancer === undefined ? "peakEwma" : balancer.name || "balancer",
      balancer:
        balancer?.(context) ??
        peakEwma<RouteEndpoint>({
          now: context.now,
          random: context.random,
          ejection: context.ejection,
          ...(zone === undefined ? {} : { zone: { local: zone } }),
        }),
      breaker: breaker === false ? undefined : new Breaker(breaker),
      waiting: this.waiting,
      openChannel: (endpoint) => this.#openChannel(endpoint),
      closeChannel: (channel) => this.#closeChannel(channel),
    });
  }

  #resolve(route: Route, service: string): void {
    const { target } = this;
    if (target.type === "addresses") {
      route.update(target.addresses.map((address) => ({ id: address, address })));
      return;
    }
    const watched = watchRegistry({
      registry: target.registry,
      service,
      signal: (this.#watching ??= new AbortController()).signal,
      clock: this.clock,
      random: this.random,
      serverName: this.#options.serverName,
      onEndpoints: (endpoints) => {
        if (!this.closed) route.update(endpoints);
      },
    });
    // It never rejects; a throw of a listener must not go unheard all the same.
    watched.catch((error: unknown) => route.close(RpcError.from(error)));
  }

  #openChannel(endpoint: ResolvedEndpoint): EndpointChannel {
    const { address, serverName } = endpoint;
    const key = channelKey(address, serverName);
    let shared = this.#channels.get(key);
    if (shared === undefined) {
      const { connection, limits, clock, random } = this.#resolved;
      const channel = new EndpointChannel({
        address,
        serverName,
        transport: this.#transport,
        connection,
        limits,
        clock,
        random,
        waiting: this.waiting,
        onChange: () => this.#recount(),
        onEvidence: (evidence) => this.#report(channel, evidence),
      });
      shared = { channel, uses: 0 };
      this.#channels.set(key, shared);
      if (connection.connect === "eager") channel.connect();
    }
    shared.uses++;
    return shared.channel;
  }

  #closeChannel(channel: EndpointChannel): void {
    const key = channelKey(channel.address, channel.serverName);
    const shared = this.#channels.get(key);
    if (shared?.channel !== channel || --shared.uses > 0) return;
    this.#channels.delete(key);
    channel.close();
  }

  #recount(): void {
    for (const route of this.#routes.values()) route.recount();
  }

  /** The registry is told once of each instance there, however many ways lead to it. */
  #report(channel: EndpointChannel, evidence: ChannelEvidence): void {
    const { target } = this;
    if (target.type !== "registry") return;
    const ids = new Set<string>();
    for (const route of this.#routes.values()) {
      for (const endpoint of route.endpoints) if (endpoint.channel === channel) ids.add(endpoint.id);
    }
    for (const id of ids) target.registry.report?.(id, evidence);
  }
}

function channelKey(address: string, serverName: string | undefined): string {
  return serverName === undefined ? address : `${address} ${serverName}`;
}

function cancelAll(calls: Iterable<ClientCall>, reason: RpcError): void {
  for (const call of Array.from(calls)) call.cancel(reason);
}

/** Sets of options that one client keeps apart: proxies are made once, not per call. */
const maxOwnOptions = 1024;

function assertRoom(count: number, what: string): void {
  if (count < maxOwnOptions) return;
  throw new RangeError(
    `Options ${what}: ${maxOwnOptions} different ones are in use by this client; make each client.service(…) once and keep it`,
  );
}

/** Share added at most to the wait that a server asks for, so that those it sent away do not come back in step. */
const pushBackJitter = 0.2;
