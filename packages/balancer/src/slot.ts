import type { Endpoint, EndpointState, Outcome, Pick, Tier } from "./contract.ts";
import type { PoolCore } from "./pool.ts";

/** How good a slot is to pick, best first. Kept in step with {@link tiers}. */
export const levels = { up: 0, suspect: 1, ejected: 2, stale: 3, out: 4 } as const;

/** Levels that may be picked, by number. Those at `levels.out` (draining, weight 0, removed) never are. */
export const tiers: readonly Tier[] = ["up", "suspect", "ejected", "stale"];

/**
 * One endpoint's place in a pool with all that is known of it. It is also the {@link Pick} that callers hold, so that a
 * pick allocates nothing. Fields are plain and written by the pool's parts alone; numbers only, to keep one hidden class.
 */
export class Slot<E extends Endpoint> implements Pick<E> {
  readonly #pool: PoolCore<E>;
  endpoint: E;
  /** What hashing policies place. */
  key = "";
  weight = 1;
  zone = "";
  state: EndpointState = "up";
  level: number = levels.up;
  /** Picked and not yet done. */
  inFlight = 0;
  /** Failures since the last answer. */
  failureStreak = 0;

  constructor(pool: PoolCore<E>, endpoint: E) {
    this.#pool = pool;
    this.endpoint = endpoint;
  }

  get tier(): Tier {
    return tiers[this.level] ?? "stale";
  }

  done(outcome: Outcome): void {
    this.#pool.settle(this, outcome);
  }
}
