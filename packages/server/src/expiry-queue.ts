/** What a queue holds. */
export interface Expiring {
  readonly expiresAtMs: number;
}

/** Keys by the moment at which what they stand for expires, the earliest first: a binary heap. */
export class ExpiryQueue<T extends Expiring> {
  /** No entry expires before that at half its index. The first has index 1. */
  readonly #heap: (T | undefined)[] = [undefined];

  /** The one that expires first. */
  get first(): T | undefined {
    return this.#heap[1];
  }

  add(entry: T): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    for (
      let above = heap[at >> 1];
      above !== undefined && above.expiresAtMs > entry.expiresAtMs;
      above = heap[at >> 1]
    ) {
      heap[at] = above;
      at >>= 1;
    }
    heap[at] = entry;
  }

  /** Takes out {@link first}. */
  takeFirst(): T | undefined {
    const heap = this.#heap;
    const { first } = this;
    const last = heap.length > 1 ? heap.pop() : undefined;
    if (last === undefined || last === first) return first;
    let at = 1;
    for (;;) {
      const [left, right] = [heap[2 * at], heap[2 * at + 1]];
      const isRight = left !== undefined && right !== undefined && right.expiresAtMs < left.expiresAtMs;
      const below = isRight ? right : left;
      if (below === undefined || below.expiresAtMs >= last.expiresAtMs) break;
      heap[at] = below;
      at = 2 * at + (isRight ? 1 : 0);
    }
    heap[at] = last;
    return first;
  }
}
