import type { Random } from "@pipit/protocol";

/** Draws thrown away at the start, so that near seeds give unlike sequences; the number the generator's author uses. */
const warmUpDraws = 12;

/**
 * A replayable {@link Random}: sfc32 of Chris Doty-Humphrey's PractRand, a chaotic 128-bit generator with a counter
 * (period at least 2^32, on average 2^127). The same seed gives the same draws on every machine and Node version. Not for keys.
 *
 * @param seed Any whole number within ±(2^53 − 1); all its bits count.
 * @throws RangeError when the seed is not such a number.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`Seed: expected a safe integer, got ${seed}`);
  let a = 0;
  let b = Math.floor(seed / 0x1_0000_0000) | 0;
  let c = seed | 0;
  let counter = 1;

  function u32(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }

  for (let i = 0; i < warmUpDraws; i++) u32();
  return {
    u32,
    bytes(count) {
      const out = new Uint8Array(count);
      for (let i = 0; i < count; i += 4) {
        const word = u32();
        for (let j = i; j < Math.min(i + 4, count); j++) out[j] = word >>> (8 * (j - i));
      }
      return out;
    },
  };
}

/** A whole number, uniform in `low` … `high`, both included, from one draw. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor((random.u32() / 0x1_0000_0000) * (high - low + 1));
}
