/**
 * Time as this package sees it: always passed in, so that tests and the simulation own it.
 *
 * The shape is structural. `@pipit/simulation` and a test's fake clock fit it without importing it.
 */
export interface Clock {
  /** Milliseconds that never run backwards. Only differences mean something, except where an option says otherwise. */
  now(): number;
  /** Runs `fn` once after `ms` milliseconds; the returned function cancels it, and may be called at any time. */
  after(ms: number, fn: () => void): () => void;
  /** Runs `fn` at the end of this turn, before any timer. */
  soon(fn: () => void): void;
}
