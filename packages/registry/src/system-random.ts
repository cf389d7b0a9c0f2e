import type { GossipRandom } from "./gossip/types.ts";

/** Words drawn from the kernel at a time: shuffles ask often. */
const poolWords = 256;

/** The process's own randomness, unpredictable: the default wherever randomness comes in. */
export function systemRandom(): GossipRandom {
  const pool = new Uint32Array(poolWords);
  let used = poolWords;
  return {
    u32() {
      if (used === poolWords) {
        crypto.getRandomValues(pool);
        used = 0;
      }
      used += 1;
      return pool[used - 1] as number;
    },
    bytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
  };
}
