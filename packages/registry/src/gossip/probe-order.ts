import type { Member } from "./members.ts";

/** Members that are gone may take up this much of the order, and as much as those that live. */
const SLACK = 16;

/**
 * Whom to probe next: every live member once in a lap, each lap in another order (SWIM, section 4.3), so that the time
 * until a member is probed again has a bound.
 */
export class ProbeOrder {
  /** Those before `#next` have had their turn in this lap. Members that are gone are passed over, and dropped in bulk. */
  readonly #order: Member[] = [];
  #next = 0;
  /** Turns given in this lap. */
  #turns = 0;
  /** A uniform integer in [0, n). */
  readonly #below: (n: number) => number;

  constructor(below: (n: number) => number) {
    this.#below = below;
  }

  /** How much is held, the gone included. */
  get size(): number {
    return this.#order.length;
  }

  /**
   * A new live member takes a random place among those still to come in this lap, or, once the lap has given as many turns
   * as there are members, waits for the next: newcomers faster than the probes would keep the lap from ending, and nobody
   * who had a turn would have another. `live` is how many there are, this node included.
   */
  enlist(m: Member, live: number): void {
    if (m.inProbeOrder) return;
    m.inProbeOrder = true;
    const order = this.#order;
    order.push(m);
    if (this.#turns < live) this.#swap(this.#next + this.#below(order.length - this.#next), order.length - 1);
    else this.#swap(this.#next++, order.length - 1);
  }

  /** The next live member, or undefined when there is none. */
  next(live: number): Member | undefined {
    const order = this.#order;
    if (order.length > 2 * live + SLACK) this.#dropGone();
    for (let lap = 0; lap < 2; lap++) {
      while (this.#next < order.length) {
        const m = order[this.#next++] as Member;
        if (!m.live) continue;
        this.#turns++;
        return m;
      }
      this.#next = 0;
      this.#turns = 0;
      this.#dropGone();
      for (let i = order.length - 1; i > 0; i--) this.#swap(i, this.#below(i + 1));
    }
    return undefined;
  }

  #dropGone(): void {
    const order = this.#order;
    let kept = 0;
    let passed = 0;
    for (let i = 0; i < order.length; i++) {
      const m = order[i] as Member;
      if (!m.live) {
        m.inProbeOrder = false;
        continue;
      }
      if (i < this.#next) passed++;
      order[kept++] = m;
    }
    order.length = kept;
    this.#next = passed;
  }

  #swap(i: number, j: number): void {
    const order = this.#order;
    const moved = order[i] as Member;
    order[i] = order[j] as Member;
    order[j] = moved;
  }
}
