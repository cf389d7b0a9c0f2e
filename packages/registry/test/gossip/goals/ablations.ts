/** Each departure from SWIM and Lifeguard, with and without: what it buys and what it costs. N = 100. */
import type { GossipTiming } from "../../../src/gossip/index.ts";
import { Watcher, isUp } from "../watcher.ts";
import { type SimNode, World } from "../world.ts";
import { max, mean, quantile, seconds, sum } from "./goal.ts";

export interface Ablation {
  readonly id: string;
  readonly title: string;
  readonly without: Partial<GossipTiming>;
  measure(seed: number, timing: Partial<GossipTiming>): string;
}

function built(seed: number, timing: Partial<GossipTiming>): { world: World; members: SimNode[]; watcher: Watcher } {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(100);
  watcher.know(members);
  world.resetTraffic();
  return { world, members, watcher };
}

/** 30 % loss for two minutes. */
function lossy(seed: number, timing: Partial<GossipTiming>): string {
  const { world, members } = built(seed, timing);
  world.network.change({ loss: 0.3 });
  world.run(world.nowMs + 120_000);
  const total = (read: (m: SimNode) => number): number => sum(members.map(read));
  return `${total((m) => m.core.stats.deathsAnnounced)} false deaths, ${total((m) => m.core.stats.refutations)} refutations, ${(mean(members.map((m) => m.bytes)) / 120_000).toFixed(2)} kB/s per node`;
}

/** 8 of 100 members stop for 5 s in every 10, for two minutes. */
function frozen(seed: number, timing: Partial<GossipTiming>): string {
  const { world, members, watcher } = built(seed, timing);
  for (const m of members.slice(-8)) {
    const phaseMs = world.below(10_000);
    for (let t = phaseMs; t < 120_000; t += 10_000) world.after(t, () => world.stall(m, 5_000));
  }
  world.run(world.nowMs + 120_000);
  return `${new Set(watcher.falseDeaths.map((d) => `${d.id} ${Math.floor(d.atMs / 5_000)}`)).size} deaths of frozen members`;
}

/** 20 members lost one after the other: their hosts, or only their processes. */
function losses(state: "dark" | "down"): Ablation["measure"] {
  return (seed, timing) => {
    const { world, members, watcher } = built(seed, timing);
    const took: number[] = [];
    for (const node of members.slice(40, 60)) {
      world.crash(node, state);
      watcher.excuse(node);
      const spread = watcher.expect(node.id, "gone", members.filter(isUp), world.nowMs);
      world.run(world.nowMs + 15_000 + world.below(500));
      took.push(max(spread.tookMs));
    }
    const asked = sum(members.map((m) => m.core.stats.confirmations)) / 20;
    return `known to all: median ${seconds(quantile(took, 0.5))}, max ${seconds(max(took))}; ${asked.toFixed(1)} confirmations per death`;
  };
}

export const ablations: readonly Ablation[] = [
  {
    id: "confirm",
    title: "confirm before kill, 30 % loss",
    without: { confirmBeforeKill: false },
    measure: lossy,
  },
  {
    id: "retry",
    title: "second try on a lossy network, 30 % loss",
    without: { retryWhenLossy: false },
    measure: lossy,
  },
  {
    id: "both",
    title: "all three of confirmation, second try and stream ping, 30 % loss",
    without: { confirmBeforeKill: false, retryWhenLossy: false, streamPing: false },
    measure: lossy,
  },
  {
    id: "frozen",
    title: "longer for those whose kernel accepts, 8 of 100 frozen 5 s in 10",
    without: { frozenTimeoutMs: 0 },
    measure: frozen,
  },
  { id: "health", title: "local health, 8 of 100 frozen 5 s in 10", without: { localHealth: false }, measure: frozen },
  { id: "witness", title: "accusers first, silent hosts", without: { witnessGraceMs: 0 }, measure: losses("dark") },
  {
    id: "mult",
    title: "suspicion half of memberlist's (without: 4), silent hosts",
    without: { suspicionMult: 4 },
    measure: losses("dark"),
  },
  {
    id: "ring",
    title: "streams kept along the ring, killed processes",
    without: { ringWatch: false },
    measure: losses("down"),
  },
  {
    id: "refused",
    title: "refused streams as evidence, killed processes",
    without: { streamPing: false },
    measure: losses("down"),
  },
];
