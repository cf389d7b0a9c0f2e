import type { Clock } from "@pipit/protocol";
import { EventQueue } from "./event-queue.ts";
import { endOfTurn, turnOver } from "./real-turn.ts";

/** How much virtual time {@link VirtualClock.runUntil} gives a promise unless told: ten minutes. */
const defaultWithinMs = 600_000;

/** Options of {@link VirtualClock.runUntil}. */
export interface RunUntilOptions {
  /** Gives up after this much virtual time. Default 600,000: more than any default of Pipit waits. */
  readonly withinMs?: number | undefined;
}

/**
 * A {@link Clock} whose time moves only when told. Work that is due at the present moment (`turn`, `after(0)`, `soon`) runs by
 * itself; what lies in the future waits until `advance`, `run` or `runUntil` brings it about. Each event gets one full
 * turn of the real event loop, so all promises settle before the next event, and no real time is waited for.
 */
export interface VirtualClock extends Clock {
  /** Calls `fn` at the present moment, in a turn of its own. */
  turn(fn: () => void): void;
  /** Calls `fn` at exactly that moment of virtual time, or now if it is over; calls for one moment keep their order. */
  at(atMs: number, fn: () => void): void;
  /** Moves time on by `ms` and lets everything happen that falls due, then settle. */
  advance(ms: number): Promise<void>;
  /**
   * Runs events in order until the moment `untilMs` (and stands there), or without one until only background timers are
   * left. With an endless periodic timer in the foreground, give a moment.
   */
  run(untilMs?: number): Promise<void>;
  /**
   * Runs events until `promise` settles, and gives its result. Rejects when nothing is left that could settle it, or when
   * it is still pending after `withinMs`.
   */
  runUntil<T>(promise: PromiseLike<T>, options?: RunUntilOptions): Promise<T>;
  /** Timers and turns that wait, background ones included. */
  readonly waitingCount: number;
}

interface Event {
  readonly fn: () => void;
  readonly background: boolean;
  waiting: boolean;
}

/** Who drives the clock at the moment, and how far. */
interface Driver {
  readonly untilMs: number;
  /** Asked before each event. */
  readonly isDone: () => boolean;
  /** Called when nothing is left to do up to `untilMs`, or `isDone` said so. */
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

/** Creates a {@link VirtualClock} that stands at `startMs` (default 0). */
export function virtualClock(startMs = 0): VirtualClock {
  const queue = new EventQueue<Event>();
  let nowMs = startMs;
  let foregroundCount = 0;
  let driver: Driver | undefined;
  let running = false;

  function schedule(atMs: number, fn: () => void, background: boolean): () => void {
    if (Number.isNaN(atMs)) throw new RangeError("Timer: expected a number of milliseconds, got NaN");
    if (atMs === Number.POSITIVE_INFINITY) return () => undefined;
    const event: Event = { fn, background, waiting: true };
    const remove = queue.push(Math.max(nowMs, atMs), event);
    if (!background) foregroundCount++;
    if (atMs <= nowMs) start();
    return () => {
      if (!event.waiting) return;
      leave(event);
      remove();
    };
  }

  function leave(event: Event): void {
    event.waiting = false;
    if (!event.background) foregroundCount--;
  }

  function start(): void {
    if (running) return;
    running = true;
    void loop();
  }

  async function loop(): Promise<void> {
    for (;;) {
      await turnOver();
      if (driver?.isDone() === true) settle(driver);
      const nextAtMs = queue.nextAtMs;
      if (nextAtMs === undefined || nextAtMs > (driver?.untilMs ?? nowMs)) {
        if (driver === undefined) {
          running = false;
          return;
        }
        settle(driver);
        continue;
      }
      step();
    }
  }

  function settle(done: Driver): void {
    driver = undefined;
    done.finish();
  }

  function step(): void {
    const next = queue.shift();
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.atMs);
    leave(next.value);
    try {
      next.value.fn();
    } catch (error) {
      const failed = driver;
      if (failed === undefined) {
        running = false;
        throw error;
      }
      driver = undefined;
      failed.fail(error);
    }
  }

  function drive<T>(untilMs: number, isDone: () => boolean, result: () => T | PromiseLike<T>): Promise<T> {
    if (driver !== undefined) return Promise.reject(new Error("The virtual clock is already being run"));
    return new Promise<T>((resolve, reject) => {
      const finish = (): void => {
        try {
          resolve(result());
        } catch (error) {
          reject(error);
        }
      };
      driver = { untilMs, isDone, finish, fail: reject };
      start();
    });
  }

  function runTo(untilMs: number): Promise<void> {
    if (!(untilMs >= nowMs && untilMs < Number.POSITIVE_INFINITY)) {
      return Promise.reject(new RangeError(`Virtual time: cannot go from ${nowMs} ms to ${untilMs} ms`));
    }
    return drive(untilMs, never, () => {
      nowMs = untilMs;
    });
  }

  return {
    now: () => nowMs,
    after: (delayMs, fn, options) => schedule(nowMs + delayMs, fn, options?.background === true),
    soon: endOfTurn,
    turn(fn) {
      schedule(nowMs, fn, false);
    },
    at(atMs, fn) {
      schedule(atMs, fn, false);
    },
    advance: (ms) => runTo(nowMs + ms),
    run(untilMs) {
      if (untilMs !== undefined) return runTo(untilMs);
      return drive(
        Number.POSITIVE_INFINITY,
        () => foregroundCount === 0,
        () => undefined,
      );
    },
    runUntil<T>(promise: PromiseLike<T>, options: RunUntilOptions = {}): Promise<T> {
      const withinMs = options.withinMs ?? defaultWithinMs;
      let settled = false;
      const mark = (): void => {
        settled = true;
      };
      promise.then(mark, mark);
      return drive<T>(
        nowMs + withinMs,
        () => settled,
        () => {
          if (settled) return promise;
          throw new Error(stillPending(nowMs, queue.size, withinMs));
        },
      );
    },
    get waitingCount() {
      return queue.size;
    },
  };
}

function stillPending(nowMs: number, waitingCount: number, withinMs: number): string {
  return waitingCount === 0
    ? `The promise is still pending at ${nowMs} ms of virtual time, and nothing is left to happen`
    : `The promise is still pending after ${withinMs} ms of virtual time`;
}

function never(): boolean {
  return false;
}
