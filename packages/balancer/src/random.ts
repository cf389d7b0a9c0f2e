import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Each call to an endpoint drawn at random, all alike. Needs no coordination between clients; blind to load. */
export function random<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer({ isSticky: false, isTimed: false, createSelector: () => new RandomSelector<E>() }, options);
}

class RandomSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    const first = ask.dice.below(slots.length);
    return ask.open ? slots[first] : scan(slots, first, ask);
  }
}
