import type { Dice } from "./dice.ts";

/**
 * Draws numbers by weight in constant time: A. J. Walker's alias method, built as M. D. Vose does. Each column holds its
 * own number up to a threshold and one other number above it.
 */
export class AliasTable {
  readonly #thresholds: Float64Array;
  readonly #aliases: Uint32Array;

  /** `weights` are above 0. */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    this.#thresholds = new Float64Array(count).fill(1);
    this.#aliases = new Uint32Array(count);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const scaled = weights.map((weight) => (weight * count) / total);
    const small = scaled.flatMap((value, index) => (value < 1 ? [index] : []));
    const large = scaled.flatMap((value, index) => (value < 1 ? [] : [index]));
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() ?? 0;
      const more = large.pop() ?? 0;
      this.#thresholds[less] = scaled[less] ?? 1;
      this.#aliases[less] = more;
      const left = (scaled[more] ?? 1) - (1 - (scaled[less] ?? 1));
      scaled[more] = left;
      (left < 1 ? small : large).push(more);
    }
  }

  /** A number from 0, as often as its weight says. */
  draw(dice: Dice): number {
    const column = dice.below(this.#thresholds.length);
    return dice.chance(this.#thresholds[column] as number) ? column : (this.#aliases[column] as number);
  }
}
