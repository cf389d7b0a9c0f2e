import type { Clock } from "../clock.ts";

/** The members come first and their records a round trip later; a snapshot between the two would be empty. */
const settleMs = 100;

/** What {@link JoinWait} takes. */
export interface JoinWaitOptions {
  readonly clock: Clock;
  /** The wait is over: what is known may be shown. Called once, unless stopped before. */
  readonly onReady: () => void;
  /** No seed answered in the time that was given. `onReady` follows. */
  readonly onTimeout: () => void;
}

/** How long `register` and the first snapshot wait for the cluster: until a seed has answered, or until a time is over. */
export class JoinWait {
  readonly #options: JoinWaitOptions;
  #resolve: () => void = () => {};
  #cancelTimer: (() => void) | undefined;
  #stopped = false;
  /** Resolves when registering may go on: as soon as a seed has answered, when the wait is over, or when it is stopped. */
  readonly answered: Promise<void>;
  /** Whether what is known may be shown. */
  isReady = false;
  /** Whether a seed has answered. */
  hasJoined = false;

  constructor(options: JoinWaitOptions) {
    this.#options = options;
    this.answered = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Waits no longer than this. */
  start(timeoutMs: number): void {
    this.#arm(timeoutMs, () => {
      this.#options.onTimeout();
      this.end();
    });
  }

  /** A seed has answered. */
  joined(): void {
    this.hasJoined = true;
    this.#resolve();
    if (!this.isReady && !this.#stopped) this.#arm(settleMs, () => this.end());
  }

  /** There is nothing to wait for, or not any more. */
  end(): void {
    if (this.isReady || this.#stopped) return;
    this.isReady = true;
    this.#cancelTimer?.();
    this.#resolve();
    this.#options.onReady();
  }

  /** The registry closes: whoever waits goes on, and nothing is shown. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#resolve();
  }

  #arm(ms: number, run: () => void): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(ms, run);
  }
}
