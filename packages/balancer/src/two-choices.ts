import { AliasTable } from "./alias.ts";
import type { Endpoint } from "./contract.ts";
import type { PoolCore } from "./pool.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Draws for a second, different slot before the two are let be the same. Only unequal weights can need more than one. */
const mostRedraws = 4;

/** Draws for slots that the request admits before all are looked at. */
const mostTries = 8;

/** Has `one` the lower cost for its weight? A truth and not a cost, for numbers returned through a call may be boxed. */
export type IsBetter<E extends Endpoint> = (one: Slot<E>, other: Slot<E>, pool: PoolCore<E>) => boolean;

/**
 * The power of two choices (M. Mitzenmacher 1996): of two different slots drawn at random, the one with the lower cost.
 * Nearly as even as looking at all, in constant time, and clients that see the same do not all run to the same endpoint:
 * the best one is drawn by at most 2 ÷ n of the picks. With unequal weights the draws go by weight.
 */
export class TwoChoicesSelector<E extends Endpoint> implements Selector<E> {
  readonly #isBetter: IsBetter<E>;
  #slots: readonly Slot<E>[] = [];
  #table: AliasTable | undefined = undefined;

  constructor(isBetter: IsBetter<E>) {
    this.#isBetter = isBetter;
  }

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
    const weight = slots[0]?.weight;
    const isEven = slots.every((slot) => slot.weight === weight);
    this.#table = isEven ? undefined : new AliasTable(slots.map((slot) => slot.weight));
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    if (ask.open) return this.#better(ask);
    for (let tries = 0; tries < mostTries; tries += 1) {
      const slot = this.#better(ask);
      if (slot !== undefined && ask.admits(slot)) return slot;
    }
    return scan(slots, ask.dice.below(slots.length), ask);
  }

  #better(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    const { length } = slots;
    if (length === 1) return slots[0];
    if (this.#table !== undefined) return this.#betterByWeight(this.#table, ask);
    const first = ask.dice.below(length);
    // One of the others, each as likely.
    let second = ask.dice.below(length - 1);
    if (second >= first) second += 1;
    return this.#betterOf(slots[first] as Slot<E>, slots[second] as Slot<E>, ask);
  }

  #betterByWeight(table: AliasTable, ask: Ask<E>): Slot<E> | undefined {
    const first = table.draw(ask.dice);
    let second = table.draw(ask.dice);
    for (let redraws = 0; second === first && redraws < mostRedraws; redraws += 1) second = table.draw(ask.dice);
    return this.#betterOf(this.#slots[first] as Slot<E>, this.#slots[second] as Slot<E>, ask);
  }

  #betterOf(one: Slot<E>, other: Slot<E>, ask: Ask<E>): Slot<E> {
    return this.#isBetter(other, one, ask.pool) ? other : one;
  }
}
