/** What is shown looks back this far, in milliseconds: short enough to show a crash at once, long enough not to flicker. */
const shownMs = 1000;
/** What comes at least is told by this much of the past. */
const leastMs = 10_000;

interface Reading {
  readonly atMs: number;
  readonly total: number;
}

/**
 * Follows a count that is read now and then, and that begins at 0 again with each life of the process that counts. Knows no clock: times
 * come in, in milliseconds.
 */
export class CounterFollower {
  readonly #readings: Reading[] = [];
  /** Of lives before this one. */
  #carried = 0;
  #last = 0;
  #life: number | undefined;

  /** The process of this `life`, such as its process id, had counted so far. */
  read(nowMs: number, life: number, count: number): void {
    if (this.#life !== life) {
      this.#carried += this.#last;
      this.#life = life;
    }
    this.#last = count;
    this.#readings.push({ atMs: nowMs, total: this.total });
    // One reading older than the longest look back stays: what the oldest within it is compared with.
    while ((this.#readings[1]?.atMs ?? nowMs) <= nowMs - leastMs) this.#readings.shift();
  }

  /** Over all lives. */
  get total(): number {
    return this.#carried + this.#last;
  }

  /** Over the last second; 0 when there was no reading for longer. */
  perSecond(nowMs: number): number {
    const last = this.#readings.length - 1;
    return nowMs - (this.#readings[last]?.atMs ?? 0) > shownMs ? 0 : this.#rateUntil(last);
  }

  /** What the quietest second of the last ten brought: what comes in any case, without bursts. */
  leastPerSecond(nowMs: number): number {
    const rates = this.#readings.flatMap(({ atMs }, i) => {
      const whole = atMs - (this.#readings[0]?.atMs ?? atMs) >= shownMs && atMs > nowMs - leastMs;
      return whole ? [this.#rateUntil(i)] : [];
    });
    return rates.length === 0 ? 0 : Math.min(...rates);
  }

  /** Over the second that a reading ends, or as much of it as there are readings of. */
  #rateUntil(index: number): number {
    const last = this.#readings[index];
    if (last === undefined) return 0;
    const first = this.#readings.findLast(({ atMs }) => atMs <= last.atMs - shownMs) ?? this.#readings[0];
    if (first === undefined || last.atMs <= first.atMs) return 0;
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs);
  }
}
