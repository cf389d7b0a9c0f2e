import type { Clock } from "./clock.ts";
import type { EmptyProtectionOptions } from "./empty-protection.ts";
import type { GossipTiming } from "./gossip/config.ts";
import type { GossipEvent, GossipRandom, GossipStats, MemberView } from "./gossip/types.ts";
import type { Seeds } from "./gossip-shell/seed-finder.ts";
import type { Evidence, Registry } from "./registry.ts";

/** What `gossipRegistry` tells beside its snapshots. */
export type GossipRegistryEvent =
  | Exclude<GossipEvent, { readonly type: "record" }>
  /**
   * No seed has answered within `joinTimeoutMs`: this member goes on alone, and tries these addresses for ever (`joined`
   * tells when one answers). To be expected of the first member; else nobody listens there, a firewall stops UDP or TCP,
   * or `advertise` (`host`, when absent) is not an address that the seeds can reach.
   */
  | { readonly type: "notJoined"; readonly seeds: readonly string[] }
  /** A seed name, or the seeds function, gave no address. It is tried again; told once until it succeeds. */
  | { readonly type: "seedFailed"; readonly seed: string; readonly error: unknown }
  /** A member announced something under our keys that is no instance. It is ignored. */
  | { readonly type: "recordIgnored"; readonly owner: string; readonly error: Error }
  /** The event loop stood still for this long, so that others may suspect this process. */
  | { readonly type: "stalled"; readonly lateMs: number };

/** What `gossipRegistry` takes. All of it is optional; a first member needs `port`, all others `seeds`. */
export interface GossipRegistryOptions {
  /**
   * `host:port` of any members, or a function that finds some. Names are resolved to all their addresses, again every
   * 60 s. They are tried for ever at a low rate, so that a healed partition merges; an own address among them is fine.
   * Default: none, the first member.
   */
  readonly seeds?: Seeds | undefined;
  /** Port for UDP and TCP alike. Default 0: any. */
  readonly port?: number | undefined;
  /** IP address to bind. Default `127.0.0.1`: other machines need an address of theirs, or `0.0.0.0` with `advertise`. */
  readonly host?: string | undefined;
  /** IP address that others reach this process at. Default: `host`. */
  readonly advertise?: string | undefined;
  /** Name of this member: unique, printable ASCII, ≤ 64 characters. Default: the host's name and random digits. */
  readonly id?: string | undefined;
  /** Which life of `id` this is; must rise with each start. Default: the time of the start in ms since 1970. */
  readonly generation?: number | undefined;
  /** Members of other clusters are ignored, with an event. Default `pipit`. */
  readonly cluster?: string | undefined;
  /**
   * Cluster keys of 32 random bytes. The first encrypts (AES-256-GCM), all are understood. Default: none, which is only
   * for networks where everybody is trusted.
   */
  readonly keys?: readonly Uint8Array[] | undefined;
  /** False: watches and registers nothing, is not probed and costs the cluster nothing. Default true. */
  readonly member?: boolean | undefined;
  /** How long the first snapshot waits for a seed, in ms. Default 3,000. */
  readonly joinTimeoutMs?: number | undefined;
  /** How long `close` waits for its farewell to spread, in ms. Default 1,000. */
  readonly leaveTimeoutMs?: number | undefined;
  /** When to keep failed instances as `stale`. */
  readonly emptyProtection?: EmptyProtectionOptions | undefined;
  /** Changes to the protocol's times and limits, the same on all members. */
  readonly timing?: Partial<GossipTiming> | undefined;
  /** Receives what is worth a log line or an alarm, later in the turn. */
  readonly onEvent?: ((event: GossipRegistryEvent) => void) | undefined;
  /** Open iterators before `watch` refuses. Default 100,000. */
  readonly maxWatchers?: number | undefined;
  /** Addresses of a seed's host name. Default: the system's, with its hosts file. */
  readonly lookup?: ((host: string) => Promise<readonly string[]>) | undefined;
  /** Default: the process's clock, whose time is ms since 1970. */
  readonly clock?: Clock | undefined;
  /** Default: the system's. With keys it must be unpredictable. */
  readonly random?: GossipRandom | undefined;
}

/** Counters of one gossip registry since its start, and gauges. */
export interface GossipRegistryStats extends Readonly<GossipStats> {
  /** 0 is well, 8 very slow (Lifeguard). */
  readonly localHealth: number;
  /** Members remembered, in any state. */
  readonly memberCount: number;
  /** How many of those are dead or left. */
  readonly tombstoneCount: number;
  /** Stream connections open now. */
  readonly connectionCount: number;
}

/** A {@link Registry} in which the services' own processes keep the list, by SWIM gossip. */
export interface GossipRegistry extends Registry, AsyncDisposable {
  /** Name of this member. */
  readonly id: string;
  /**
   * Binds the sockets and starts to join. `register`, `watch` and `list` do so by themselves; this tells the address.
   *
   * @throws Error of the system when the port cannot be bound. It may be called again.
   */
  open(): Promise<{ readonly host: string; readonly port: number }>;
  /** Members that are alive or suspect, this one included. */
  members(): readonly MemberView[];
  /** Replaces the keys, for rotation: first add the new one everywhere, then put it first, then drop the old one. */
  setKeys(keys: readonly Uint8Array[]): Promise<void>;
  /** How many live members last spoke under each key id: an old key may go when only the new id is left. */
  keyUsage(): ReadonlyMap<number, number>;
  /** Counters and gauges; `undefined` before `open`. */
  stats(): GossipRegistryStats | undefined;
  /** Asks for the member behind an instance to be probed now. At most once per instance and second; never waits. */
  report(instanceId: string, evidence: Evidence): void;
  /** Says farewell, waits until it has spread (at most `leaveTimeoutMs`), and closes the sockets. */
  close(): Promise<void>;
  /** Closes the sockets without a word, as a crash would. */
  destroy(): Promise<void>;
}
