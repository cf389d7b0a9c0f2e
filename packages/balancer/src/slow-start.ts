import type { Filled } from "./options.ts";

/** Lets an endpoint that is new, restarted, or back from an ejection warm up. */
export interface SlowStartOptions {
  /** After this many milliseconds it takes its full share. Default 30,000. */
  readonly windowMs?: number | undefined;
  /** The share of its share that it takes at first, 0 to 1. Default 0.1. */
  readonly least?: number | undefined;
}

/** {@link SlowStartOptions} with every default filled in. */
export type SlowStartLaw = Filled<SlowStartOptions>;

/** Fills in the defaults. @throws RangeError for values out of range. */
export function slowStartLaw({ windowMs = 30_000, least = 0.1 }: SlowStartOptions): SlowStartLaw {
  if (!(Number.isFinite(windowMs) && windowMs > 0)) {
    throw new RangeError(
      `Cannot create a balancer: slowStart.windowMs is ${windowMs}, expected a finite number above 0`,
    );
  }
  if (!(least >= 0 && least <= 1)) {
    throw new RangeError(`Cannot create a balancer: slowStart.least is ${least}, expected 0 to 1`);
  }
  return { windowMs, least };
}

/** The share of its share that an endpoint takes `ageMs` after it started: it grows in a straight line. */
export function slowStartFactor(ageMs: number, { windowMs, least }: SlowStartLaw): number {
  return Math.min(1, Math.max(least, ageMs / windowMs));
}
