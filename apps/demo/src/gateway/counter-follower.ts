/** What is shown looks back this far, in milliseconds: short enough to show a crash at once, long enough not to flicker. */
const shownMs = 1000;
/** What is usual is told by this much of the past: a second of bursts is no measure. */
const usualMs = 10_000;

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
    while ((this.#readings[1]?.atMs ?? nowMs) <= nowMs - usualMs) this.#readings.shift();
  }

  /** Over all lives. */
  get total(): number {
    return this.#carried + this.#last;
  }

  /** Over the last second; 0 when there was no reading for longer. */
  perSecond(nowMs: number): number {
    return this.#rate(nowMs, shownMs);
  }

  /** Over the last ten seconds, or as long as there have been readings. */
  usualPerSecond(nowMs: number): number {
    return this.#rate(nowMs, usualMs);
  }

  #rate(nowMs: number, windowMs: number): number {
    const last = this.#readings.at(-1);
    if (last === undefined || nowMs - last.atMs > shownMs) return 0;
    const first = this.#readings.findLast(({ atMs }) => atMs <= last.atMs - windowMs) ?? this.#readings[0];
    if (first === undefined || last.atMs <= first.atMs) return 0;
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs);
  }
}
