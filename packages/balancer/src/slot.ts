import type { Endpoint, EndpointState, Outcome, Pick, Tier } from "./contract.ts";
import type { PoolCore } from "./pool.ts";

/** How good a slot is to pick, best first. Kept in step with {@link tiers}. */
export const levels = { up: 0, suspect: 1, ejected: 2, stale: 3, out: 4 } as const;

/** Levels that may be picked, by number. Those at `levels.out` (draining, weight 0, removed) never are. */
export const tiers: readonly Tier[] = ["up", "suspect", "ejected", "stale"];

/** Calls in flight over some slots, kept up to date by the slots themselves. */
export interface LoadSum {
  inFlight: number;
}

/** One list for all, so that looking at it touches no new memory. */
const noSums: readonly LoadSum[] = [];

/**
 * One endpoint's place in a pool with all that is known of it. It is also the {@link Pick} that callers hold, so that a
 * pick allocates nothing. Fields are plain and written by the pool's parts alone; numbers only, to keep one hidden class.
 */
export class Slot<E extends Endpoint> implements Pick<E> {
  // What a pick reads comes first, to lie close together.
  readonly #pool: PoolCore<E>;
  endpoint: E;
  level: number = levels.up;
  /** Picked and not yet done. */
  inFlight = 0;
  /** Sums that this slot's calls count in. */
  sums: readonly LoadSum[] = noSums;
  weight = 1;
  /** Whether `latencyMs` is known, `penaltyMs` is above 0, and any load was reported. */
  isTimed = false;
  isPenalized = false;
  isReporting = false;
  latencyMs = 0;
  latencyAtMs = 0;
  /** 1 ÷ how long the estimate holds, in milliseconds. */
  latencyHaste = 0;

  /** What hashing policies place. */
  key = "";
  zone = "";
  state: EndpointState = "up";
  /** When it was first timed. */
  timedSinceMs = 0;
  /** Lower bounds taken for `latencyMs` since the last answer. */
  boundStreak = 0;
  /** Failures since the last answer. */
  failureStreak = 0;
  penaltyMs = 0;
  penaltyAtMs = 0;

  /** Since the last sweep. */
  successes = 0;
  failures = 0;
  isEjected = false;
  ejectedUntilMs = 0;
  /** How long the next ejection is, in base times; falls by one with each sweep that leaves it in. */
  ejectionTimes = 0;
  /** Since when it takes calls; slow start counts from here. */
  startedAtMs: number = Number.NEGATIVE_INFINITY;

  loopDelayMs = 0;
  loopDelayAtMs: number = Number.NEGATIVE_INFINITY;
  serverInFlight = 0;
  serverInFlightAtMs: number = Number.NEGATIVE_INFINITY;
  utilization = 0;
  callsPerSecond = 0;
  errorsPerSecond = 0;
  /** Since when it reports what a weight is made of, and when it last did. */
  weightSinceMs = 0;
  weightAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(pool: PoolCore<E>, endpoint: E) {
    this.#pool = pool;
    this.endpoint = endpoint;
  }

  get tier(): Tier {
    return tiers[this.level] ?? "stale";
  }

  /** A call goes to it. */
  begin(): void {
    this.inFlight += 1;
    this.#pool.inFlight += 1;
    for (let index = 0; index < this.sums.length; index += 1) {
      const sum = this.sums[index];
      if (sum !== undefined) sum.inFlight += 1;
    }
  }

  done(outcome: Outcome): void {
    if (this.inFlight > 0) {
      this.inFlight -= 1;
      this.#pool.inFlight -= 1;
      for (let index = 0; index < this.sums.length; index += 1) {
        const sum = this.sums[index];
        if (sum !== undefined) sum.inFlight -= 1;
      }
    }
    this.#pool.settle(this, outcome);
  }
}
