/** Goals 2, 3, 4 and 6: deaths are noticed soon, and only deaths. */
import type { GossipTiming } from "../../../src/gossip/index.ts";
import { Watcher, isUp } from "../watcher.ts";
import { type SimNode, World } from "../world.ts";
import { type Goal, type Samples, max, of, quantile, seconds, sum } from "./goal.ts";
import { settleMs } from "./spreading.ts";

const NO_CONFIRM: Partial<GossipTiming> = { confirmBeforeKill: false, streamPing: false, retryWhenLossy: false };

/** What memberlist does by default on a local network, as far as our core can be told to. */
const MEMBERLIST: Partial<GossipTiming> = {
  ...NO_CONFIRM,
  probePeriodMs: 1_000,
  ackTimeoutMs: 500,
  probeTimeoutMs: 1_000,
  suspicionMult: 4,
  suspicionMaxFactor: 6,
};

function crashes(seed: number, n: number, count: number, timing: Partial<GossipTiming> = {}): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(n);
  watcher.know(members);
  const tookMs: number[] = [];
  const missing: number[] = [];
  // Large clusters lose one member now and then while others are still being noticed; small ones one at a time.
  const pauseMs = n >= 1_000 ? 1_000 : 14_000;
  const spreads: { node: SimNode; spread: ReturnType<Watcher["expect"]> }[] = [];
  for (let i = 0; i < count; i++) {
    const candidates = members.filter((m, index) => isUp(m) && index >= 3);
    const node = candidates[world.below(candidates.length)] as SimNode;
    world.crash(node, "dark");
    watcher.excuse(node);
    spreads.push({ node, spread: watcher.expect(node.id, "gone", members.filter(isUp), world.nowMs) });
    world.run(world.nowMs + pauseMs + world.below(1_000));
    if (n >= 1_000) continue;
    world.restart(node, { seeds: members.slice(0, 3).map((m) => m.address) });
    world.run(world.nowMs + 3_000);
  }
  world.run(world.nowMs + 20_000);
  for (const { spread } of spreads) {
    tookMs.push(max(spread.tookMs));
    missing.push(spread.waitingFor.size);
  }
  return { tookMs, missing, falseDeaths: [watcher.falseDeaths.length] };
}

function detectionGoal(n: number, medianMs: number, p99Ms: number): Goal {
  return {
    id: `2-${n}`,
    title: `N = ${n}: silent death known to all, median ≤ ${medianMs / 1_000} s, p99 ≤ ${p99Ms / 1_000} s`,
    measure: (seed, short) =>
      crashes(seed, short ? Math.min(n, 200) : n, short ? (n >= 1_000 ? 5 : 12) : n >= 1_000 ? 52 : 55),
    judge(samples) {
      const took = of(samples, "tookMs");
      const median = quantile(took, 0.5);
      const p99 = quantile(took, 0.99);
      const missing = max(of(samples, "missing"));
      const wrong = sum(of(samples, "falseDeaths"));
      return {
        pass: median <= medianMs && p99 <= p99Ms && missing === 0 && wrong === 0,
        text: `median ${seconds(median)}, p99 ${seconds(p99)}, max ${seconds(max(took))} of ${took.length} crashes; false deaths ${wrong}`,
      };
    },
    control: {
      title: "the periods of memberlist, and no confirmation",
      seeds: 3,
      measure: (seed, short) => crashes(seed, short ? Math.min(n, 100) : n, short ? 4 : 8, MEMBERLIST),
    },
  };
}

export const goal2Ten: Goal = detectionGoal(10, 4_000, 5_500);
export const goal2Hundred: Goal = detectionGoal(100, 6_000, 8_000);
export const goal2Thousand: Goal = detectionGoal(1_000, 8_000, 10_000);

