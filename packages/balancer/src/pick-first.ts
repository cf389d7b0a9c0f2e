import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/**
 * One endpoint for all calls: the first of the list, until a call to it fails or it is no longer among the best; then the
 * next that has not failed last time. It goes back only when that one fails in turn. For a leader with standbys.
 */
export function pickFirst<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer({ isSticky: false, isTimed: false, createSelector: () => new PickFirstSelector<E>() }, options);
}

class PickFirstSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #current = 0;

  rebuild(slots: readonly Slot<E>[]): void {
    const current = this.#slots[this.#current];
    this.#slots = slots;
    this.#current = Math.max(0, current === undefined ? 0 : slots.indexOf(current));
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const current = this.#slots[this.#current];
    if (current !== undefined && current.failureStreak > 0) this.#advance();
    return scan(this.#slots, this.#current, ask);
  }

  /** To the next that did not fail last time; if all did, to the one that waited longest. */
  #advance(): void {
    const { length } = this.#slots;
    const from = this.#current;
    this.#current = (from + 1) % length;
    for (let step = 1; step < length; step += 1) {
      const at = (from + step) % length;
      if (this.#slots[at]?.failureStreak !== 0) continue;
      this.#current = at;
      return;
    }
  }
}
