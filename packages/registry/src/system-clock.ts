import type { Clock } from "./clock.ts";

/**
 * The process's own clock: the default wherever a {@link Clock} is optional.
 *
 * `now()` counts milliseconds since the Unix epoch as of process start, and then monotonically, so a step of the
 * wall clock never moves a deadline. Its timers do not keep the process alive.
 */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (fn) => process.nextTick(fn),
};

/** Runs `fn` once the event loop has read its sockets: after the poll phase of this turn. */
export function afterReads(fn: () => void): void {
  setImmediate(fn);
}
