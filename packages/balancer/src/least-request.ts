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
    { isSticky: false, isTimed: false, createSelector: () => new TwoChoicesSelector<E>(isBetter) },
    options,
  );
}

function isBetter<E extends Endpoint>(one: Slot<E>, other: Slot<E>): boolean {
  return (one.inFlight + 1) * other.weight < (other.inFlight + 1) * one.weight;
}
