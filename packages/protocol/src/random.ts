/**
 * Randomness as Pipit sees it: jitter, choices, ids, salts, keys and trace ids all come from here, so that a seed replays
 * a run. The default is {@link systemRandom}.
 */
export interface Random {
  /** A whole number, uniform in 0 … 2^32 − 1. */
  u32(): number;
  /** `count` fresh random bytes. The default gives cryptographic ones. */
  bytes(count: number): Uint8Array;
}

/** A number, uniform in [0, 1), from one draw. */
export function uniform(random: Random): number {
  return random.u32() / 0x1_0000_0000;
}
