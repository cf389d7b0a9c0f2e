import type { Endpoint } from "./contract.ts";
import { Hasher } from "./hash.ts";
import type { Slot } from "./slot.ts";

const defaultPointsPerWeight = 160;

/** More points on a ring than this (8 MiB of numbers) are thinned out by halves, all endpoints alike. */
const mostPoints = 1_048_576;

/** Room for the number of an endpoint beside a point's 32 bits, in the 53 of a number. */
const entries = 0x10_0000;

/** A position's bucket: its topmost bits, of which an index leads near the right point. */
const bucketBits = 16;

/** The option or its default. @throws RangeError for a value out of range. */
export function pointsPerWeightOf(given: number = defaultPointsPerWeight): number {
  if (Number.isFinite(given) && given > 0) return given;
  throw new RangeError(`Cannot create a balancer: pointsPerWeight is ${given}, expected a finite number above 0`);
}

/** Points on a circle of 2³² places, each an endpoint's; a key belongs to the first point at or after its place. */
export class HashRing<E extends Endpoint> {
  readonly #pointsPerWeight: number;
  readonly #hasher = new Hasher();
  #slots: readonly Slot<E>[] = [];
  /** Where each point is, and whose: in order of place. */
  #places = new Uint32Array(0);
  #owners = new Uint32Array(0);
  /** The first point of each bucket of places. */
  #index = new Uint32Array((1 << bucketBits) + 1);

  /** `pointsPerWeight` as {@link pointsPerWeightOf} gives it. */
  constructor(pointsPerWeight: number) {
    this.#pointsPerWeight = pointsPerWeight;
  }

  /** How many points there are. */
  get length(): number {
    return this.#places.length;
  }

  /** The slot that owns point number `at`. */
  slotAt(at: number): Slot<E> | undefined {
    return this.#slots[this.#owners[at] ?? 0];
  }

  /** Builds the ring, the same for any order of the slots. */
  rebuild(slots: readonly Slot<E>[]): void {
    this.#slots = slots.filter((slot) => slot.weight > 0).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const counts = this.#counts();
    // Each point's place and, below it, its slot's number: sorted as numbers, and by slot where places are equal.
    const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
    let length = 0;
    for (const [owner, count] of counts.entries()) {
      const key = this.#slots[owner]?.key ?? "";
      this.#hasher.load(key);
      for (let point = 0; point < count; point += 1) {
        this.#hasher.digest(point);
        points[length++] = (this.#hasher.high >>> 0) * entries + owner;
      }
    }
    points.sort();
    this.#places = new Uint32Array(length);
    this.#owners = new Uint32Array(length);
    for (let at = 0; at < length; at += 1) {
      const point = points[at] as number;
      const place = Math.floor(point / entries);
      this.#places[at] = place;
      this.#owners[at] = point - place * entries;
    }
    this.#buildIndex();
  }

  /** The number of the first point at or after a place, given as a signed word. */
  firstFrom(signed: number): number {
    const place = signed >>> 0;
    const places = this.#places;
    const bucket = place >>> (32 - bucketBits);
    let low = this.#index[bucket] ?? 0;
    let high = this.#index[bucket + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((places[middle] ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return low === places.length ? 0 : low;
  }

  #counts(): number[] {
    const wanted = this.#slots.map((slot) => slot.weight * this.#pointsPerWeight);
    let thinning = 1;
    while (wanted.reduce((sum, points) => sum + points, 0) / thinning > mostPoints) thinning *= 2;
    return wanted.map((points) => Math.max(1, Math.round(points / thinning)));
  }

  #buildIndex(): void {
    let at = 0;
    for (let bucket = 0; bucket <= 1 << bucketBits; bucket += 1) {
      while (at < this.#places.length && (this.#places[at] ?? 0) >>> (32 - bucketBits) < bucket) at += 1;
      this.#index[bucket] = at;
    }
  }
}
