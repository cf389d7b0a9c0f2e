import type { CallCounts } from "../contracts/index.ts";

/** Rates and quantiles look back this many whole seconds: long enough to be steady, short enough to follow a fault. */
const windowSeconds = 5;

/** Latencies kept per second. Beyond it every further one replaces one at random places in turn: a sample will do. */
const maxLatenciesPerSecond = 1000;

interface Second {
  at: number;
  count: number;
  readonly latenciesMs: number[];
}

/** Counts calls and their latencies. Knows no clock: times come in, in milliseconds. */
export class CallCounter {
  #total = 0;
  #failed = 0;
  readonly #seconds: Second[] = [];

  /** A call has ended. Without a latency, as for streams, it counts in everything but the quantiles. */
  count(nowMs: number, failed: boolean, latencyMs?: number): void {
    this.#total++;
    if (failed) this.#failed++;
    const second = this.#at(nowMs);
    second.count++;
    if (latencyMs === undefined) return;
    if (second.latenciesMs.length < maxLatenciesPerSecond) second.latenciesMs.push(latencyMs);
    else second.latenciesMs[second.count % maxLatenciesPerSecond] = latencyMs;
  }

  read(nowMs: number): CallCounts {
    this.#forget(nowMs);
    const sorted = Float64Array.from(this.#seconds.flatMap(({ latenciesMs }) => latenciesMs)).sort();
    const count = this.#seconds.reduce((sum, second) => sum + second.count, 0);
    return {
      total: this.#total,
      failed: this.#failed,
      perSecond: count / windowSeconds,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
    };
  }

  #at(nowMs: number): Second {
    const at = Math.floor(nowMs / 1000);
    let second = this.#seconds.at(-1);
    if (second?.at !== at) {
      second = { at, count: 0, latenciesMs: [] };
      this.#seconds.push(second);
      this.#forget(nowMs);
    }
    return second;
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / 1000) - windowSeconds;
    while ((this.#seconds[0]?.at ?? Number.POSITIVE_INFINITY) <= oldest) this.#seconds.shift();
  }
}

/** The value below which this share of the sorted values lies; 0 when there are none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
