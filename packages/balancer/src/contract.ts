/**
 * What a balancer is to the code around it: it is told of endpoints by `update`, asked for one by `pick`, and told by
 * `done` how the call went. Nothing here connects, waits, or knows of a protocol.
 */

/** What a resolver or registry believes of an endpoint. `up` goes before `suspect` before `stale`; `draining` never. */
export type EndpointState = "up" | "suspect" | "draining" | "stale";

/** Somewhere a call can go. Bring your own type: a balancer is generic over it and hands back the very object it got. */
export interface Endpoint {
  /** Names the endpoint; statistics survive an `update` for as long as the id stays. Unique within one `update`. */
  readonly id: string;
  /** Where it listens. For the caller's use: no policy looks at it. */
  readonly address: string;
  /** Share of traffic relative to the others: finite, at least 0. Default 1. With 0 it takes no calls. */
  readonly weight?: number | undefined;
  /** Where it stands, for the zone preference. Absent counts as a zone of its own. */
  readonly zone?: string | undefined;
  /** Default `up`. */
  readonly state?: EndpointState | undefined;
  /** What hashing policies place on their tables in stead of `id`, where ids change and places should not. */
  readonly hashKey?: string | undefined;
  /** A new generation under the same id is a restarted process: its statistics begin anew. */
  readonly generation?: number | bigint | string | undefined;
}

/** What one pick asks for. A first attempt without affinity needs none of it. */
export interface PickRequest<E extends Endpoint = Endpoint> {
  /** Calls with the same key go to the same endpoint, under the hashing policies. Absent: a random key. */
  readonly hashKey?: string | undefined;
  /** True for an endpoint that must not be picked: a retry leaves out those already tried. Must not call the balancer. */
  readonly exclude?: ((endpoint: E) => boolean) | undefined;
  /** The time by the balancer's own clock, if the caller has just read it: saves a reading. */
  readonly nowMs?: number | undefined;
}

/**
 * How an attempt ended.
 * - `ok`: an answer came, a declared error included. Its time is a sample of latency.
 * - `failed`: it counts against the endpoint, as a penalty latency and in outlier ejection. For transport failures,
 *   `unavailable`, `internal`, `deadline_exceeded` and `resource_exhausted`.
 * - `cancelled`: given up before an answer (hedge lost, caller gone). The elapsed time is a lower bound of latency.
 * - `refused`: turned away unhandled (draining, method unknown there). Says nothing of the endpoint's speed or health.
 */
export type Result = "ok" | "failed" | "cancelled" | "refused";

/** Load as a server reports it with a reply. Values out of range are clamped, those that are not numbers ignored. */
export interface LoadReport {
  /** How late the server's event loop runs, in milliseconds. Clamped to 0–1,000. */
  readonly eventLoopDelayMs?: number | undefined;
  /** Calls that the server has accepted and not yet answered, of all clients. Clamped to 0–100,000. */
  readonly inFlight?: number | undefined;
  /** Share of the server's capacity in use: 0 idle, 1 full, above 1 overloaded. Clamped to 0–100. For reported weights. */
  readonly utilization?: number | undefined;
  /** Calls that the server answers each second. For reported weights. */
  readonly callsPerSecond?: number | undefined;
  /** Those of them that fail. For reported weights. */
  readonly errorsPerSecond?: number | undefined;
}

/** What the caller knows when an attempt is over. */
export interface Outcome {
  readonly result: Result;
  /** From pick to end, in milliseconds. Clamped to 0–3,600,000. */
  readonly elapsedMs: number;
  /** The time holds more than the endpoint's own, such as a connect: how it ended counts, how long it took does not. */
  readonly untimed?: boolean | undefined;
  /** The time by the balancer's own clock, if the caller has just read it: saves a reading. */
  readonly nowMs?: number | undefined;
  /** What the server said of its load, if it did. */
  readonly load?: LoadReport | undefined;
}

/** How good a choice was on offer: why this endpoint and no better one. */
export type Tier = "up" | "suspect" | "ejected" | "stale";

/**
 * An endpoint, chosen. There is one `Pick` object per endpoint, the same for all calls to it at a time, so that picking
 * allocates nothing: what differs between calls (the time each took) comes with the outcome.
 */
export interface Pick<E extends Endpoint = Endpoint> {
  /** The object given to the latest `update` under this id. */
  readonly endpoint: E;
  /** From which tier it was picked; `up` unless nothing better was left. */
  readonly tier: Tier;
  /** Reports the end of one picked attempt. Call it exactly once for each `pick`; after a removal it is harmless. */
  done(outcome: Outcome): void;
}

/** Decides which endpoint takes a call. */
export interface Balancer<E extends Endpoint = Endpoint> {
  /**
   * Replaces the endpoints. Statistics of those that stay are kept; one that left is never picked once this returns.
   *
   * @throws RangeError if an id appears twice or a weight is not a finite number ≥ 0; nothing has changed then.
   */
  update(endpoints: readonly E[]): void;
  /** Chooses an endpoint, at once; `undefined` if there is none that the request does not exclude. */
  pick(request?: PickRequest<E>): Pick<E> | undefined;
}

/** Where randomness comes from. */
export interface Random {
  /** The next 32 random bits, as an integer from 0 to 2³² − 1. */
  u32(): number;
}