function underLoss(seed: number, n: number, loss: number, forMs: number, timing: Partial<GossipTiming>): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(n);
  watcher.know(members);
  world.network.change({ loss, duplication: 0.01, reordering: 0.01 });
  world.run(world.nowMs + forMs);
  return {
    falseDeaths: [new Set(watcher.falseDeaths.map((d) => `${d.id} ${Math.floor(d.atMs / 10_000)}`)).size],
    announced: [sum(members.map((m) => m.core.stats.deathsAnnounced))],
    suspicions: [sum(members.map((m) => m.core.stats.probesFailed))],
  };
}

function lossGoal(id: string, n: number, loss: number, minutes: number): Goal {
  return {
    id,
    title: `N = ${n}, ${loss * 100} % loss, ${minutes} min: no false death`,
    measure: (seed, short) =>
      underLoss(seed, short ? Math.min(n, 150) : n, loss, short ? 60_000 : minutes * 60_000, {}),
    judge(samples) {
      const deaths = sum(of(samples, "announced"));
      return {
        pass: deaths === 0,
        text: `${deaths} false deaths, ${sum(of(samples, "suspicions"))} failed probes in ${of(samples, "announced").length} runs`,
      };
    },
    control: {
      title: "no confirmation, no stream ping, no second try",
      seeds: 3,
      measure: (seed, short) => underLoss(seed, short ? 100 : n, loss, short ? 60_000 : 120_000, NO_CONFIRM),
      judge(samples) {
        const deaths = sum(of(samples, "announced"));
        return { pass: deaths > 0, text: `${deaths} false deaths in ${of(samples, "announced").length} runs of 2 min` };
      },
    },
  };
}

export const goal3Thousand: Goal = lossGoal("3-1000", 1_000, 0.1, 10);
export const goal3Hundred: Goal = lossGoal("3-100", 100, 0.3, 30);

/** "frozen": nothing runs, then all at once. "deaf": timers run and packets go out, but nothing is read. */
type Stall = "frozen" | "deaf";

function stalls(
  seed: number,
  stall: Stall,
  forMs: number,
  timing: Partial<GossipTiming>,
  timersFirst: boolean,
): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, timersFirst, onEvent: watcher.onEvent });
  const members = world.bootstrap(100);
  watcher.know(members);
  const slow = new Set(members.slice(-8).map((m) => m.id));
  for (const m of members.slice(-8)) {
    const phaseMs = world.below(10_000);
    for (let t = phaseMs; t < forMs; t += 10_000)
      world.after(t, () => (stall === "frozen" ? world.stall(m, 5_000) : world.deafen(m, 5_000)));
  }
  world.run(world.nowMs + forMs);
  const verdicts = new Set(watcher.falseDeaths.map((d) => `${d.id} ${Math.floor(d.atMs / 5_000)}`));
  const healthy = [...verdicts].filter((v) => !slow.has(v.split(" ")[0] as string)).length;
  return {
    healthy: [healthy],
    stalled: [verdicts.size - healthy],
    suspicions: [sum(members.map((m) => m.core.stats.probesFailed))],
  };
}

/** SWIM as it was: no second opinion, no local health, a fixed suspicion, and timers that run before sockets. */
const PLAIN_SWIM: Partial<GossipTiming> = { ...NO_CONFIRM, localHealth: false, suspicionMaxFactor: 1 };

