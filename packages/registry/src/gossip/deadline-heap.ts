/**
 * The one heap of what is due when. Deadlines are objects that know their place, so moving and cancelling cost O(log n)
 * and leave nothing behind. Equal times run in the order in which they were set.
 */

export class Deadline {
  atMs = 0;
  order = 0;
  /** Index in the heap, −1 when not set. */
  slot = -1;
  readonly run: (nowMs: number) => void;
  /** True when it holds somebody else's silence against them, which after a stall of our own must wait. */
  readonly judges: boolean;

  constructor(run: (nowMs: number) => void, judges: boolean) {
    this.run = run;
    this.judges = judges;
  }

  get isSet(): boolean {
    return this.slot >= 0;
  }
}

export class DeadlineHeap {
  readonly #heap: Deadline[] = [];
  #order = 0;

  /** The earliest deadline, if any. */
  get first(): Deadline | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Sets, or moves, a deadline. */
  set(deadline: Deadline, atMs: number): void {
    deadline.atMs = atMs;
    deadline.order = this.#order++;
    if (deadline.slot < 0) {
      deadline.slot = this.#heap.length;
      this.#heap.push(deadline);
    }
    this.#settle(deadline);
  }

  /** Takes a deadline out; nothing happens when it is not in. */
  cancel(deadline: Deadline): void {
    const slot = deadline.slot;
    if (slot < 0) return;
    deadline.slot = -1;
    const last = this.#heap.pop() as Deadline;
    if (last === deadline) return;
    last.slot = slot;
    this.#heap[slot] = last;
    this.#settle(last);
  }

  clear(): void {
    for (const deadline of this.#heap) deadline.slot = -1;
    this.#heap.length = 0;
  }

  #settle(deadline: Deadline): void {
    const heap = this.#heap;
    let slot = deadline.slot;
    while (slot > 0) {
      const up = (slot - 1) >> 1;
      const parent = heap[up] as Deadline;
      if (!before(deadline, parent)) break;
      parent.slot = slot;
      heap[slot] = parent;
      slot = up;
    }
    const length = heap.length;
    for (;;) {
      let down = 2 * slot + 1;
      if (down >= length) break;
      if (down + 1 < length && before(heap[down + 1] as Deadline, heap[down] as Deadline)) down++;
      const child = heap[down] as Deadline;
      if (!before(child, deadline)) break;
      child.slot = slot;
      heap[slot] = child;
      slot = down;
    }
    deadline.slot = slot;
    heap[slot] = deadline;
  }
}

function before(a: Deadline, b: Deadline): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
