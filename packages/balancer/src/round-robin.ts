import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Ask, Selector } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Each endpoint in turn, from a random one on, so that many clients that start together do not march in step. */
export function roundRobin<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer(
    { isSticky: false, isTimed: false, createSelector: () => new RoundRobinSelector<E>() },
    options,
  );
}

class RoundRobinSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #next = -1;

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    if (this.#next < 0) this.#next = ask.dice.below(slots.length);
    for (let step = 0; step < slots.length; step += 1) {
      if (this.#next >= slots.length) this.#next = 0;
      const slot = slots[this.#next++];
      if (slot !== undefined && (ask.open || ask.admits(slot))) return slot;
    }
    return undefined;
  }
}
