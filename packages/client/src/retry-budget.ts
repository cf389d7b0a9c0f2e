import type { Clock, NoRetryReason } from "@pipit/protocol";

/** How many retries are allowed beside the calls that were made. */
export interface RetryBudgetOptions {
  /** Retries per call of the window, as a share. Default 0.2. */
  readonly ratio?: number | undefined;
  /** Retries per second that are allowed without any call. Default 10. */
  readonly perSecond?: number | undefined;
  /** Length of the window, in milliseconds. Default 10,000. */
  readonly windowMs?: number | undefined;
}

/** Slices of the window: what leaves it leaves by tenths. */
const sliceCount = 10;

/**
 * Bounds retries and hedges to a share of the traffic (as Finagle does): when everything fails, load grows by a fifth and
 * not threefold. In any window, retries ≤ ratio · calls + perSecond · window.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #ratio: number;
  readonly #reserve: number;
  readonly #sliceMs: number;
  /** By slice; undefined until somebody first asks what is left. */
  #slices: { readonly calls: number[]; readonly retries: number[] } | undefined = undefined;
  /** First calls since the window was last looked at: counted here so that a call costs an addition and no clock. */
  #pending = 0;
  #slice: number;

  constructor(clock: Clock, options: RetryBudgetOptions = {}) {
    const { ratio = 0.2, perSecond = 10, windowMs = 10_000 } = options;
    if (!(ratio >= 0 && perSecond >= 0 && windowMs >= sliceCount)) {
      throw new RangeError(`Retry budget: expected ratio and perSecond from 0 and windowMs from ${sliceCount}`);
    }
    this.#clock = clock;
    this.#ratio = ratio;
    this.#reserve = (perSecond * windowMs) / 1000;
    this.#sliceMs = windowMs / sliceCount;
    this.#slice = Math.floor(clock.now() / this.#sliceMs);
  }

  /** A call was made. */
  deposit(): void {
    this.#pending++;
  }

  /** Takes one retry out, if there is one. */
  withdraw(): boolean {
    if (this.left() < 1) return false;
    const { retries } = this.#turn();
    const index = this.#slice % sliceCount;
    retries[index] = (retries[index] as number) + 1;
    return true;
  }

  /** Takes one out for a call whose tree has so many left, or says why there is none. */
  withdrawFor(treeRetries: number): NoRetryReason | undefined {
    if (treeRetries < 1) return "tree spent";
    return this.withdraw() ? undefined : "budget spent";
  }

  /** Retries that may be made now. */
  left(): number {
    const { calls, retries } = this.#turn();
    return this.#ratio * sum(calls) + this.#reserve - sum(retries);
  }

  #turn(): { readonly calls: number[]; readonly retries: number[] } {
    const slices = (this.#slices ??= { calls: zeros(), retries: zeros() });
    const { calls, retries } = slices;
    const now = Math.floor(this.#clock.now() / this.#sliceMs);
    const passed = Math.min(now - this.#slice, sliceCount);
    for (let step = 1; step <= passed; step++) {
      const index = (this.#slice + step) % sliceCount;
      calls[index] = 0;
      retries[index] = 0;
    }
    this.#slice = now;
    // Calls count in the slice in which they are noticed: a little late, and never for longer than the window.
    calls[now % sliceCount] = (calls[now % sliceCount] as number) + this.#pending;
    this.#pending = 0;
    return slices;
  }
}

function zeros(): number[] {
  return Array.from({ length: sliceCount }, () => 0);
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
