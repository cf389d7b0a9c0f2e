import type { Endpoint } from "./contract.ts";
import { HashRing, pointsPerWeightOf } from "./hash-ring.ts";
import type { RingHashOptions } from "./ring-hash.ts";
import { createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Ask, Selector } from "./selector.ts";
import type { LoadSum, Slot } from "./slot.ts";

/** Google's and HAProxy's usual choice: a quarter above the mean. */
const defaultFactor = 1.25;

/** Options of {@link boundedLoad}. */
export interface BoundedLoadOptions<E extends Endpoint = Endpoint> extends RingHashOptions<E> {
  /**
   * No endpoint holds more than this times the mean of calls in flight, rounded up. Default 1.25, above 1. Lower is more
   * even, and sends more calls away from their key's endpoint.
   */
  readonly factor?: number | undefined;
}

/**
 * The same key to the same endpoint while that has room, else to the next on the ring: ring hashing for keys of which a
 * few are very busy (V. Mirrokni, M. Thorup, M. Zadimoghaddam 2016). Calls in flight are this client's own.
 */
export function boundedLoad<E extends Endpoint = Endpoint>(options: BoundedLoadOptions<E> = {}): PolicyBalancer<E> {
  const { factor = defaultFactor } = options;
  const pointsPerWeight = pointsPerWeightOf(options.pointsPerWeight);
  if (!(Number.isFinite(factor) && factor > 1)) {
    throw new RangeError(`Cannot create a balancer: factor is ${factor}, expected a finite number above 1`);
  }
  return createBalancer(
    {
      isSticky: true,
      isTimed: false,
      createSelector: () => new BoundedLoadSelector<E>(new HashRing(pointsPerWeight), factor),
    },
    options,
  );
}

class BoundedLoadSelector<E extends Endpoint> implements Selector<E> {
  readonly #ring: HashRing<E>;
  readonly #factor: number;
  /** Calls in flight over the slots of the best level; replaced whenever those change. */
  #sum: LoadSum = { inFlight: 0 };
  #slots: readonly Slot<E>[] = [];
  #counted: readonly Slot<E>[] = [];
  #weight = 0;

  constructor(ring: HashRing<E>, factor: number) {
    this.#ring = ring;
    this.#factor = factor;
  }

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots;
    this.#ring.rebuild(slots);
  }

  relevel(): void {
    const before = this.#sum;
    for (const slot of this.#counted) slot.sums = slot.sums.filter((sum) => sum !== before);
    const best = this.#slots.reduce((level, slot) => Math.min(level, slot.level), Number.POSITIVE_INFINITY);
    this.#counted = this.#slots.filter((slot) => slot.level === best && slot.weight > 0);
    this.#weight = this.#counted.reduce((sum, slot) => sum + slot.weight, 0);
    const sum = { inFlight: this.#counted.reduce((total, slot) => total + slot.inFlight, 0) };
    this.#sum = sum;
    for (const slot of this.#counted) slot.sums = [...slot.sums, sum];
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const ring = this.#ring;
    const perWeight = (this.#factor * (this.#sum.inFlight + 1)) / this.#weight;
    let full: Slot<E> | undefined;
    let at = ring.firstFrom(ask.keyHigh);
    for (let step = 0; step < ring.length; step += 1) {
      const slot = ring.slotAt(at);
      if (slot !== undefined && slot !== full && ask.admits(slot)) {
        if (slot.inFlight < Math.ceil(perWeight * slot.weight)) return slot;
        full ??= slot;
      }
      at = at + 1 === ring.length ? 0 : at + 1;
    }
    // Some endpoint always has room; but the request may have excluded it.
    return full;
  }
}
