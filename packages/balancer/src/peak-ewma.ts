import type { Endpoint } from "./contract.ts";
import { loopDelayMs } from "./load.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Ask } from "./selector.ts";
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
    { isSticky: false, isTimed: true, createSelector: () => new TwoChoicesSelector<E>(costOf) },
    options,
  );
}

function costOf<E extends Endpoint>(slot: Slot<E>, { nowMs, pool }: Ask<E>): number {
  const { latency, load } = pool;
  // One call at a time to an endpoint of which nothing is known yet.
  const knownMs = slot.isTimed ? latency.estimateMs(slot, nowMs) : slot.inFlight > 0 ? untimedMs : 0;
  const waitMs = Math.max(knownMs, latency.penaltyLeftMs(slot, nowMs), loopDelayMs(slot, nowMs));
  return (waitMs * (slot.inFlight + 1) * load.crowding(slot, nowMs)) / slot.weight;
}
