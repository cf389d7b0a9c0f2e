import { peakEwma, type Outcome, type Pick, type Result } from "@pipit/balancer";
import {
  type CallOptions,
  type Clock,
  DeadlineWheel,
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
import { type ChannelEvidence, EndpointChannel } from "./endpoint-channel.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./options.ts";
import { retryDelayMs } from "./backoff.ts";
import { RetryBudget } from "./retry-budget.ts";
import { type ResolvedEndpoint, Route, type RouteEndpoint } from "./route.ts";
import { type ParsedTarget, parseTarget } from "./target.ts";
import { SignalHub } from "./signal-hub.ts";
import { StallMeter } from "./stall-meter.ts";
import { TurnClock } from "./turn-clock.ts";
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
  readonly signals: SignalHub = new SignalHub();
  readonly target: ParsedTarget;
  readonly credentials: AddCredentials | undefined;
  readonly sharedReplyStore: boolean;
  /** Under the options of every call. */
  readonly defaults: CallOptions | undefined;
  readonly interceptors: Interceptor[] = [];
  readonly counts: ClientCounts = { started: 0, succeeded: 0, failed: 0, retries: 0, hedges: 0 };
  /** Calls between two sendings. */
  readonly sleepers: Set<ClientCall> = new Set();
  closed = false;
  inFlight = 0;
  readonly #options: ClientOptions;
  readonly #resolved: ResolvedClientOptions;
  readonly #transport: Transport;
  readonly #channels = new Map<string, SharedChannel>();
  readonly #channelKeys = new Map<EndpointChannel, string>();
  readonly #routes = new Map<string, Route>();
  readonly #budgets = new Map<string, RetryBudget>();
  readonly #watching = new AbortController();
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
    this.turn = new TurnClock(resolved.clock);
    this.stalls = new StallMeter(resolved.clock, () => this.inFlight > 0);
    this.wheel = new DeadlineWheel({ clock: resolved.clock });
    this.waiting = new WaitList(resolved.clock, resolved.connection.maxWaitingCalls);
    this.target = parseTarget(options.target);
    this.credentials = options.credentials === undefined ? undefined : guardCredentials(options.credentials);
    this.sharedReplyStore = resolved.sharedReplyStore;
    this.#transport = options.transport ?? defaultTransport();
    if (resolved.connection.connect === "eager" && this.target.type === "addresses") this.routeOf("");
  }

  get routes(): Iterable<Route> {
    return this.#routes.values();
  }

  get channels(): readonly EndpointChannel[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  /** The way to a service: one for all where addresses are given, else one per name. */
  routeOf(service: string): Route {
    const key = this.target.type === "addresses" ? "" : service;
    let route = this.#routes.get(key);
    if (route === undefined) {
      route = this.#openRoute(key);
      this.#routes.set(key, route);
      this.#resolve(route, key);
    }
    return route;
  }

  budgetOf(service: string): RetryBudget {
    let budget = this.#budgets.get(service);
    if (budget === undefined) {
      budget = new RetryBudget(this.clock, this.#options.retry?.budget);
      this.#budgets.set(service, budget);
    }
    return budget;
  }

  /** How calls of a method are made: what does not change from call to call. */
  plan(
    method: Method,
    options: CallOptions | undefined,
    defaults: CallOptions | undefined,
    retries: boolean,
  ): CallPlan {
    const way = { route: this.routeOf(method.service), budget: this.budgetOf(method.service) };
    return planCalls(method, way, options, defaults, retries);
  }

  /** Key of a `once` call: 128 random bits. */
  createKey(): string {
    let text = "";
    for (const byte of this.random.bytes(16)) text += byte.toString(16).padStart(2, "0");
    return text;
  }

  /** Wait before a retry: full jitter, and never less than the peer asked for. */
  retryDelayMs(retry: number, retryAfterMs: number | undefined): number {
    if (retryAfterMs !== undefined) return retryAfterMs * (1 + pushBackJitter * uniform(this.random));
    return retryDelayMs(retry, this.#resolved.retry, this.random);
  }

  settlePick(route: Route, pick: Pick<RouteEndpoint>, result: Result, elapsedMs: number, untimed: boolean): void {
    const outcome = this.#outcome;
    const { channel } = pick.endpoint;
    outcome.result = result;
    outcome.elapsedMs = elapsedMs;
    outcome.untimed = untimed;
    outcome.load = channel.takeLoad();
    pick.done(outcome);
    route.record(pick.endpoint.id, result);
    channel.released();
  }

  callEnded(error: RpcError | undefined): void {
    if (error === undefined) this.counts.succeeded++;
    else this.counts.failed++;
    this.inFlight--;
    if (this.inFlight === 0) this.#onIdle?.();
  }

  /** Takes no more calls, waits for the open ones as long as `graceMs`, then ends what is left. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    const reason = new RpcError("cancelled", "The client was closed");
    this.#cancelSleepers(reason);
    this.#watching.abort();
    if (this.inFlight > 0 && graceMs > 0) await this.#idle(graceMs);
    for (const { channel } of this.#channels.values()) channel.destroy(reason);
    for (const route of this.#routes.values()) route.close(reason);
    this.#cancelSleepers(reason);
    this.#channels.clear();
    this.wheel.clear();
  }

  #cancelSleepers(reason: RpcError): void {
    const sleepers = [...this.sleepers];
    for (const sleeper of sleepers) sleeper.cancel(reason);
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

  #openRoute(key: string): Route {
    const { target } = this;
    const { balancer, zone, ejection = {}, breaker = {} } = this.#options;
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
      ...(target.type === "registry" ? { report: (id, evidence) => target.registry.report?.(id, evidence) } : {}),
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
      signal: this.#watching.signal,
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
    const key = serverName === undefined ? address : `${address} ${serverName}`;
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
      this.#channelKeys.set(channel, key);
      this.#channels.set(key, shared);
      if (connection.connect === "eager") channel.connect();
    }
    shared.uses++;
    return shared.channel;
  }

  #closeChannel(channel: EndpointChannel): void {
    const key = this.#channelKeys.get(channel);
    const shared = key === undefined ? undefined : this.#channels.get(key);
    if (key === undefined || shared === undefined || --shared.uses > 0) return;
    this.#channels.delete(key);
    this.#channelKeys.delete(channel);
    channel.close();
  }

  #recount(): void {
    for (const route of this.#routes.values()) route.recount();
  }

  #report(channel: EndpointChannel, evidence: ChannelEvidence): void {
    for (const route of this.#routes.values()) route.report(channel, evidence);
  }
}

/** Share added at most to the wait that a server asks for, so that those it sent away do not come back in step. */
const pushBackJitter = 0.2;
