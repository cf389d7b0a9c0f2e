/** Random numbers that come in the same order for the same seed. */
export interface SeededRandom {
  /** At least 0, less than 1. */
  uniform(): number;
  /** Mean 0, standard deviation 1. */
  normal(): number;
}

/** Mulberry32 (Tommy Ettinger, 2017): 32 bits of state, good enough to draw a chart with. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  function uniform(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    uniform,
    // The sum of twelve uniform numbers has variance 1 and is near enough to normal.
    normal: () => Array.from({ length: 12 }, uniform).reduce((sum, one) => sum + one, -6),
  };
}
