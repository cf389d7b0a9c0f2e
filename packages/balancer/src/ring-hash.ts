import type { Endpoint } from "./contract.ts";
import { HashRing, pointsPerWeightOf } from "./hash-ring.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Ask, Selector } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** Options of {@link ringHash}. */
export interface RingHashOptions<E extends Endpoint = Endpoint> extends BalancerOptions<E> {
  /**
   * Points on the ring for each unit of weight. Default 160: the busiest of 100 endpoints then has some 1.2 times the mean.
   * More are more even, and cost memory and building time.
   */
  readonly pointsPerWeight?: number | undefined;
}

/**
 * The same key to the same endpoint, by points on a ring: when an endpoint comes or goes, only its own keys move. Weights
 * as they are, so that nothing else changes when one endpoint's does.
 */
export function ringHash<E extends Endpoint = Endpoint>(options: RingHashOptions<E> = {}): PolicyBalancer<E> {
  const pointsPerWeight = pointsPerWeightOf(options.pointsPerWeight);
  return createBalancer(
    { isSticky: true, isTimed: false, createSelector: () => new RingHashSelector<E>(new HashRing(pointsPerWeight)) },
    options,
  );
}

class RingHashSelector<E extends Endpoint> implements Selector<E> {
  readonly #ring: HashRing<E>;

  constructor(ring: HashRing<E>) {
    this.#ring = ring;
  }

  rebuild(slots: readonly Slot<E>[]): void {
    this.#ring.rebuild(slots);
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const ring = this.#ring;
    let at = ring.firstFrom(ask.keyHigh);
    for (let step = 0; step < ring.length; step += 1) {
      const slot = ring.slotAt(at);
      if (slot !== undefined && ask.admits(slot)) return slot;
      at = at + 1 === ring.length ? 0 : at + 1;
    }
    return undefined;
  }
}
