import type { Endpoint } from "./contract.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Slot } from "./slot.ts";
import { TwoChoicesSelector } from "./two-choices.ts";

/**
 * Of two endpoints drawn at random, the one with fewer of this client's calls in flight for its weight. The more clients
 * share the load, the less each of them knows by its own calls: then prefer `peakEwma`.
 */
export function leastRequest<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer(
    { isSticky: false, isTimed: false, createSelector: () => new TwoChoicesSelector<E>(costOf) },
    options,
  );
}

function costOf<E extends Endpoint>(slot: Slot<E>): number {
  return (slot.inFlight + 1) / slot.weight;
}
