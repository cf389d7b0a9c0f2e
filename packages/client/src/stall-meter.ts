import type { Clock } from "@pipit/protocol";

/** How often it looks whether time stood still, in milliseconds. Ten readings of a timer in a tenth of a second cost nothing. */
const lookEveryMs = 10;
/** Timers this late are no news, in milliseconds: a turn of ordinary work, the timer's own rounding. */
const ordinaryMs = 5;

/**
 * How long this process stood still: a long computation, cold code, a machine that ran something else. A reply that lay
 * in the socket meanwhile looks late, and so does that of every other endpoint; peak EWMA would believe it for seconds,
 * and a slow endpoint would not stand out. So the time is measured, by how late a timer fires, and taken off.
 *
 * After a stall timers fire before sockets are read; what a stall inside one look at the sockets adds is told by the
 * timer that is overdue. It measures only while something is timed.
 */
export class StallMeter {
  readonly #clock: Clock;
  /** What is being timed. */
  #open = 0;
  #totalMs = 0;
  /** When the timer is to fire; Infinity while none is set. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something is timed from now on. Returns how long the process has stood still, as {@link end} does. */
  begin(nowMs: number): number {
    this.#open++;
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#setTimer(nowMs);
    return this.#sumMs(nowMs);
  }

  /** It ended. The difference to what {@link begin} returned is the stall in between, in whole milliseconds. */
  end(nowMs: number): number {
    this.#open--;
    return this.#sumMs(nowMs);
  }

  #sumMs(nowMs: number): number {
    return this.#totalMs + latenessMs(nowMs, this.#dueMs);
  }

  #setTimer(nowMs: number): void {
    this.#dueMs = nowMs + lookEveryMs;
    this.#clock.after(lookEveryMs, this.#look, { background: true });
  }

  readonly #look = (): void => {
    const nowMs = this.#clock.now();
    this.#totalMs = this.#sumMs(nowMs);
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#open > 0) this.#setTimer(nowMs);
  };
}

/** A whole number: engines keep those without boxing. */
function latenessMs(nowMs: number, dueMs: number): number {
  const lateMs = nowMs - dueMs;
  return lateMs > ordinaryMs ? Math.floor(lateMs) : 0;
}
