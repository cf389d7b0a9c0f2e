/** What is to happen when, in order of time and then of adding: a binary heap, so that one seed gives one run. */
export class EventQueue {
  #events: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #added = 0;
  nowMs = 0;

  at(atMs: number, run: () => void): void {
    const event = { atMs, order: this.#added++, run };
    let index = this.#events.length;
    this.#events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#events[parent];
      if (above === undefined || above.atMs < atMs || (above.atMs === atMs && above.order < event.order)) break;
      this.#events[index] = above;
      index = parent;
    }
    this.#events[index] = event;
  }

  /** Runs all that happens up to a moment. */
  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#events[0];
      if (next === undefined || next.atMs > endMs) return;
      this.#removeFirst();
      this.nowMs = next.atMs;
      next.run();
    }
  }

  #removeFirst(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const a = events[left];
      if (a === undefined) break;
      const b = events[left + 1];
      const isRight = b !== undefined && (b.atMs < a.atMs || (b.atMs === a.atMs && b.order < a.order));
      const child = isRight ? b : a;
      if (last.atMs < child.atMs || (last.atMs === child.atMs && last.order < child.order)) break;
      events[index] = child;
      index = isRight ? left + 1 : left;
    }
    events[index] = last;
  }
}
