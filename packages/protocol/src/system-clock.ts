import type { Clock, TimerOptions } from "./clock.ts";

/** Longest delay of one timer, in milliseconds: Node runs a longer one at once. */
const maxTimerMs = 0x7fff_ffff;

/**
 * The process's own monotonic clock and timers. `after(0)` comes behind one look at the sockets when it is asked for by a
 * timer: a timer of Node's own may run again before they are read.
 */
export const systemClock: Clock = {
  now() {
    // Not `performance`, whose first use loads a dozen modules of Node: 0.8 ms and 0.9 MiB of a first call.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1_000_000;
  },
  after(delayMs, fn, options) {
    if (delayMs <= 0) {
      // It keeps the process for one turn even when it is to be in the background: Bun forgets immediates that do not.
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    if (delayMs > maxTimerMs) return afterMany(delayMs, fn, options);
    const timer = setTimeout(fn, delayMs);
    if (options?.background === true) timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (fn) => process.nextTick(fn),
};

/** One timer after the other. */
function afterMany(delayMs: number, fn: () => void, options: TimerOptions | undefined): () => void {
  let cancel = (): void => {};
  const rest = (): void => {
    cancel = systemClock.after(delayMs - maxTimerMs, fn, options);
  };
  cancel = systemClock.after(maxTimerMs, rest, options);
  return () => cancel();
}
