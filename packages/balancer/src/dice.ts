import type { Random } from "./contract.ts";
import { defaultSeed } from "./defaults.ts";

const twoTo32 = 0x1_0000_0000;

/** 2³² ÷ φ: what the built-in generator counts by. */
const stride = 0x9e37_79b9;

/** Of dice that are given a generator. */
const noCounter = new Int32Array(0);

/**
 * Chance, as picks need it: small or signed whole numbers, which engines hand over without boxing as they must unsigned
 * words. From the generator given, or from one built in: a counter mixed by multiplications, fast and not for secrets.
 */
export class Dice {
  readonly #random: Random | undefined;
  /** In an array, because a variable of 32 bits is boxed each time it changes. */
  readonly #counter: Int32Array;

  constructor(random: Random | undefined) {
    this.#random = random;
    this.#counter = random === undefined ? Int32Array.of(defaultSeed()) : noCounter;
  }

  /** 32 random bits, as a signed word. */
  word(): number {
    if (this.#random !== undefined) return this.#random.u32() | 0;
    const count = ((this.#counter[0] as number) + stride) | 0;
    this.#counter[0] = count;
    // Constants found by C. Wellons' hash prospector.
    let mix = Math.imul(count ^ (count >>> 16), 0x21f0_aaad);
    mix = Math.imul(mix ^ (mix >>> 15), 0x735a_2d97);
    return mix ^ (mix >>> 15);
  }

  /** A whole number below `count`, uniform to one part in 2³² ÷ count. */
  below(count: number): number {
    return (((this.word() >>> 0) * count) / twoTo32) | 0;
  }

  /** True with this probability. */
  chance(share: number): boolean {
    return this.word() >>> 0 < share * twoTo32;
  }
}
