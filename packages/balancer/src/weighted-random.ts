import { AliasTable } from "./alias.ts";
import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Each call to an endpoint drawn at random, as often as its weight says. In constant time, whatever the weights. */
export function weightedRandom<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer(
    { isSticky: false, isTimed: false, createSelector: () => new WeightedRandomSelector<E>() },
    options,
  );
}

class WeightedRandomSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #table = new AliasTable([]);

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
    this.#table = new AliasTable(slots.map((slot) => slot.weight));
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    if (ask.open) return slots[this.#table.draw(ask.dice)];
    // As many draws as there are slots find one nearly always, by weight; the scan makes sure.
    for (let draws = 0; draws < slots.length; draws += 1) {
      const slot = slots[this.#table.draw(ask.dice)];
      if (slot !== undefined && ask.admits(slot)) return slot;
    }
    return scan(slots, 0, ask);
  }
}
