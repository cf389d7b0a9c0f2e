import type { Clock } from "@pipit/protocol";

/** Time between two samples, in milliseconds: ten make up the reported second. */
const sampleEveryMs = 100;
const sampleCount = 10;
/** Samples taken after the last question, before the meter sleeps: an idle server runs no timer. */
const samplesAfterAsked = 30;

/**
 * How late the event loop runs: a timer's delay beyond what it was set to, averaged over the last second. That is what a
 * call waits that arrives at any moment. It measures only while somebody asks.
 */
export class LoopDelayMeter {
  readonly #clock: Clock;
  readonly #samples: number[] = [];
  #remaining = 0;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Mean over the last second, in milliseconds; 0 before the first sample. */
  meanMs(): number {
    this.#remaining = samplesAfterAsked;
    if (!this.#running) this.#schedule();
    if (this.#samples.length === 0) return 0;
    let sum = 0;
    for (const sample of this.#samples) sum += sample;
    return sum / this.#samples.length;
  }

  #schedule(): void {
    this.#running = this.#remaining-- > 0;
    if (!this.#running) {
      this.#samples.length = 0;
      return;
    }
    const dueMs = this.#clock.now() + sampleEveryMs;
    this.#clock.after(
      sampleEveryMs,
      () => {
        this.#samples.push(Math.max(0, this.#clock.now() - dueMs));
        if (this.#samples.length > sampleCount) this.#samples.shift();
        this.#schedule();
      },
      { background: true },
    );
  }
}
