/** An event that waits for its moment. */
interface Entry<T> {
  readonly atMs: number;
  /** Order of insertion: events of one moment leave in the order they came, so that a run can be replayed. */
  readonly sequence: number;
  readonly value: T;
  cancelled: boolean;
}

/**
 * Events ordered by their moment, and by insertion within one moment: a binary heap. `push` and `shift` cost O(log n);
 * a cancelled event stays in the heap until its moment and is then skipped.
 */
export class EventQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #pushed = 0;
  #live = 0;

  /** Events that wait, cancelled ones not counted. */
  get size(): number {
    return this.#live;
  }

  /** The moment of the earliest event, or undefined when none waits. */
  get nextAtMs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.atMs;
  }

  /** Adds an event. Returns a function that takes it out again; calling that late or twice is fine. */
  push(atMs: number, value: T): () => void {
    if (Number.isNaN(atMs)) throw new RangeError("Event time: expected a number of milliseconds, got NaN");
    const entry: Entry<T> = { atMs, sequence: this.#pushed++, value, cancelled: false };
    this.#heap.push(entry);
    this.#live++;
    this.#siftUp(this.#heap.length - 1);
    return () => this.#cancel(entry);
  }

  /** Takes the earliest event out, or returns undefined when none waits. */
  shift(): { readonly atMs: number; readonly value: T } | undefined {
    this.#dropCancelled();
    const first = this.#takeRoot();
    if (first === undefined) return undefined;
    this.#live--;
    first.cancelled = true;
    return { atMs: first.atMs, value: first.value };
  }

  #cancel(entry: Entry<T>): void {
    if (entry.cancelled) return;
    entry.cancelled = true;
    this.#live--;
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.cancelled === true) this.#takeRoot();
  }

  #takeRoot(): Entry<T> | undefined {
    const root = this.#heap[0];
    const last = this.#heap.pop();
    if (root === undefined || last === undefined || root === last) return root;
    this.#heap[0] = last;
    this.#siftDown();
    return root;
  }

  #siftUp(start: number): void {
    let at = start;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, above)) return;
      at = above;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      if (left >= heap.length) return;
      const child = right < heap.length && this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, at)) return;
      at = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false;
    const heap = this.#heap;
    const moved = heap[child] as Entry<T>;
    heap[child] = heap[parent] as Entry<T>;
    heap[parent] = moved;
    return true;
  }

  #isEarlier(one: number, other: number): boolean {
    const a = this.#heap[one] as Entry<T>;
    const b = this.#heap[other] as Entry<T>;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
  }
}
