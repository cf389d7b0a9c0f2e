import type { Clock } from "./clock.ts";
import { type DnsEndpoint, DnsLookup, type DnsResolver, type DnsRound, parseDnsQuestion } from "./dns-lookup.ts";
import { assertService, createInstance } from "./instance.ts";
import type { InstanceView, Lease, Registration, Registry, Snapshot, WatchOptions } from "./registry.ts";
import { SnapshotHub } from "./snapshot-hub.ts";
import { systemClock } from "./system-clock.ts";
import { systemResolver } from "./system-resolver.ts";

/** Asking more often than this is no use: resolvers cache in whole seconds. */
const minPeriodMs = 1_000;
/** Asking less often leaves callers with dead addresses for too long, whatever the TTL says. */
const maxPeriodMs = 30_000;
/** Where no answer carried a TTL: Node gives none for SRV. */
const defaultPeriodMs = 5_000;
const defaultLookupTimeoutMs = 5_000;
/** Addresses of one service that are shown. */
const defaultMaxInstances = 1_000;

/** What {@link dnsRegistry} reports. */
export type DnsEvent =
  /** A question failed; what was last known is kept. `count` is how many rounds in a row had a failure. */
  | {
      readonly type: "lookupFailed";
      readonly service: string;
      readonly name: string;
      readonly error: unknown;
      readonly count: number;
    }
  /** A round without failures, after one or more with. */
  | { readonly type: "lookupRecovered"; readonly service: string }
  /** More addresses came than `maxInstances`; the rest is not shown. */
  | { readonly type: "tooManyInstances"; readonly service: string; readonly found: number; readonly limit: number };

/** What {@link dnsRegistry} takes. */
export interface DnsRegistryOptions {
  /**
   * The DNS name of each service: `_grpc._tcp.greeter.example.com` (begins with `_`) asks SRV, `greeter.example.com:50051`
   * asks A and AAAA. An object by service name, or a function. Default: the service name is the DNS name.
   */
  readonly names?: Readonly<Record<string, string>> | ((service: string) => string) | undefined;
  /** Who answers. Default: the machine's resolver, `node:dns/promises`. */
  readonly resolver?: DnsResolver | undefined;
  /** Receives failures, which otherwise show only as the last good state being kept. Must not throw. */
  readonly onEvent?: ((event: DnsEvent) => void) | undefined;
  /** How long one question may take, in milliseconds. Default 5,000. */
  readonly lookupTimeoutMs?: number | undefined;
  /** Addresses shown of one service. Default 1,000. */
  readonly maxInstances?: number | undefined;
  /** Open iterators before `watch` refuses. Default 100,000. */
  readonly maxWatchers?: number | undefined;
  /** Default: the process's clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Looks services up in DNS: Kubernetes headless services, Consul's DNS, any zone.
 *
 * While a service is watched it is asked again after the shortest TTL met, kept within 1 to 30 seconds (5 s where there
 * is none). NXDOMAIN or no such record empties a service only when it comes three times in a row; SERVFAIL and timeouts
 * never do: the last good state stays, the failure goes to `onEvent`, and the next try comes after 1 s, doubling to 30.
 * The first snapshot of a watch waits for the first knowledge.
 *
 * Instances are named by address, carry the host name in `metadata["dns.name"]`, and have generation 0. Read-only.
 *
 * @example
 * const registry = dnsRegistry({ names: { greeter: "greeter.default.svc.cluster.local:50051" } });
 */
export function dnsRegistry(options: DnsRegistryOptions = {}): Registry {
  return new DnsRegistry(options);
}

class DnsRegistry implements Registry {
  readonly #hub: SnapshotHub;
  readonly #followers = new Map<string, Follower>();
  readonly #settings: Settings;

