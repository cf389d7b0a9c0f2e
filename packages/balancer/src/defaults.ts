/** The one clock and the one source of chance of this package, for users who bring none. Nothing else touches the world. */
declare const performance: { now(): number };

/** Milliseconds since the process began, monotonic. */
export function defaultNow(): number {
  return performance.now();
}

/** 32 random bits, as a signed word. */
export function defaultSeed(): number {
  return (Math.random() * 0x1_0000_0000) | 0;
}
