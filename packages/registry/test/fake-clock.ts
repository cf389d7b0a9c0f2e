import type { Clock } from "../src/clock.ts";

/** A clock that stands still until told otherwise. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`, running what comes due on the way, each with a full turn of the event loop after it. */
  advance(ms: number): Promise<void>;
  /** When timers are due, soonest first. */
  due(): number[];
}

/** A clock that starts at 0. */
export function fakeClock(): FakeClock {
  let nowMs = 0;
  let timers: { atMs: number; fn: () => void }[] = [];
  return {
    now: () => nowMs,
    after(ms, fn) {
      const timer = { atMs: nowMs + ms, fn };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    soon: queueMicrotask,
    due: () => timers.map(({ atMs }) => atMs).sort((a, b) => a - b),
    async advance(ms) {
      const endMs = nowMs + ms;
      await settled();
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.atMs - b.atMs);
        if (next === undefined || next.atMs > endMs) break;
        timers = timers.filter((other) => other !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.fn();
        await settled();
      }
      nowMs = endMs;
    },
  };
}

/** One full turn of the event loop: promises that can settle have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
