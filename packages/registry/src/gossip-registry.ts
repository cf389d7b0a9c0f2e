import { ipVersion, joinHostPort } from "./address.ts";
import { builtin } from "./builtin.ts";
import type { Clock } from "./clock.ts";
import { checkKeys, resolveTiming } from "./gossip/config.ts";
import type { GossipEvent, GossipRandom, MemberView } from "./gossip/types.ts";
import type {
  GossipRegistry,
  GossipRegistryEvent,
  GossipRegistryOptions,
  GossipRegistryStats,
} from "./gossip-options.ts";
import type { GossipNode } from "./gossip-shell/gossip-node.ts";
import { HintGate } from "./gossip-shell/hint-gate.ts";
import { InstanceRecordError } from "./gossip-shell/instance-record.ts";
import { JoinWait } from "./gossip-shell/join-wait.ts";
import { OwnInstances } from "./gossip-shell/own-instances.ts";
import { assertSeeds, SeedFinder } from "./gossip-shell/seed-finder.ts";
import { ServiceView } from "./gossip-shell/service-view.ts";
import { assertService } from "./instance.ts";
import type { Evidence, Lease, Registration, Snapshot, WatchOptions } from "./registry.ts";
import { SnapshotHub } from "./snapshot-hub.ts";
import { systemClock } from "./system-clock.ts";
import { systemRandom } from "./system-random.ts";

/** A first snapshot waits this long for a seed to answer. Joining takes a few round trips; a dead seed is retried anyway. */
const defaultJoinTimeoutMs = 3_000;
/** A farewell reaches enough members within a few gossip rounds of 200 ms. */
const defaultLeaveTimeoutMs = 1_000;

/**
 * A registry with no infrastructure: every process that serves or calls is a member, and they tell each other.
 *
 * Creating it does no I/O. Its sockets keep the process alive until `close`.
 *
 * @example
 * const registry = gossipRegistry({ seeds: ["10.0.0.1:7946"], host: "10.0.0.2" });
 * await registry.register({ id: "a", service: "greeter", host: "10.0.0.2", port: 50051 });
 * @throws TypeError or RangeError if an option is malformed.
 */
export function gossipRegistry(options: GossipRegistryOptions = {}): GossipRegistry {
  return new SocketGossipRegistry(options);
}

type State =
  | { readonly type: "new" }
  | { readonly type: "opening"; readonly done: Promise<GossipNode> }
  | { readonly type: "open"; readonly node: GossipNode }
  | { readonly type: "closed"; readonly done: Promise<void> };

