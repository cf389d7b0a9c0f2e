import type { Endpoint } from "./contract.ts";
import type { Dice } from "./dice.ts";
import { avalanche } from "./hash.ts";
import type { PoolCore } from "./pool.ts";
import { type SlowStartLaw, slowStartFactor } from "./slow-start.ts";
import type { Slot } from "./slot.ts";

/** Slow start turns away at most this many choices in one pick, so that a pick stays cheap when all are new. */
const mostTurnedAway = 4;

const twoTo32 = 0x1_0000_0000;

/** What a selector is asked: one object per balancer, refilled for each pick. */
export class Ask<E extends Endpoint> {
  readonly pool: PoolCore<E>;
  readonly dice: Dice;
  /** Nothing is to be checked: the first choice stands. */
  open = true;
  exclude: ((endpoint: E) => boolean) | undefined = undefined;
  /** Slots at worse levels are passed over. */
  level = 0;
  /** The hash key's 64 bits as signed words, or random ones. Set for sticky policies only. */
  keyHigh = 0;
  keyLow = 0;
  isSticky = false;
  /** Set while an endpoint may be in its slow start. */
  slowStart: SlowStartLaw | undefined = undefined;
  turnedAway = 0;

  constructor(pool: PoolCore<E>) {
    this.pool = pool;
    this.dice = pool.dice;
  }

  /** May this slot be picked? */
  admits(slot: Slot<E>): boolean {
    if (slot.level > this.level) return false;
    if (this.exclude?.(slot.endpoint)) return false;
    return this.slowStart === undefined || this.#isWarm(slot, this.slowStart);
  }

  #isWarm(slot: Slot<E>, law: SlowStartLaw): boolean {
    const ageMs = this.pool.nowMs - slot.startedAtMs;
    if (ageMs >= law.windowMs || this.turnedAway >= mostTurnedAway) return true;
    // By the key where there is one, so that keys move over one by one and each only once.
    const draw = this.isSticky ? avalanche(this.keyHigh + this.keyLow) >>> 0 : this.dice.word() >>> 0;
    if (draw < slowStartFactor(ageMs, law) * twoTo32) return true;
    this.turnedAway += 1;
    return false;
  }
}

/** A policy at work on one list of slots. */
export interface Selector<E extends Endpoint> {
  /** Takes a new, non-empty list. */
  rebuild(slots: readonly Slot<E>[]): void;
  /** For sticky policies: levels changed, the list did not. Called after `rebuild` too. */
  relevel?(): void;
  /** A slot that `ask` admits, or `undefined` when it admits none. Allocates nothing. */
  select(ask: Ask<E>): Slot<E> | undefined;
}

/** What tells one policy from another. */
export interface Policy<E extends Endpoint> {
  /**
   * A sticky policy keeps one table over all slots, good and bad, and walks past those it may not pick, so that an
   * endpoint that is ejected or suspected moves no keys but its own. The others get a list per level.
   */
  readonly isSticky: boolean;
  /** Needs `pool.nowMs`. */
  readonly isTimed: boolean;
  createSelector(): Selector<E>;
}

/** The first admitted slot from `start` on, around the list once. */
export function scan<E extends Endpoint>(slots: readonly Slot<E>[], start: number, ask: Ask<E>): Slot<E> | undefined {
  for (let step = 0, at = start; step < slots.length; step += 1, at += 1) {
    if (at >= slots.length) at = 0;
    const slot = slots[at];
    if (slot !== undefined && ask.admits(slot)) return slot;
  }
  return undefined;
}
