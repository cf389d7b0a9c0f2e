/**
 * One running copy of a service, as its owner announced it. Immutable: a change is a new object in a new snapshot.
 */
export interface Instance {
  /** Names the process that serves. Unique within a service; the same process uses one id for all its services. */
  readonly id: string;
  /** Which life of that process this is: higher is newer. A restarted process keeps its id and raises this. */
  readonly generation: number;
  /** Full service name, such as `helloworld.Greeter`. */
  readonly service: string;
  /** Host name or IP address (IPv6 without brackets), or a whole address such as `unix:/run/a.sock` with port 0. */
  readonly host: string;
  /** TCP port, or 0 when `host` is a whole address. */
  readonly port: number;
  /** Share of traffic relative to its siblings; ≥ 0, usually 1. An instance of weight 0 takes none. */
  readonly weight: number;
  /** Failure domain, such as `eu-1a`; the empty string when unsaid. */
  readonly zone: string;
  /** Version of the program that serves, as its owner writes it; the empty string when unsaid. */
  readonly version: string;
  /** Anything else the owner wants callers to see. Not secret. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * What {@link Registry.register} is given: an {@link Instance} in which everything with a sensible default may be left
 * out.
 */
export interface Registration {
  /** See {@link Instance.id}. */
  readonly id: string;
  /** See {@link Instance.service}. */
  readonly service: string;
  /** See {@link Instance.host}. */
  readonly host: string;
  /** See {@link Instance.port}. */
  readonly port: number;
  /** See {@link Instance.generation}. Default: newer than any that this registry has given or seen under the id. */
  readonly generation?: number | undefined;
  /** See {@link Instance.weight}. Default 1. */
  readonly weight?: number | undefined;
  /** See {@link Instance.zone}. Default `""`. */
  readonly zone?: string | undefined;
  /** See {@link Instance.version}. Default `""`. */
  readonly version?: string | undefined;
  /** See {@link Instance.metadata}. Default `{}`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** What {@link Lease.update} may change. An absent or `undefined` field stays as it is; `metadata` is replaced whole. */
export interface InstanceUpdate {
  /** See {@link Instance.weight}. */
  readonly weight?: number | undefined;
  /** See {@link Instance.zone}. */
  readonly zone?: string | undefined;
  /** See {@link Instance.version}. */
  readonly version?: string | undefined;
  /** See {@link Instance.metadata}. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * How an instance looks from here.
 *
 * - `up`: take it.
 * - `suspect`: it may be dead; use it when nothing better is there.
 * - `draining`: it finishes what it has and takes nothing new.
 * - `stale`: it was lost from sight together with most of its service, so it is kept for a while in case the fault is
 *   on our side; the last resort.
 *
 * An instance that is gone is simply absent.
 */
export type InstanceState = "up" | "suspect" | "draining" | "stale";

/** An {@link Instance} and its state, as a {@link Snapshot} carries it. */
export interface InstanceView extends Instance {
  /** How it looks from here. */
  readonly state: InstanceState;
}

/** Everything known about one service at one moment. Frozen, and shared by all its readers. */
export interface Snapshot {
  /** Rises with each change that one registry object shows of the service. Not comparable between two registries. */
  readonly revision: number;
  /** All instances that are not gone, ordered by id. */
  readonly instances: readonly InstanceView[];
}

/**
 * The right to appear in the registry. The one who registered owns it, until {@link Lease.release} or the registry's
 * `close()`.
 *
 * `using` releases it without waiting; `await using` waits.
 */
export interface Lease extends Disposable, AsyncDisposable {
  /** The instance as registered, with defaults filled in and updates applied. */
  readonly instance: Instance;
  /**
   * Announces changed fields.
   *
   * @throws TypeError or RangeError if a field is malformed, with nothing changed.
   * @throws Error if the lease was released, its registry closed, or a newer generation has taken its place.
   */
  update(change: InstanceUpdate): Promise<void>;
  /**
   * Announces that no new calls should come: the instance shows as `draining` from now on. Twice is fine.
   *
   * @throws Error if the lease was released, its registry closed, or a newer generation has taken its place.
   */
  drain(): Promise<void>;
  /** Removes the instance. Never rejects; twice is fine, and so is release after close. */
  release(): Promise<void>;
}

/** What {@link Registry.watch} takes. */
export interface WatchOptions {
  /** Ends the iteration when aborted: a waiting `next()` resolves as done, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** What a caller saw happen to a connection to an instance: refused by the host, reset or closed, or never answered. */
export type Evidence = "refused" | "reset" | "timeout";

/**
 * Who serves what, and where. Four implementations of one contract, which one suite checks.
 *
 * The owner calls {@link Registry.close}; a client or server that is handed a registry never does.
 */
export interface Registry {
  /**
   * Announces an instance, and keeps announcing it until its lease ends.
   *
   * The same service and id again, with a newer generation, replaces the older; with an equal or older one it is
   * refused.
   *
   * @throws TypeError or RangeError if a field is malformed or too large.
   * @throws Error if the registry is closed, full or read-only, or the instance is registered already.
   */
  register(instance: Registration): Promise<Lease>;
  /**
   * Follows one service. Each iterator is a subscription of its own that starts with the first `next()`.
   *
   * The first snapshot is full and comes at once, also when nobody serves (DNS: as soon as there is an answer). Then
   * one comes per change, in strictly rising revisions. A reader slower than the changes skips to the newest; nothing
   * queues. The iteration ends by `break`, by `signal`, or when the registry closes.
   *
   * Only one `next()` may wait at a time; a second one rejects.
   *
   * @throws Error if the registry is closed or has too many watchers already.
   */
  watch(service: string, options?: WatchOptions): AsyncIterable<Snapshot>;
  /**
   * The current snapshot of one service: what a new watcher would see first.
   *
   * @throws Error if the registry is closed; with DNS also if nothing is known and the lookup fails.
   */
  list(service: string): Promise<Snapshot>;
  /** Ends all leases and watchers and frees what the registry holds. Twice is fine. */
  close(): Promise<void>;
  /**
   * Tells the registry what happened to a connection. It is a hint, never a verdict: gossip probes the member at once,
   * other registries have no such method.
   */
  report?(instanceId: string, evidence: Evidence): void;
}
