import type { Endpoint, Random } from "./contract.ts";
import type { Slot } from "./slot.ts";

/** What a selector is asked: one object per balancer, refilled for each pick. */
export class Ask<E extends Endpoint> {
  readonly random: Random;
  /** Nothing is to be checked: the first choice stands. */
  open = true;
  exclude: ((endpoint: E) => boolean) | undefined = undefined;
  /** Slots at worse levels are passed over. */
  level = 0;
  /** The hash key's 64 bits, or random ones. Set for sticky policies only. */
  keyHigh = 0;
  keyLow = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** May this slot be picked? */
  admits(slot: Slot<E>): boolean {
    return slot.level <= this.level && (this.exclude === undefined || !this.exclude(slot.endpoint));
  }
}

/** A policy at work on one list of slots. */
export interface Selector<E extends Endpoint> {
  /** Takes a new, non-empty list. */
  rebuild(slots: readonly Slot<E>[]): void;
  /** A slot that `ask` admits, or `undefined` when it admits none. Allocates nothing. */
  select(ask: Ask<E>): Slot<E> | undefined;
}

/** What tells one policy from another. */
export interface Policy<E extends Endpoint> {
  /**
   * A sticky policy keeps one table over all slots, good and bad, and walks past those it may not pick, so that an
   * endpoint that is ejected or suspected moves no keys but its own. The others get a list per level.
   */
  readonly sticky: boolean;
  createSelector(): Selector<E>;
}

/** A whole number below `count`, uniform to one part in 2³²/count. */
export function below(random: Random, count: number): number {
  return Math.floor((random.u32() * count) / 0x1_0000_0000);
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
