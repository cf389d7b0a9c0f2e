/**
 * Gossip rounds: while there is news, every interval it goes to a few random members. The first round after silence
 * starts at once, so that news travels a hop per link delay and not per interval; with no news there are no rounds.
 */
import { Deadline } from "./deadline-heap.ts";
import type { Member } from "./members.ts";
import type { Node } from "./node.ts";

export class Spreader {
  readonly #node: Node;
  readonly #round: Deadline;
  #lastRoundMs = Number.NEGATIVE_INFINITY;

  constructor(node: Node) {
    this.#node = node;
    this.#round = new Deadline((nowMs) => this.#run(nowMs), false);
    node.tellRaw = (subject, type, body, urgent) => {
      // Only a stranger writes such news, and it would wait for room for ever; those who compare views find it anyway.
      if (body.length > node.maxNewsBytes) return;
      node.news.add(subject, type, body, urgent);
      this.#schedule();
    };
  }

  /** Sends to more members than a round would, at once: for farewells. */
  burst(fanout: number): void {
    for (const m of this.#node.pick(fanout, isSilent)) this.#send(m);
  }

  #schedule(): void {
    const node = this.#node;
    if (this.#round.isSet || node.phase === "new" || node.observer) return;
    node.heap.set(this.#round, Math.max(node.nowMs, this.#lastRoundMs + node.timing.gossipIntervalMs));
  }

  #run(nowMs: number): void {
    const node = this.#node;
    this.#lastRoundMs = nowMs;
    if (node.table.live.length < 2) {
      node.news.clear();
      return;
    }
    for (const m of node.pick(node.timing.gossipFanout, isSilent)) {
      if (node.news.size === 0) break;
      this.#send(m);
    }
    if (node.news.size > 0) node.heap.set(this.#round, nowMs + node.timing.gossipIntervalMs);
  }

  #send(m: Member): void {
    this.#node.beginDatagram();
    this.#node.endDatagram(m.address, m.salt);
  }
}

function isSilent(m: Member): boolean {
  return m.suspicion !== undefined;
}