  constructor(options: DnsRegistryOptions) {
    const { names } = options;
    this.#settings = {
      nameOf:
        typeof names === "function" ? names : (service) => (names === undefined ? service : (names[service] ?? "")),
      resolver: options.resolver ?? systemResolver(),
      onEvent: options.onEvent ?? (() => {}),
      timeoutMs: options.lookupTimeoutMs ?? defaultLookupTimeoutMs,
      maxInstances: options.maxInstances ?? defaultMaxInstances,
      clock: options.clock ?? systemClock,
    };
    this.#hub = new SnapshotHub({
      maxWatchers: options.maxWatchers,
      emptyIsKnown: false,
      onWatched: (service, watched) => (watched ? this.#follow(service) : this.#unfollow(service)),
    });
  }

  async register(registration: Registration): Promise<Lease> {
    throw new Error(`Cannot register "${registration.id}": a DNS registry is read-only`);
  }

  watch(service: string, options?: WatchOptions): AsyncIterable<Snapshot> {
    assertService(service);
    questionOf(service, this.#settings);
    return this.#hub.watch(service, options);
  }

  async list(service: string): Promise<Snapshot> {
    assertService(service);
    this.#hub.assertOpen(`list service "${service}"`);
    const known = this.#hub.current(service);
    if (known !== undefined) return known;
    // A watch for one snapshot, which a failed round cuts short.
    const enough = new AbortController();
    let failure: DnsRound["failures"][number] | undefined;
    const settings: Settings = this.#settings;
    const iterator = this.watch(service, { signal: enough.signal })[Symbol.asyncIterator]();
    const first = iterator.next();
    this.#followers.get(service)?.afterRound((round) => {
      failure = round.failures[0];
      if (round.endpoints === undefined) enough.abort();
    });
    const result = await first;
    await iterator.return?.();
    if (result.done !== true) return result.value;
    this.#hub.assertOpen(`list service "${service}"`);
    throw new Error(
      `Cannot list service "${service}": looking up "${failure?.name ?? settings.nameOf(service)}" failed`,
      {
        cause: failure?.error,
      },
    );
  }

  async close(): Promise<void> {
    this.#hub.close();
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
  }

  #follow(service: string): void {
    const follower = new Follower(service, this.#settings, (views) => this.#hub.publish(service, views));
    this.#followers.set(service, follower);
    follower.start();
  }

  #unfollow(service: string): void {
    this.#followers.get(service)?.stop();
    this.#followers.delete(service);
    this.#hub.forget(service);
  }
}

interface Settings {
  readonly nameOf: (service: string) => string;
  readonly resolver: DnsResolver;
  readonly onEvent: (event: DnsEvent) => void;
  readonly timeoutMs: number;
  readonly maxInstances: number;
  readonly clock: Clock;
}

function questionOf(service: string, settings: Settings): ReturnType<typeof parseDnsQuestion> {
  const name = settings.nameOf(service);
  if (name === "") throw new TypeError(`Cannot look up service "${service}": the option names has no DNS name for it`);
  return parseDnsQuestion(name);
}

/** Follows one service while somebody watches it: a round of questions, a pause, the next round. */
class Follower {
  readonly #service: string;
  readonly #settings: Settings;
  readonly #publish: (views: InstanceView[]) => void;
  readonly #lookup: DnsLookup;
  readonly #listeners: ((round: DnsRound) => void)[] = [];
  #shown: string | undefined;
  #failedRounds = 0;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(service: string, settings: Settings, publish: (views: InstanceView[]) => void) {
    this.#service = service;
    this.#settings = settings;
    this.#publish = publish;
    this.#lookup = new DnsLookup(questionOf(service, settings), settings);
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  /** Calls `listener` once, when the running round ends; starts one if none runs. */
  afterRound(listener: (round: DnsRound) => void): void {
    this.#listeners.push(listener);
    if (this.#cancelTimer !== undefined) void this.#round();
  }

  async #round(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const round = await this.#lookup.run();
    if (this.#stopped) return;
    this.#report(round);
    if (round.endpoints !== undefined) this.#show(round.endpoints);
    for (const listener of this.#listeners.splice(0)) listener(round);
    if (this.#stopped) return;
    this.#cancelTimer = this.#settings.clock.after(this.#periodMs(round), () => void this.#round());
  }

  #periodMs(round: DnsRound): number {
    if (this.#failedRounds > 0) return Math.min(minPeriodMs * 2 ** Math.min(this.#failedRounds - 1, 10), maxPeriodMs);
    if (round.unsure) return minPeriodMs;
    return Math.min(Math.max(round.ttlMs ?? defaultPeriodMs, minPeriodMs), maxPeriodMs);
  }

  #report(round: DnsRound): void {
    const { onEvent } = this.#settings;
    const service = this.#service;
    if (round.failures.length === 0) {
      if (this.#failedRounds > 0) onEvent({ type: "lookupRecovered", service });
      this.#failedRounds = 0;
      return;
    }
    this.#failedRounds += 1;
    for (const { name, error } of round.failures) {
      onEvent({ type: "lookupFailed", service, name, error, count: this.#failedRounds });
    }
  }

  #show(endpoints: readonly DnsEndpoint[]): void {
    const { maxInstances: limit, onEvent } = this.#settings;
    const shown = endpoints.slice(0, limit);
    const key = JSON.stringify(shown);
    if (key === this.#shown) return;
    this.#shown = key;
    if (endpoints.length > limit) {
      onEvent({ type: "tooManyInstances", service: this.#service, found: endpoints.length, limit });
    }
    this.#publish(shown.map((endpoint) => createView(this.#service, endpoint)));
  }
}

function createView(service: string, { id, host, port, weight, name }: DnsEndpoint): InstanceView {
  const instance = createInstance({ id, service, host, port, weight, metadata: { "dns.name": name } }, 0);
  return Object.freeze({ ...instance, state: "up" });
}
