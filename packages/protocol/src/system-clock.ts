import type { Clock } from "./clock.ts";

/**
 * The process's own monotonic clock and timers. `after(0)` comes behind one look at the sockets when it is asked for by a
 * timer: a timer of Node's own may run again before they are read.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, fn, options) {
    if (delayMs <= 0) {
      // It keeps the process for one turn even when it is to be in the background: Bun forgets immediates that do not.
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fn, delayMs);
    if (options?.background === true) timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (fn) => process.nextTick(fn),
};
