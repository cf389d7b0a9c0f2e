import type { Endpoint } from "./contract.ts";
import { loopDelayMs } from "./load.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { PoolCore } from "./pool.ts";
import type { Slot } from "./slot.ts";
import { TwoChoicesSelector } from "./two-choices.ts";

/** What an endpoint that was never timed, and is busy with its first call, is held to: any other is better. */
const untimedMs = 5_000;

/**
 * Of two endpoints drawn at random, the one with the lower expected wait: its moving, peak-sensitive latency × the calls
 * in flight there + 1. Failures count as latency, and a cancelled attempt as at least the time it took. What servers report
 * adds to it: a late event loop counts as latency, and more calls in flight than is typical as up to four times the wait. The default of Pipit's client.
 */
export function peakEwma<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer(
    { isSticky: false, isTimed: true, createSelector: () => new TwoChoicesSelector<E>(isBetter) },
    options,
  );
}

function isBetter<E extends Endpoint>(one: Slot<E>, other: Slot<E>, pool: PoolCore<E>): boolean {
  const { costs } = pool;
  price(one, pool, 0);
  price(other, pool, 1);
  return (costs[0] as number) < (costs[1] as number);
}

/** Sets one of `pool.costs`. */
function price<E extends Endpoint>(slot: Slot<E>, pool: PoolCore<E>, at: number): void {
  const { costs } = pool;
  // One call at a time to an endpoint of which nothing is known yet.
  if (slot.isTimed) pool.latency.estimate(slot, pool, at);
  else costs[at] = slot.inFlight > 0 ? untimedMs : 0;
  if (slot.isPenalized || slot.isReporting) weighHealth(slot, pool, at);
  costs[at] = ((costs[at] as number) * (slot.inFlight + 1)) / slot.weight;
}

/** Raises what the call is thought to take by failures, and by what the server says of itself. */
function weighHealth<E extends Endpoint>(slot: Slot<E>, pool: PoolCore<E>, at: number): void {
  const { costs, latency, load, nowMs } = pool;
  const waitMs = Math.max(costs[at] as number, latency.penaltyLeftMs(slot, nowMs), loopDelayMs(slot, nowMs));
  costs[at] = waitMs * load.crowding(slot, nowMs);
}
