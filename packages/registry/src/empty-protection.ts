/** What {@link EmptyProtection} goes by. */
export interface EmptyProtectionOptions {
  /**
   * Failures this close together count as one event. Default 15,000 ms: detection of members that died at the same
   * moment spreads over up to 10 s in a cluster of 1,000.
   */
  readonly windowMs?: number | undefined;
  /** Protection starts when more than this share of a service failed within the window. Default 0.5; 1 turns it off. */
  readonly share?: number | undefined;
  /** How long a lost instance is kept at most, from its failure. Default 600,000 ms: longer than most partitions. */
  readonly holdMs?: number | undefined;
}

const defaultWindowMs = 15_000;
const defaultShare = 0.5;
const defaultHoldMs = 600_000;

interface Live<T> {
  readonly value: T;
  readonly draining: boolean;
}

interface Lost<T> {
  readonly value: T;
  readonly failedAtMs: number;
}

/**
 * Decides for one service, in one watcher's view, which of its failed instances to keep as `stale`.
 *
 * When most of a service fails at once, the likelier story is that we lost sight of it. With L live instances and F that
 * failed within the last `windowMs`, protection starts at F > share · (L + F). From then on every failed instance is kept
 * for `holdMs` from its failure, while the same inequality holds for all that are kept; once enough have come back, or
 * others have taken their place, the rest is dropped at once. An instance whose owner said farewell, withdrew it or was
 * draining it is never kept: that is intent, not loss. Draining instances do not count as live.
 *
 * Pure: the time comes in with each event. Envoy's panic threshold and Eureka's self-preservation are its relatives;
 * unlike theirs it only marks, and leaves the choice to the balancer.
 */
export class EmptyProtection<T> {
  readonly #live = new Map<string, Live<T>>();
  readonly #lost = new Map<string, Lost<T>>();
  readonly #windowMs: number;
  readonly #share: number;
  readonly #holdMs: number;
  #liveCount = 0; // without the draining ones
  #holding = false;

  constructor(options: EmptyProtectionOptions = {}) {
    this.#windowMs = options.windowMs ?? defaultWindowMs;
    this.#share = options.share ?? defaultShare;
    this.#holdMs = options.holdMs ?? defaultHoldMs;
  }

  /** The instance is there, new or changed. */
  put(id: string, value: T, draining: boolean, nowMs: number): void {
    this.#dropLive(id);
    this.#lost.delete(id);
    this.#live.set(id, { value, draining });
    if (!draining) this.#liveCount += 1;
    this.expire(nowMs);
  }

  /** The owner withdrew the instance, or left. */
  leave(id: string, nowMs: number): void {
    this.#dropLive(id);
    this.#lost.delete(id);
    this.expire(nowMs);
  }

  /** The instance was lost with its owner. */
  fail(id: string, nowMs: number): void {
    const known = this.#live.get(id);
    if (known === undefined) return;
    this.#dropLive(id);
    if (!known.draining) this.#lost.set(id, { value: known.value, failedAtMs: nowMs });
    this.expire(nowMs);
  }

  /** Forgets what is over; true if what {@link EmptyProtection.stale} shows has changed by it. */
  expire(nowMs: number): boolean {
    const before = this.#holding;
    const keepMs = before ? this.#holdMs : this.#windowMs;
    const count = this.#lost.size;
    for (const [id, { failedAtMs }] of this.#lost) {
      if (nowMs - failedAtMs >= keepMs) this.#lost.delete(id);
    }
    const lostCount = this.#lost.size;
    this.#holding = lostCount > this.#share * (this.#liveCount + lostCount);
    if (before && !this.#holding) this.#lost.clear();
    return before !== this.#holding || (before && count !== lostCount);
  }

  /** When {@link EmptyProtection.expire} next has something to do; `undefined` for never. */
  get nextExpiryMs(): number | undefined {
    const keepMs = this.#holding ? this.#holdMs : this.#windowMs;
    let firstMs: number | undefined;
    for (const { failedAtMs } of this.#lost.values()) {
      if (firstMs === undefined || failedAtMs < firstMs) firstMs = failedAtMs;
    }
    return firstMs === undefined ? undefined : firstMs + keepMs;
  }

  /** Instances that are there, by id. */
  *live(): Iterable<[id: string, value: T, draining: boolean]> {
    for (const [id, { value, draining }] of this.#live) yield [id, value, draining];
  }

  /** Instances that failed and are kept, by id. */
  *stale(): Iterable<[id: string, value: T]> {
    if (this.#holding) for (const [id, { value }] of this.#lost) yield [id, value];
  }

  /** Whether nothing is known or kept. */
  get idle(): boolean {
    return this.#live.size === 0 && this.#lost.size === 0;
  }

  #dropLive(id: string): void {
    const known = this.#live.get(id);
    if (known === undefined) return;
    this.#live.delete(id);
    if (!known.draining) this.#liveCount -= 1;
  }
}
