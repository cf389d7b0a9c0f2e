import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { Schedule, wholeWeights } from "./schedule.ts";
import { type Ask, below, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** A client begins at most this far into the cycle: enough that many that start together do not march in step. */
const longestHeadStart = 1_024;

/**
 * Endpoints in turn, each as often as its weight says and as evenly spread as can be: weights 5, 1, 1 give a a b a c a a.
 * Exact over each cycle of Σw picks, and within one pick of the exact share at every moment.
 */
export function weightedRoundRobin<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer({ sticky: false, createSelector: () => new WeightedRoundRobinSelector<E>() }, options);
}

class WeightedRoundRobinSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #schedule = new Schedule([1]);
  #started = false;

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
    this.#schedule = new Schedule(wholeWeights(slots.map((slot) => slot.weight)));
    this.#started = false;
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    if (!this.#started) this.#start(ask);
    const slots = this.#slots;
    for (let turn = 0; turn < slots.length; turn += 1) {
      const slot = slots[this.#schedule.next()];
      if (slot !== undefined && (ask.open || ask.admits(slot))) return slot;
    }
    // A heavy endpoint that is not admitted can fill that many turns.
    return scan(slots, 0, ask);
  }

  #start(ask: Ask<E>): void {
    this.#started = true;
    const headStart = below(ask.random, Math.min(this.#schedule.length, longestHeadStart));
    for (let turn = 0; turn < headStart; turn += 1) this.#schedule.next();
  }
}
