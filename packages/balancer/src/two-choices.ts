import { AliasTable } from "./alias.ts";
import type { Endpoint } from "./contract.ts";
import { type Ask, below, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Draws for a second, different slot before the two are let be the same. Only unequal weights can need more than one. */
const mostRedraws = 4;

/** Draws for slots that the request admits before all are looked at. */
const mostTries = 8;

/**
 * The power of two choices (M. Mitzenmacher 1996): of two different slots drawn at random, the one with the lower cost.
 * Nearly as even as looking at all, in constant time, and clients that see the same do not all run to the same endpoint:
 * the best one is drawn by at most 2 ÷ n of the picks. With unequal weights the draws go by weight.
 */
export class TwoChoicesSelector<E extends Endpoint> implements Selector<E> {
  readonly #costOf: (slot: Slot<E>, ask: Ask<E>) => number;
  #slots: readonly Slot<E>[] = [];
  #table: AliasTable | undefined = undefined;

  /** `costOf` says how bad a slot is for its weight. */
  constructor(costOf: (slot: Slot<E>, ask: Ask<E>) => number) {
    this.#costOf = costOf;
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
    return scan(slots, below(ask.random, slots.length), ask);
  }

  #better(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    const { length } = slots;
    if (length === 1) return slots[0];
    const first = this.#table === undefined ? below(ask.random, length) : this.#table.draw(ask.random);
    let second: number;
    if (this.#table === undefined) {
      // One of the others, each as likely.
      second = below(ask.random, length - 1);
      if (second >= first) second += 1;
    } else {
      second = this.#table.draw(ask.random);
      for (let redraws = 0; second === first && redraws < mostRedraws; redraws += 1) {
        second = this.#table.draw(ask.random);
      }
    }
    const one = slots[first];
    const other = slots[second];
    if (one === undefined || other === undefined) return undefined;
    return this.#costOf(other, ask) < this.#costOf(one, ask) ? other : one;
  }
}
