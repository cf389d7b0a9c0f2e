import type { Endpoint } from "./contract.ts";
import { Hasher } from "./hash.ts";
import type { Slot } from "./slot.ts";

/** Uses some of the endpoints only, so that many clients × many servers do not become that many connections. */
export interface SubsetOptions {
  /**
   * How many endpoints this client uses. Default 20. With few, some servers get no client at all: of 100 servers, 5 each
   * leave the busiest with twice the mean; 20 each keep it within a quarter.
   */
  readonly size?: number | undefined;
  /** Which ones. Different for each client, the same over its life: 0 to 2³² − 1. Default: random. */
  readonly seed?: number | undefined;
}

/** Default size of a subset. */
export const defaultSubsetSize = 20;

/**
 * The `size` slots that rank highest by the hash of endpoint and seed (gRPC's proposal A68): a server that comes or goes
 * changes at most one entry. In order of rank.
 */
export function subsetOf<E extends Endpoint>(slots: readonly Slot<E>[], size: number, seed: number): Slot<E>[] {
  const hasher = new Hasher();
  const ranked = slots.map((slot) => {
    hasher.hash(slot.key, seed);
    return { slot, rank: hasher.high >>> 0 };
  });
  ranked.sort((a, b) => b.rank - a.rank || (a.slot.key < b.slot.key ? -1 : 1));
  return ranked.slice(0, size).map(({ slot }) => slot);
}

/** @throws RangeError for a size that is no whole number ≥ 1, or a seed that is not 32 bits. */
export function assertSubset({ size = defaultSubsetSize, seed = 0 }: SubsetOptions): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`Cannot create a balancer: subset.size is ${size}, expected a whole number ≥ 1`);
  }
  if (seed !== seed >>> 0) {
    throw new RangeError(`Cannot create a balancer: subset.seed is ${seed}, expected a whole number of 32 bits`);
  }
}
