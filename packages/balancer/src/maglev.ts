import type { Endpoint } from "./contract.ts";
import { Hasher } from "./hash.ts";
import { type BalancerOptions, createBalancer, type PolicyBalancer } from "./policy-balancer.ts";
import { type Ask, type Selector, scan } from "./selector.ts";
import type { Slot } from "./slot.ts";

/** The paper's small table: a prime, so that every skip visits every entry. */
const tableSize = 65_537;

/** Entries passed over before the list itself is looked at: reached only when hardly any endpoint may be picked. */
const longestWalk = 4_096;

const emptyEntry = 0xffff_ffff;

/**
 * The same key to the same endpoint, by a table of 65,537 entries that gives each endpoint its share to within one entry
 * (D. E. Eisenbud et al., "Maglev", 2016). The most even of the hashing policies and the fastest to pick, but an endpoint
 * that comes or goes moves some keys of others: a percent or less. Weights are heeded. Up to 65,537 endpoints.
 */
export function maglev<E extends Endpoint = Endpoint>(options?: BalancerOptions<E>): PolicyBalancer<E> {
  return createBalancer({ isSticky: true, isTimed: false, createSelector: () => new MaglevSelector<E>() }, options);
}

class MaglevSelector<E extends Endpoint> implements Selector<E> {
  #slots: readonly Slot<E>[] = [];
  #table: Uint32Array = new Uint32Array(0);

  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots
      .filter((slot) => slot.weight > 0)
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .slice(0, tableSize);
    this.#table = maglevTable(
      this.#slots.map((slot) => slot.key),
      this.#slots.map((slot) => slot.weight),
    );
  }

  select(ask: Ask<E>): Slot<E> | undefined {
    const table = this.#table;
    if (table.length === 0) return undefined;
    let at = (ask.keyLow >>> 0) % tableSize;
    for (let step = 0; step < longestWalk; step += 1) {
      const slot = this.#slots[table[at] ?? 0];
      if (slot !== undefined && ask.admits(slot)) return slot;
      at = at + 1 === tableSize ? 0 : at + 1;
    }
    return scan(this.#slots, at % this.#slots.length, ask);
  }
}

/**
 * The table: which of `keys` has each entry. In rounds, each takes the next free entry of its own permutation, as often as
 * its weight says. `keys` are sorted, so that every client builds the same; empty for none.
 */
export function maglevTable(keys: readonly string[], weights: readonly number[]): Uint32Array {
  if (keys.length === 0) return new Uint32Array(0);
  const table = new Uint32Array(tableSize).fill(emptyEntry);
  const hasher = new Hasher();
  const at = new Uint32Array(keys.length);
  const skips = new Uint32Array(keys.length);
  for (const [index, key] of keys.entries()) {
    hasher.hash(key);
    at[index] = (hasher.low >>> 0) % tableSize;
    skips[index] = ((hasher.high >>> 0) % (tableSize - 1)) + 1;
  }
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const turns = Float64Array.from(weights, (weight) => weight / heaviest);
  const owed = new Float64Array(keys.length);
  let taken = 0;
  for (;;) {
    for (let index = 0; index < keys.length; index += 1) {
      owed[index] = (owed[index] ?? 0) + (turns[index] ?? 0);
      if ((owed[index] ?? 0) < 1) continue;
      owed[index] = (owed[index] ?? 0) - 1;
      let entry = at[index] ?? 0;
      const skip = skips[index] ?? 1;
      while (table[entry] !== emptyEntry) entry = (entry + skip) % tableSize;
      table[entry] = index;
      at[index] = entry;
      taken += 1;
      if (taken === tableSize) return table;
    }
  }
}
