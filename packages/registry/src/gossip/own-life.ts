/**
 * What others claim about this node: an accusation is refuted by a higher incarnation, a past life with a later clock
 * succeeded by a higher generation, and another owner of the id either outlived or given way to.
 */
import { MAX_GENERATION } from "./config.ts";
import { Deadline } from "./deadline-heap.ts";
import { ALIVE, STATES, SUSPECT, type Update } from "./messages.ts";
import type { Node } from "./node.ts";

/** Least time between two refutations: two hosts that fight over one address must not flood the rest. */
const REFUTE_INTERVAL_MS = 100;

export interface OwnLifeEvents {
  /** This node goes on under a later generation: its records are to be told again. */
  relived(nowMs: number): void;
  /** Another owns the id: nothing may run any more. */
  lost(): void;
}

export class OwnLife {
  readonly #node: Node;
  readonly #events: OwnLifeEvents;
  readonly #refuteLater: Deadline;
  #lastRefuteMs = Number.NEGATIVE_INFINITY;
  #refuteAbove = -1;

  constructor(node: Node, events: OwnLifeEvents) {
    this.#node = node;
    this.#events = events;
    this.#refuteLater = new Deadline((nowMs) => this.#refute(nowMs), false);
  }

  /** A claim about a member of this node's id. */
  onClaim(u: Update, nowMs: number): void {
    const node = this.#node;
    const self = node.self;
    if (node.observer || u.generation < self.generation) return;
    if (u.generation === self.generation && u.incarnation < self.incarnation) return;
    if (u.address !== self.address && u.rank <= SUSPECT) {
      const wins = u.generation > self.generation || u.address > self.address;
      if (wins) this.#lose(u);
      else if (u.generation === self.generation) this.#raise(u.incarnation, nowMs);
      return;
    }
    if (u.generation > self.generation) {
      // A past life with a later clock. Its successor must come after it.
      const at = u.generation + 1;
      if (at > MAX_GENERATION) return;
      node.table.relive(self, at, 0, nowMs);
      node.effects.event({ type: "generation", generation: at });
      node.tell(self);
      this.#events.relived(nowMs);
      return;
    }
    if (node.phase === "leaving") return;
    // Accused, or an earlier start under this very generation got further: speak up above it.
    if (u.rank !== ALIVE || u.incarnation > self.incarnation) this.#raise(u.incarnation, nowMs);
  }

  #raise(above: number, nowMs: number): void {
    this.#refuteAbove = Math.max(this.#refuteAbove, above);
    if (nowMs - this.#lastRefuteMs >= REFUTE_INTERVAL_MS) this.#refute(nowMs);
    else if (!this.#refuteLater.isSet) this.#node.heap.set(this.#refuteLater, this.#lastRefuteMs + REFUTE_INTERVAL_MS);
  }

  #refute(nowMs: number): void {
    const node = this.#node;
    if (this.#refuteAbove < node.self.incarnation) return;
    this.#lastRefuteMs = nowMs;
    node.stats.refutations++;
    node.feel(1);
    node.self.incarnation = Math.min(this.#refuteAbove + 1, 0xffffffff);
    node.table.rehash(node.self, nowMs);
    node.tell(node.self);
  }

  #lose(u: Update): void {
    const node = this.#node;
    const { id, address, generation, incarnation } = u;
    node.phase = "stopped";
    this.#events.lost();
    node.heap.clear();
    node.news.clear();
    const winner = { id, address, generation, incarnation, state: STATES[u.rank] ?? "alive" };
    node.effects.event({ type: "conflict", winner });
  }
}
