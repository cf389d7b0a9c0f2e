/** Options of {@link Clock.after}. */
export interface TimerOptions {
  /** The timer alone does not keep the process alive. Default false. */
  readonly background?: boolean | undefined;
}

/**
 * Time as Pipit sees it. Everything that waits takes a clock as an argument, so that a test or a simulation can own time.
 * The default is {@link systemClock}.
 */
export interface Clock {
  /** Milliseconds on a monotonic scale of unknown origin; may have a fraction. */
  now(): number;
  /** Calls `fn` once, no earlier than `delayMs` from now. Returns a function that cancels; cancelling twice is fine. */
  after(delayMs: number, fn: () => void, options?: TimerOptions): () => void;
  /** Calls `fn` once at the end of this turn, after the promise continuations that are due: when output is flushed. */
  soon(fn: () => void): void;
}
