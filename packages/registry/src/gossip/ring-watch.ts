/**
 * Who notices first that a process is gone: each member keeps a gossip stream open to the two that follow it in the ring
 * of id hashes. When a process ends its kernel resets its streams, which is a hint to probe now (`Prober.probeNow`), long
 * before its turn comes in anybody's lap. Of 20 members that probe twice a second, one in seven is met by nobody for a whole
 * second. Each member is watched by two, so the cost does not grow with the cluster.
 */
import { Deadline } from "./deadline-heap.ts";
import { ALIVE } from "./messages.ts";
import type { Member } from "./members.ts";
import type { Node } from "./node.ts";

/** Members that each one watches: one more than one, for when neighbours end together. */
const WATCHED = 2;

export class RingWatch {
  readonly #node: Node;
  /** Sends something over the kept stream to a member, and so opens it or keeps it from being idle. */
  readonly #touch: (m: Member) => void;
  readonly #timer: Deadline;
  /** Whom it watches, and when it last touched each. */
  readonly #watched = new Map<Member, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(node: Node, touch: (m: Member) => void) {
    this.#node = node;
    this.#touch = touch;
    this.#timer = new Deadline((nowMs) => this.#look(nowMs), false);
  }

  start(nowMs: number): void {
    if (!this.#node.timing.ringWatch) return;
    // Nodes started together must not look together.
    this.#node.heap.set(this.#timer, nowMs + this.#node.below(this.#node.timing.ringPeriodMs));
  }

  stop(): void {
    this.#node.heap.cancel(this.#timer);
    this.#watched.clear();
  }

  #look(nowMs: number): void {
    const { table, timing, heap } = this.#node;
    if (table.changedMs >= this.#lookedMs) this.#choose();
    this.#lookedMs = nowMs;
    for (const [m, touchedMs] of this.#watched) {
      if (nowMs - touchedMs < timing.ringTouchMs) continue;
      this.#watched.set(m, nowMs);
      this.#touch(m);
    }
    heap.set(this.#timer, nowMs + timing.ringPeriodMs);
  }

  #choose(): void {
    const next = this.#following();
    for (const m of this.#watched.keys()) if (!next.includes(m)) this.#watched.delete(m);
    for (const m of next) if (!this.#watched.has(m)) this.#watched.set(m, Number.NEGATIVE_INFINITY);
  }

  /** The live members next on the ring. */
  #following(): Member[] {
    const { table, self } = this.#node;
    const next: Member[] = [];
    for (const m of table.live) {
      if (m === self || m.rank !== ALIVE) continue;
      let at = next.length;
      while (at > 0 && distance(self, m) < distance(self, next[at - 1] as Member)) at--;
      if (at < WATCHED) next.splice(at, 0, m);
      if (next.length > WATCHED) next.pop();
    }
    return next;
  }
}

function distance(from: Member, to: Member): number {
  return (to.idHash - from.idHash) >>> 0;
}
