/** A binary heap of plain events, ordered by time and insertion. Faster than the general queue; a simulated second of 1,000 members is 10,000 events. */

export interface Timed {
  atMs: number;
  order: number;
}

export class EventHeap<E extends Timed> {
  readonly #heap: E[] = [];
  #order = 0;

  get first(): E | undefined {
    return this.#heap[0];
  }

  push(event: E): void {
    event.order = this.#order++;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = heap[up] as E;
      if (above.atMs <= event.atMs) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = event;
  }

  shift(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    const length = heap.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      let below = heap[child] as E;
      const right = heap[child + 1];
      if (
        right !== undefined &&
        (right.atMs < below.atMs || (right.atMs === below.atMs && right.order < below.order))
      ) {
        child++;
        below = right;
      }
      if (last.atMs < below.atMs || (last.atMs === below.atMs && last.order < below.order)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
