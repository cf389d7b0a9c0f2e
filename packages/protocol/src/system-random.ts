import type { Random } from "./random.ts";

/** Draws of 32 bits taken from the system at once: one call costs as much as a hundred draws. */
const poolWords = 256;

/** Cryptographic randomness of the system: the global of the Web, since `node:crypto` takes longer to load. */
export const systemRandom: Random = createSystemRandom();

function createSystemRandom(): Random {
  const pool = new Uint32Array(poolWords);
  let next = poolWords;
  return {
    u32() {
      if (next === poolWords) {
        crypto.getRandomValues(pool);
        next = 0;
      }
      return pool[next++] as number;
    },
    bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  };
}
