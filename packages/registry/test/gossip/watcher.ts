/** Watches a simulated cluster from outside, where the truth is known: who learned what when, and which deaths were false. */
import type { GossipEvent } from "../../src/gossip/index.ts";
import type { SimNode } from "./world.ts";

/** Something that all live members should come to know. */
export interface Spread {
  readonly startMs: number;
  readonly waitingFor: Set<SimNode>;
  /** Time each member took, in order. */
  readonly tookMs: number[];
}

export class Watcher {
  /** Deaths seen of members that live: the member and who believed it. */
  readonly falseDeaths: { readonly id: string; readonly by: string; readonly atMs: number }[] = [];
  readonly #byId = new Map<string, SimNode>();
  readonly #spreads = new Map<string, Spread>();
  /** Off while a partition makes deaths of the living right. */
  counting = true;

  readonly onEvent = (node: SimNode, event: GossipEvent, nowMs: number): void => {
    if (event.type !== "member" || event.member.id === "boot") return;
    const { id, state, generation } = event.member;
    const subject = this.#byId.get(id);
    if (state === "dead" && this.counting && subject?.state === "up" && subject.lastGeneration === generation)
      this.falseDeaths.push({ id, by: node.id, atMs: nowMs });
    const kind = state === "dead" || state === "left" ? "gone" : `alive ${generation}`;
    const spread = this.#spreads.get(`${id} ${kind}`);
    if (spread?.waitingFor.delete(node) === true) spread.tookMs.push(nowMs - spread.startMs);
  };

  know(nodes: readonly SimNode[]): void {
    for (const node of nodes) this.#byId.set(node.id, node);
  }

  /** Begins to wait until all of `nodes` know that `id` is gone, or alive in this generation. */
  expect(id: string, kind: "gone" | number, nodes: readonly SimNode[], nowMs: number): Spread {
    const spread: Spread = { startMs: nowMs, waitingFor: new Set(nodes), tookMs: [] };
    this.#spreads.set(`${id} ${kind === "gone" ? "gone" : `alive ${kind}`}`, spread);
    return spread;
  }

  /** A node that crashed need not learn anything any more. */
  excuse(node: SimNode): void {
    for (const spread of this.#spreads.values()) spread.waitingFor.delete(node);
  }
}

export function isUp(node: SimNode): boolean {
  return node.state === "up";
}
