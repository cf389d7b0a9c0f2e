import type { Clock } from "./clock.ts";

/** The process's own monotonic clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, fn, options) {
    const timer = setTimeout(fn, delayMs);
    if (options?.background === true) timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (fn) => process.nextTick(fn),
};