function stallGoal(id: string, stall: Stall, what: string, controlJudge: "all" | "healthy"): Goal {
  const per = (s: Samples, name: string): number => sum(of(s, name)) / of(s, name).length;
  return {
    id,
    title: `8 of 100 members ${what} 5 s in every 10 for 10 min: no healthy member announced dead`,
    measure: (seed, short) => stalls(seed, stall, short ? 60_000 : 600_000, {}, false),
    judge(samples) {
      const healthy = sum(of(samples, "healthy"));
      return {
        pass: healthy === 0,
        text: `${healthy} deaths of healthy, ${sum(of(samples, "stalled"))} of stalled members, ${sum(of(samples, "suspicions"))} failed probes in ${of(samples, "healthy").length} runs`,
      };
    },
    control: {
      title: "no local health, no confirmation, fixed suspicion, timers before sockets",
      seeds: 5,
      measure: (seed, short) => stalls(seed, stall, short ? 60_000 : 600_000, PLAIN_SWIM, true),
      judge(samples, goal) {
        const count = (s: Samples): number => per(s, "healthy") + (controlJudge === "all" ? per(s, "stalled") : 0);
        return {
          pass: count(samples) >= 50 * Math.max(count(goal), 1 / of(goal, "healthy").length),
          text: `per run ${per(samples, "healthy").toFixed(1)} deaths of healthy and ${per(samples, "stalled").toFixed(1)} of stalled members`,
        };
      },
    },
  };
}

// A frozen member that wakes has 5 s to hear that its suspects live, so even plain SWIM kills only the frozen ones.
export const goal4: Goal = stallGoal("4", "frozen", "frozen", "all");
export const goal4Deaf: Goal = stallGoal("4-deaf", "deaf", "reading nothing", "healthy");

function partition(seed: number, n: number, forMs: number, timing: Partial<GossipTiming> = {}): Samples {
  const world = new World({ seed, timing });
  const members = world.bootstrap(n);
  const half = members.filter((_, i) => i % 2 === 0).map((m) => m.address);
  world.network.partition([half]);
  world.run(world.nowMs + forMs);
  const apart = members.every((m) => m.core.members().length === n / 2) ? 1 : 0;
  world.network.heal();
  return { tookMs: [settleMs(world, members, 120_000)], apart: [apart] };
}

export const goal6: Goal = {
  id: "6",
  title: "A 500|500 partition of 10 min heals in ≤ 30 s with no restart",
  measure: (seed, short) => partition(seed, short ? 60 : 1_000, short ? 60_000 : 600_000),
  judge(samples) {
    const worst = max(of(samples, "tookMs"));
    const apart = of(samples, "apart").every((a) => a === 1);
    return {
      pass: worst <= 30_000 && apart,
      text: `healed in ${seconds(worst)} at worst, median ${seconds(quantile(of(samples, "tookMs"), 0.5))}; halves were apart: ${apart}`,
    };
  },
  control: {
    title: "the dead and the seeds are not tried again (N = 60, one minute)",
    seeds: 3,
    measure: (seed) => partition(seed, 60, 60_000, { reconnectPeriodMs: 1e9 }),
  },
};

function oneWayCuts(seed: number, forMs: number, timing: Partial<GossipTiming> = {}): Samples {
  const watcher = new Watcher();
  const world = new World({ seed, timing, onEvent: watcher.onEvent });
  const members = world.bootstrap(50);
  watcher.know(members);
  const [a, b, deaf, mute] = members.slice(10, 14) as [SimNode, SimNode, SimNode, SimNode];
  world.network.cut(a.address, b.address);
  for (const m of members.slice(25)) {
    world.network.cut(m.address, deaf.address);
    world.network.cut(mute.address, m.address);
  }
  world.run(world.nowMs + forMs);
  return { deaths: [watcher.falseDeaths.length] };
}

export const goal6Cut: Goal = {
  id: "6-cut",
  title: "N = 50: one-way cuts (one pair; one member deaf to half; one mute to half) kill nobody in 5 min",
  measure: (seed, short) => oneWayCuts(seed, short ? 60_000 : 300_000),
  judge(samples) {
    const deaths = sum(of(samples, "deaths"));
    return { pass: deaths === 0, text: `${deaths} deaths in ${of(samples, "deaths").length} runs` };
  },
  control: {
    title: "no helpers, no stream pings, no confirmation (one minute)",
    seeds: 3,
    measure: (seed) => oneWayCuts(seed, 60_000, { ...NO_CONFIRM, indirectCount: 0 }),
  },
};
