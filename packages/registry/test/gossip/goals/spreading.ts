/** Goals 1 and 7: joins, restarts, and how fast everybody knows. */
import type { GossipTiming } from "../../../src/gossip/index.ts";
import { Watcher, isUp } from "../watcher.ts";
import { type SimNode, World } from "../world.ts";
import { type Goal, type Samples, max, of, quantile, seconds } from "./goal.ts";

const ROUND_MS = 200;

/** News is told once, on pings only: SWIM without rounds of gossip, and without saying things again. */
const TOLD_ONCE: Partial<GossipTiming> = { gossipFanout: 0, retransmitMult: 0.25 };

/** The same, and views are compared at most this often: what was missed stays so for a while. */
export function toldOnceAndSeldomCompared(everyMs: number): Partial<GossipTiming> {
  return { ...TOLD_ONCE, syncIntervalMs: everyMs, syncDisagreeMs: everyMs };
}

function joins(seed: number, n: number, count: number, loss: number, timing: Partial<GossipTiming> = {}): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(n);
  world.network.change({ loss });
  const rounds999: number[] = [];
  const roundsAll: number[] = [];
  const missing: number[] = [];
  for (let i = 0; i < count; i++) {
    const node = world.add(`joiner-${i}`, `10.1.0.${i}:7946`, { seeds: members.slice(0, 3).map((m) => m.address) });
    const spread = watcher.expect(node.id, node.lastGeneration, members, world.nowMs);
    world.start(node);
    world.run(world.nowMs + 15_000);
    // Rounds count from when the first member heard of it: under loss the dial to the seed may take seconds.
    const first = spread.tookMs[0] ?? 0;
    const took = spread.tookMs.map((ms) => (ms - first) / ROUND_MS);
    rounds999.push(quantile(took, 0.999));
    roundsAll.push(max(took));
    missing.push(spread.waitingFor.size);
  }
  return { rounds999, roundsAll, missing };
}

function joinGoal(id: string, loss: number, limit999: number, limitAll: number): Goal {
  return {
    id,
    title: `N = 1,000${loss > 0 ? `, ${loss * 100} % loss` : ""}: a join is known to 99.9 % within ${limit999} rounds, to all within ${limitAll}`,
    measure: (seed, short) => joins(seed, short ? 200 : 1_000, short ? 2 : 8, loss),
    judge(samples) {
      const worst999 = max(of(samples, "rounds999"));
      const worst = max(of(samples, "roundsAll"));
      const missing = max(of(samples, "missing"));
      return {
        pass: worst999 <= limit999 && worst <= limitAll && missing === 0,
        text: `99.9 %: ${worst999.toFixed(1)} rounds, all: ${worst.toFixed(1)}, never: ${missing} (worst of ${of(samples, "roundsAll").length} joins)`,
      };
    },
    control: {
      title: "news is told once, on pings only (N = 200)",
      seeds: 3,
      measure: (seed) => joins(seed, 200, 2, loss, TOLD_ONCE),
    },
  };
}

export const goal1: Goal = joinGoal("1", 0, 9, 12);
export const goal1Loss: Goal = joinGoal("1-loss", 0.3, 13, 50);

function restartOne(seed: number, n: number, count: number, timing: Partial<GossipTiming> = {}): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(n);
  watcher.know(members);
  const tookMs: number[] = [];
  const missing: number[] = [];
  for (let i = 0; i < count; i++) {
    const node = members[3 + world.below(n - 3)] as SimNode;
    world.crash(node, "down");
    world.run(world.nowMs + world.below(8_000));
    world.restart(node, { seeds: members.slice(0, 3).map((m) => m.address) });
    const others = members.filter((m) => m !== node);
    const spread = watcher.expect(node.id, node.lastGeneration, others, world.nowMs);
    world.run(world.nowMs + 10_000);
    tookMs.push(max(spread.tookMs));
    missing.push(spread.waitingFor.size);
  }
  return { tookMs, missing, falseDeaths: [watcher.falseDeaths.length] };
}

export const goal7: Goal = {
  id: "7",
  title: "A restart with state lost is live everywhere within 3 s (N = 1,000)",
  measure: (seed, short) => restartOne(seed, short ? 200 : 1_000, short ? 4 : 8),
  judge(samples) {
    const worst = max(of(samples, "tookMs"));
    const missing = max(of(samples, "missing"));
    return {
      pass: worst <= 3_000 && missing === 0,
      text: `worst ${seconds(worst)}, median ${seconds(quantile(of(samples, "tookMs"), 0.5))} of ${of(samples, "tookMs").length} restarts`,
    };
  },
  control: {
    title: "news is told once, on pings only (N = 200)",
    seeds: 3,
    measure: (seed) => restartOne(seed, 200, 4, TOLD_ONCE),
  },
};

/** All members restarted, `perSecond` of them, one after the other. */
export function rollingRestart(world: World, members: readonly SimNode[], perSecond: number, downMs: number): void {
  members.forEach((node, i) => {
    world.after((i * 1_000) / perSecond, () => {
      world.crash(node, "down");
      const life = node.life;
      world.after(downMs, () => {
        if (node.life === life) world.restart(node, { seeds: members.slice(0, 6).map((m) => m.address) });
      });
    });
  });
}

/** True when every live member sees exactly the live members, each in its present life. */
export function viewsAreRight(members: readonly SimNode[]): boolean {
  const up = members.filter(isUp);
  const hash = up[0]?.core.viewHash();
  if (up.some((m) => m.core.viewHash() !== hash)) return false;
  const seen = new Map(up[0]?.core.members().map((m) => [m.id, m.generation]));
  return seen.size === up.length && up.every((m) => seen.get(m.id) === m.lastGeneration);
}

/** Runs until the views are right, and says how long that took; Infinity when it did not happen in time. */
export function settleMs(world: World, members: readonly SimNode[], limitMs: number, stepMs = 250): number {
  const startMs = world.nowMs;
  while (world.nowMs - startMs <= limitMs) {
    if (viewsAreRight(members)) return world.nowMs - startMs;
    world.run(world.nowMs + stepMs);
  }
  return Number.POSITIVE_INFINITY;
}

function restartAll(seed: number, n: number, timing: Partial<GossipTiming> = {}): Samples {
  const world = new World({ seed, timing });
  const members = world.bootstrap(n);
  rollingRestart(world, members, n / 60, 1_000);
  world.run(world.nowMs + 61_000);
  return { tookMs: [settleMs(world, members, 60_000)] };
}

export const goal7Mass: Goal = {
  id: "7-mass",
  title: "1,000 members restarted within 60 s: views are right within 10 s after the last",
  measure: (seed, short) => restartAll(seed, short ? 150 : 1_000),
  judge(samples) {
    const worst = max(of(samples, "tookMs"));
    return {
      pass: worst <= 10_000,
      text: `worst ${seconds(worst)}, median ${seconds(quantile(of(samples, "tookMs"), 0.5))}`,
    };
  },
  control: {
    title: "news is told once, on pings only, and views are compared each 30 s at most (N = 200)",
    seeds: 3,
    measure: (seed) => restartAll(seed, 200, toldOnceAndSeldomCompared(30_000)),
  },
};