class SocketGossipRegistry implements GossipRegistry {
  readonly id: string;
  readonly #options: GossipRegistryOptions;
  readonly #clock: Clock;
  readonly #random: GossipRandom;
  readonly #generation: number;
  readonly #host: string;
  readonly #advertise: string;
  readonly #hub: SnapshotHub;
  readonly #view: ServiceView;
  readonly #own: OwnInstances;
  readonly #joinWait: JoinWait;
  readonly #hints = new HintGate();
  #state: State = { type: "new" };
  #seedFinder: SeedFinder | undefined;
  /** Addresses last tried. */
  #seeds: readonly string[] = [];
  #onLeft: (() => void) | undefined;
  #expiryAtMs: number | undefined;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: GossipRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom();
    this.#generation = options.generation ?? Math.floor(this.#clock.now());
    this.#host = options.host ?? "127.0.0.1";
    this.#advertise = options.advertise ?? this.#host;
    this.id = options.id ?? nameOfProcess(this.#random);
    assertOptions(options, { id: this.id, host: this.#host, address: this.#advertise, generation: this.#generation });
    this.#view = new ServiceView(options.emptyProtection);
    this.#hub = new SnapshotHub({
      maxWatchers: options.maxWatchers,
      emptyIsKnown: false,
    });
    this.#own = new OwnInstances({
      generation: this.#generation,
      assertOpen: (action) => this.#hub.assertOpen(action),
      run: (use) => {
        if (this.#state.type === "open") this.#state.node.run(use);
      },
    });
    this.#joinWait = new JoinWait({
      clock: this.#clock,
      onReady: () => {
        this.#flush();
        this.#hub.learn();
      },
      onTimeout: () => this.#emit({ type: "notJoined", seeds: this.#seeds }),
    });
  }

  async open(): Promise<{ readonly host: string; readonly port: number }> {
    const { port } = await this.#start();
    return { host: this.#advertise, port };
  }

  async register(registration: Registration): Promise<Lease> {
    const action = `register "${registration.id}"`;
    this.#own.check(registration);
    this.#hub.assertOpen(action);
    await this.#start();
    // News of a member reaches others before news of its records, or the records are dropped and come late.
    await this.#joinWait.answered;
    this.#hub.assertOpen(action);
    return this.#own.register(registration);
  }

  watch(service: string, options?: WatchOptions): AsyncIterable<Snapshot> {
    assertService(service);
    const watch = this.#hub.watch(service, options);
    return { [Symbol.asyncIterator]: () => this.#iterate(watch[Symbol.asyncIterator]()) };
  }

  async list(service: string): Promise<Snapshot> {
    assertService(service);
    const action = `list service "${service}"`;
    this.#hub.assertOpen(action);
    await this.#start();
    this.#hub.assertOpen(action);
    for await (const snapshot of this.#hub.watch(service)) return snapshot;
    this.#hub.assertOpen(action);
    throw new Error(`Cannot ${action}: its watch ended early`); // only close ends it
  }

  members(): readonly MemberView[] {
    return this.#state.type === "open" ? this.#state.node.run((core) => core.members()) : [];
  }

  async setKeys(keys: readonly Uint8Array[]): Promise<void> {
    this.#hub.assertOpen("set gossip keys");
    const node = await this.#start();
    node.run((core) => core.setKeys(keys.map((key) => key.slice())));
  }

  keyUsage(): ReadonlyMap<number, number> {
    return this.#state.type === "open" ? this.#state.node.run((core) => core.keyUsage()) : new Map();
  }

  stats(): GossipRegistryStats | undefined {
    if (this.#state.type !== "open") return undefined;
    const { node } = this.#state;
    return node.run((core) => ({
      ...core.stats,
      localHealth: core.localHealth,
      memberCount: core.size.members,
      tombstoneCount: core.size.tombstones,
      connectionCount: node.connectionCount,
    }));
  }

  report(instanceId: string, _evidence: Evidence): void {
    if (this.#state.type !== "open") return;
    if (!this.#hints.passes(instanceId, this.#clock.now())) return;
    const owners = this.#view.ownersOf(instanceId).filter((owner) => owner !== this.id);
    this.#state.node.run((core, now) => {
      for (const owner of owners) core.report(owner, now);
    });
  }

  close(): Promise<void> {
    return this.#end(true);
  }

  destroy(): Promise<void> {
    return this.#end(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end(true);
  }

  // ---- life

  #start(): Promise<GossipNode> {
    const state = this.#state;
    switch (state.type) {
      case "new": {
        const done = this.#open();
        this.#state = { type: "opening", done };
        return done;
      }
      case "opening":
        return state.done;
      case "open":
        return Promise.resolve(state.node);
      case "closed":
        return Promise.reject(new Error("Cannot open gossip: the registry is closed"));
      default:
        return state satisfies never;
    }
  }

  async #open(): Promise<GossipNode> {
    const { port = 0, cluster, keys, member = true, timing } = this.#options;
    let node: GossipNode;
    try {
      // Loaded by the first that opens: the protocol is most of this package, and many processes never gossip.
      const { openGossipNode } = await import("./gossip-shell/gossip-node.ts");
      node = await openGossipNode({
        id: this.id,
        host: this.#host,
        port,
        advertise: this.#advertise,
        generation: this.#generation,
        cluster,
        keys: keys?.map((key) => key.slice()),
        member,
        timing,
        clock: this.#clock,
        random: this.#random,
        onEvent: (event) => this.#onEvent(event),
        onStall: (lateMs) => this.#emit({ type: "stalled", lateMs }),
        onSettled: () => this.#flush(),
      });
    } catch (error) {
      if (this.#state.type === "opening") this.#state = { type: "new" };
      throw error;
    }
    if (this.#state.type !== "opening") {
      await node.close();
      throw new Error("Cannot open gossip: the registry is closed");
    }
    this.#state = { type: "open", node };
    this.#join(node);
    return node;
  }

  #join(node: GossipNode): void {
    const { seeds = [], lookup = lookupAll, joinTimeoutMs = defaultJoinTimeoutMs } = this.#options;
    const self = joinHostPort(this.#advertise, node.port);
    if (typeof seeds !== "function" && seeds.every((seed) => seed === self)) return this.#joinWait.end();
    this.#joinWait.start(joinTimeoutMs);
    this.#seedFinder = new SeedFinder({
      seeds,
      lookup,
      clock: this.#clock,
      isJoined: () => this.#joinWait.hasJoined,
      onSeeds: (found) => {
        this.#seeds = found;
        node.run((core) => core.setSeeds(found));
      },
      onFailed: (seed, error) => this.#emit({ type: "seedFailed", seed, error }),
    });
    void this.#seedFinder.start();
  }

  #end(farewell: boolean): Promise<void> {
    const state = this.#state;
    if (state.type === "closed") return state.done;
    this.#hub.close();
    this.#joinWait.stop();
    this.#seedFinder?.stop();
    this.#cancelExpiry?.();
    const done = this.#leaveAndClose(state, farewell);
    this.#state = { type: "closed", done };
    return done;
  }

  async #leaveAndClose(state: State, farewell: boolean): Promise<void> {
    // One that is still binding closes itself when it is done.
    if (state.type === "opening") await state.done.catch(() => {});
    if (state.type !== "open") return;
    if (farewell && !this.#own.lost) await this.#leave(state.node);
    await state.node.close();
  }

  #leave(node: GossipNode): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(this.#options.leaveTimeoutMs ?? defaultLeaveTimeoutMs, resolve);
      this.#onLeft = () => {
        cancel();
        resolve();
      };
      if (node.run((core) => core.members().length) < 2)
        this.#onLeft(); // nobody to tell
      else node.run((core, nowMs) => core.leave(nowMs));
    });
  }

  // ---- what the core tells

  #onEvent(event: GossipEvent): void {
    switch (event.type) {
      case "record":
        return this.#onRecord(event);
      case "member":
        this.#view.member(event.member.id, event.member.state);
        break;
      case "joined":
        this.#joinWait.joined();
        break;
      case "conflict":
        this.#own.lose(event.winner);
        this.#view.loseSight();
        break;
      case "left":
        this.#onLeft?.();
        break;
      case "generation":
      case "keyMismatch":
      case "clusterMismatch":
      case "datagramsLost":
        break;
      default:
        event satisfies never;
    }
    this.#emit(event);
  }

  #onRecord({ owner, generation, key, value, change }: Extract<GossipEvent, { readonly type: "record" }>): void {
    const nowMs = this.#clock.now();
    if (change !== "put") return this.#view.remove(owner, key, change, nowMs);
    try {
      this.#view.put(owner, generation, key, value as Uint8Array, nowMs);
    } catch (error) {
      if (!(error instanceof InstanceRecordError)) throw error;
      this.#emit({ type: "recordIgnored", owner, error });
    }
  }

  #emit(event: GossipRegistryEvent): void {
    const { onEvent } = this.#options;
    // Later in the turn: a listener may call the registry, and the core is not to be called from within.
    if (onEvent !== undefined) this.#clock.soon(() => onEvent(event));
  }

  // ---- what readers see

  /** The same iterator, which opens the sockets first. */
  #iterate(inner: AsyncIterator<Snapshot>): AsyncIterator<Snapshot> {
    let started = false;
    return {
      next: async () => {
        if (!started && !this.#hub.closed) await this.#start();
        started = true;
        return inner.next();
      },
      return: async () => inner.return?.() ?? { done: true, value: undefined },
    };
  }

  #flush(): void {
    if (!this.#joinWait.isReady) return;
    for (const service of this.#view.takeChanged()) this.#hub.publish(service, this.#view.instances(service));
    this.#armExpiry();
  }

  #armExpiry(): void {
    const atMs = this.#view.nextExpiryMs;
    if (atMs === this.#expiryAtMs || this.#hub.closed) return;
    this.#cancelExpiry?.();
    this.#expiryAtMs = atMs;
    if (atMs === undefined) return;
    this.#cancelExpiry = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      this.#expiryAtMs = undefined;
      this.#view.expire(this.#clock.now());
      this.#flush();
    });
  }
}

/** @throws TypeError or RangeError that names the option, before any socket opens. */
function assertOptions(
  { seeds, keys, cluster, timing }: GossipRegistryOptions,
  { host, ...self }: { id: string; host: string; address: string; generation: number },
): void {
  if (ipVersion(self.address) === 0 || self.address === "0.0.0.0" || self.address === "::")
    throw new TypeError(
      `Cannot advertise "${self.address}" to the cluster: expected an IP address that others can reach`,
    );
  if (ipVersion(host) === 0) throw new TypeError(`Cannot bind gossip to "${host}": expected an IP address`);
  if (seeds !== undefined) assertSeeds(seeds);
  if (keys !== undefined) checkKeys(keys);
  resolveTiming({ ...self, cluster, timing });
}

/** The host's name and random digits. */
function nameOfProcess(random: GossipRandom): string {
  const host = builtin("node:os").hostname();
  return `${host.replace(/[^\x21-\x7e]/g, "").slice(0, 40)}-${hex(random.bytes(6))}`;
}

async function lookupAll(host: string): Promise<readonly string[]> {
  return (await builtin("node:dns").promises.lookup(host, { all: true })).map(({ address }) => address);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
