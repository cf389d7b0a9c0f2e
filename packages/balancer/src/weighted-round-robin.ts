import type { Endpoint } from "./contract.ts";
import { type ReportedWeightOptions, reportedWeight } from "./load.ts";
import { type Filled, filled } from "./options.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { Schedule, wholeWeights } from "./schedule.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** A client begins at most this far into the cycle: enough that many that start together do not march in step. */
const longestHeadStart = 1_024;

/** Reported weights are kept to hundredths of their mean, and between a tenth and ten times it, as A58's scheduler does. */
const reportedSteps = 100;
const leastReported = 10;
const mostReported = 1_000;

/** Options of {@link weightedRoundRobin}. */
export interface WeightedRoundRobinOptions<E extends Endpoint = Endpoint> extends BalancerOptions<E> {
  /**
   * Weights by what the servers report of their load (`Outcome.load`), after gRPC's proposal A58: `true` or options. An
   * endpoint without a usable report counts as the mean; with fewer than two reports the endpoints' own weights hold.
   * Default: the endpoints' own.
   */
  readonly reported?: true | ReportedWeightOptions | undefined;
}

/**
 * Endpoints in turn, each as often as its weight says and as evenly spread as can be: weights 5, 1, 1 give a a b a c a a.
 * Exact over each cycle of Σw picks, and within one pick of the exact share at every moment.
 */
export function weightedRoundRobin<E extends Endpoint = Endpoint>(
  options: WeightedRoundRobinOptions<E> = {},
): PolicyBalancer<E> {
  const { reported } = options;
  const law = reported === undefined ? undefined : reportedLaw(reported === true ? {} : reported);
  const createSelector = () => new WeightedRoundRobinSelector<E>(law);
  return createBalancer({ isSticky: false, isTimed: law !== undefined, createSelector }, options);
}

class WeightedRoundRobinSelector<E extends Endpoint> implements Selector<E> {
  readonly #reported: Filled<ReportedWeightOptions> | undefined;
  #slots: readonly Slot<E>[] = [];
  #weights: readonly number[] = [];
  #schedule = new Schedule([1]);
  #isStarted = false;
  #reweighAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(reported: Filled<ReportedWeightOptions> | undefined) {
    this.#reported = reported;
  }

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
    this.#reweighAtMs = Number.NEGATIVE_INFINITY;
    this.#use(slots.map((slot) => slot.weight));
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    if (this.#reported !== undefined && ask.pool.nowMs >= this.#reweighAtMs) {
      this.#reweigh(ask.pool.nowMs, this.#reported);
    }
    if (!this.#isStarted) this.#start(ask);
    for (let turn = 0; turn < slots.length; turn += 1) {
      const slot = slots[this.#schedule.next()];
      if (slot !== undefined && (ask.open || ask.admits(slot))) return slot;
    }
    // A heavy endpoint that is not admitted can fill that many turns.
    return scan(slots, 0, ask);
  }

  #reweigh(nowMs: number, law: Filled<ReportedWeightOptions>): void {
    this.#reweighAtMs = nowMs + law.periodMs;
    const weights = this.#slots.map((slot) => reportedWeight(slot, nowMs, law));
    const known = weights.filter((weight) => weight > 0);
    const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
    const steps = (weight: number) =>
      Math.min(mostReported, Math.max(leastReported, Math.round((weight / mean) * reportedSteps)));
    const next =
      known.length < 2
        ? this.#slots.map((slot) => slot.weight)
        : weights.map((weight) => (weight > 0 ? steps(weight) : reportedSteps));
    if (next.some((weight, index) => weight !== this.#weights[index])) this.#use(next);
  }

  #use(weights: readonly number[]): void {
    this.#weights = weights;
    this.#schedule = new Schedule(wholeWeights(weights));
    this.#isStarted = false;
  }

  #start(ask: Ask<E>): void {
    this.#isStarted = true;
    const headStart = ask.dice.below(Math.min(this.#schedule.length, longestHeadStart));
    for (let turn = 0; turn < headStart; turn += 1) this.#schedule.next();
  }
}

function reportedLaw(options: ReportedWeightOptions): Filled<ReportedWeightOptions> {
  const law = filled(options, { blackoutMs: 10_000, expiryMs: 180_000, periodMs: 1_000, errorPenalty: 1 });
  for (const [name, value] of Object.entries(law)) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new RangeError(`Cannot create a balancer: reported.${name} is ${value}, expected a finite number ≥ 0`);
  }
  return { ...law, periodMs: Math.max(100, law.periodMs) };
}
