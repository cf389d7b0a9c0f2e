import type { Random } from "./contract.ts";

/** The one clock and the one dice of this package, for users who bring none. Nothing else here touches the world. */
declare const performance: { now(): number };

const twoTo32 = 0x1_0000_0000;

/** Milliseconds since the process began, monotonic. */
export function defaultNow(): number {
  return performance.now();
}

/** The platform's generator: fast, and not for secrets. */
export const defaultRandom: Random = { u32: () => (Math.random() * twoTo32) >>> 0 };
