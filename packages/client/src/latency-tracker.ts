/** Latencies that the percentile is taken of. */
const sampleCount = 256;
/** Answers between two computations of the percentile: sorting is not for every call. */
const refreshEvery = 32;

/** A percentile over the latest answers of a method. */
export class LatencyTracker {
  readonly #percentile: number;
  readonly #samples: number[] = [];
  #next = 0;
  #since = 0;
  #valueMs: number | undefined;

  /** @throws RangeError unless 0 < percentile < 1 */
  constructor(percentile: number) {
    if (!(percentile > 0 && percentile < 1)) {
      throw new RangeError(`Option hedge.percentile: expected between 0 and 1, got ${percentile}`);
    }
    this.#percentile = percentile;
  }

  /** The percentile in milliseconds; undefined before there were enough answers. */
  get valueMs(): number | undefined {
    return this.#valueMs;
  }

  record(elapsedMs: number): void {
    this.#samples[this.#next] = elapsedMs;
    this.#next = (this.#next + 1) % sampleCount;
    this.#since++;
    if (this.#since < refreshEvery) return;
    this.#since = 0;
    const sorted = [...this.#samples].sort((a, b) => a - b);
    this.#valueMs = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * this.#percentile))];
  }
}
