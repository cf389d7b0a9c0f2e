import type { Endpoint } from "./contract.ts";
import { Hasher, mixed } from "./hash.ts";
import { negativeLog } from "./logarithm.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import type { Ask, Selector } from "./selector.ts";
import type { Slot } from "./slot.ts";

/**
 * The same key to the same endpoint, by the highest score of key and endpoint (D. G. Thaler and C. V. Ravishankar 1996).
 * Moves no key but those of the endpoint that came or went, is as even as chance allows, and needs no table; but each pick
 * looks at all endpoints: for up to a hundred or so.
 */
export function rendezvous<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer({ isSticky: true, isTimed: false, createSelector: () => new RendezvousSelector<E>() }, options);
}

class RendezvousSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);
  #isEven = true;

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots.filter((slot) => slot.weight > 0).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#isEven = this.#slots.every((slot) => slot.weight === this.#slots[0]?.weight);
    this.#high = new Uint32Array(this.#slots.length);
    this.#low = new Uint32Array(this.#slots.length);
    const hasher = new Hasher();
    for (const [index, slot] of this.#slots.entries()) {
      hasher.hash(slot.key);
      this.#high[index] = hasher.high;
      this.#low[index] = hasher.low;
    }
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const slots = this.#slots;
    let best: Slot<E> | undefined;
    let bestScore = -1;
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index];
      if (slot === undefined) break;
      const draw = mixed(ask.keyHigh, ask.keyLow, this.#high[index] ?? 0, this.#low[index] ?? 0);
      const score = this.#isEven ? draw : slot.weight / negativeLog(draw);
      if (score <= bestScore || !ask.admits(slot)) continue;
      best = slot;
      bestScore = score;
    }
    return best;
  }
}
