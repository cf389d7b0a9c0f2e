import type { CallSource } from "@pipit/protocol";

/** What waits in a {@link WaitingLane}. */
export interface FromSource {
  readonly source: CallSource;
}

/** Waiting calls of one criticality: connections in turn, of each its calls in order of arrival. */
export class WaitingLane<W extends FromSource> {
  /** Whose turn is next comes first. No set is empty. */
  readonly #bySource = new Map<CallSource, Set<W>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  countOf(source: CallSource): number {
    return this.#bySource.get(source)?.size ?? 0;
  }

  /** How many at most leave before one that this source adds now: its own, and as many of each other one. */
  aheadOf(source: CallSource): number {
    return Math.min(this.#size, this.countOf(source) * this.#bySource.size);
  }

  add(call: W): void {
    const calls = this.#bySource.get(call.source);
    if (calls === undefined) this.#bySource.set(call.source, new Set([call]));
    else calls.add(call);
    this.#size++;
  }

  /** Whether it was here. */
  delete(call: W): boolean {
    const calls = this.#bySource.get(call.source);
    if (calls === undefined || !calls.delete(call)) return false;
    if (calls.size === 0) this.#bySource.delete(call.source);
    this.#size--;
    return true;
  }

  /** Takes the next one of those whose source may go on; that source is the last to have its turn again. */
  take(may: (source: CallSource) => boolean): W | undefined {
    for (const [source, calls] of this.#bySource) {
      if (!may(source)) continue;
      const [first] = calls;
      if (first === undefined) continue;
      this.delete(first);
      if (calls.size > 0) {
        this.#bySource.delete(source);
        this.#bySource.set(source, calls);
      }
      return first;
    }
    return undefined;
  }

  /** The youngest call of the source that has most here, if it has at least so many. */
  youngestOfMost(leastCount: number): W | undefined {
    // What the others leave for one at most: mostly enough to see that nobody has so many.
    if (this.#size - this.#bySource.size + 1 < leastCount) return undefined;
    let most: Set<W> | undefined;
    for (const calls of this.#bySource.values()) if (calls.size > (most?.size ?? leastCount - 1)) most = calls;
    return most === undefined ? undefined : Array.from(most).at(-1);
  }
}
