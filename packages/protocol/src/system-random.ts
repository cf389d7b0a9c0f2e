import { randomFillSync } from "node:crypto";
import type { Random } from "./random.ts";

/** Draws of 32 bits taken from the system at once: one call costs as much as a hundred draws. */
const poolWords = 256;

/** Cryptographic randomness of the system. */
export const systemRandom: Random = createSystemRandom();

function createSystemRandom(): Random {
  let pool: Uint32Array | undefined;
  let next = poolWords;
  return {
    u32() {
      if (next === poolWords) {
        pool = randomFillSync(pool ?? new Uint32Array(poolWords));
        next = 0;
      }
      return pool?.[next++] ?? 0;
    },
    bytes: (count) => randomFillSync(new Uint8Array(count)),
  };
}
