/** Goals 5, 9 and 12: what it costs, and how fast it is simulated. */
import { cheapAead } from "../cheap-aead.ts";
import { Watcher } from "../watcher.ts";
import { type SimNode, World } from "../world.ts";
import type { GossipTiming } from "../../../src/gossip/index.ts";
import { type Goal, type Samples, max, mean, of, quantile, seconds, sum } from "./goal.ts";
import { rollingRestart, settleMs, toldOnceAndSeldomCompared } from "./spreading.ts";

const KEY = new Uint8Array(32).fill(7);
const PERCENT = 100;
const NO_GATE: Partial<GossipTiming> = { syncGate: false };

function sealed(seed: number, timing: Partial<GossipTiming> = {}): World {
  return new World({ seed, timing, keys: [KEY], aead: cheapAead() });
}

function steady(seed: number, n: number, timing: Partial<GossipTiming> = {}): Samples {
  const world = sealed(seed, timing);
  const members = world.bootstrap(n);
  world.run(world.nowMs + 20_000);
  world.resetTraffic();
  world.run(world.nowMs + 60_000);
  return {
    [`bytes${n}`]: [mean(members.map((m) => m.bytes)) / 60],
    [`packets${n}`]: [mean(members.map((m) => m.packets)) / 60],
  };
}

export const goal5: Goal = {
  id: "5",
  title:
    "Steady cost, encrypted, IP and UDP heads included: N = 10, 100, 1,000 within 1.25×, ≤ 1 kB/s and ≤ 5 packets/s",
  measure: (seed, short) => ({
    ...steady(seed, 10),
    ...steady(seed, 100),
    ...steady(seed, short ? 200 : 1_000),
  }),
  judge(samples, short) {
    const sizes = [10, 100, short ? 200 : 1_000];
    const bytes = sizes.map((n) => mean(of(samples, `bytes${n}`)));
    const packets = sizes.map((n) => mean(of(samples, `packets${n}`)));
    const ratio = max(bytes) / Math.min(...bytes);
    return {
      pass: ratio <= 1.25 && max(bytes) <= 1_000 && max(packets) <= 5,
      text: `${bytes.map((b) => b.toFixed(0)).join(" / ")} B/s, ${packets.map((p) => p.toFixed(2)).join(" / ")} packets/s, ratio ${ratio.toFixed(3)}`,
    };
  },
  control: {
    title: "anti-entropy without the gate (N = 10, 100)",
    seeds: 1,
    measure: (seed) => ({ ...steady(seed, 10, NO_GATE), ...steady(seed, 100, NO_GATE) }),
    judge(samples) {
      const [few, many] = [10, 100].map((n) => mean(of(samples, `bytes${n}`))) as [number, number];
      return { pass: many > 1.25 * few, text: `${few.toFixed(0)} / ${many.toFixed(0)} B/s` };
    },
  },
};

/** One per cent of the members a minute crash, leave and are replaced. */
function churn(seed: number, n: number, forMs: number, timing: Partial<GossipTiming>): Samples {
  const world = sealed(seed, timing);
  const members = world.bootstrap(n);
  world.run(world.nowMs + 10_000);
  world.resetTraffic();
  // A restarted member counts anew: what its former lives counted is kept here.
  let ofFormerLives = 0;
  const exchanges = (): number => ofFormerLives + sum(members.map((m) => m.core.stats.syncs));
  const before = exchanges();
  const everyMs = 60_000 / (n / PERCENT);
  let count = 0;
  for (let t = 0; t < forMs; t += everyMs) {
    world.after(t, () => {
      const node = members[3 + world.below(n - 3)] as SimNode;
      if (node.state !== "up") return;
      const farewell = count++ % 2 === 0;
      if (farewell) node.core.leave(world.nowMs);
      world.after(farewell ? 500 : 0, () => world.crash(node, farewell ? "down" : "dark"));
      world.after(everyMs / 2 + 600, () => {
        if (node.state === "up") return;
        ofFormerLives += node.core.stats.syncs;
        world.restart(node, { seeds: members.slice(0, 3).map((m) => m.address) });
      });
    });
  }
  world.run(world.nowMs + forMs);
  return {
    bytes: [mean(members.map((m) => m.bytes)) / (forMs / 1_000)],
    packets: [mean(members.map((m) => m.packets)) / (forMs / 1_000)],
    syncs: [(exchanges() - before) / n / (forMs / 1_000)],
  };
}

export const goal5Churn: Goal = {
  id: "5-churn",
  title: "N = 1,000 under churn of 1 %/min: ≤ 3 kB/s per node",
  seeds: 20,
  measure: (seed, short) => churn(seed, short ? 200 : 1_000, short ? 40_000 : 120_000, {}),
  judge(samples) {
    const worst = max(of(samples, "bytes"));
    return {
      pass: worst <= 3_000,
      text: `mean ${mean(of(samples, "bytes")).toFixed(0)}, worst run ${worst.toFixed(0)} B/s per node; ${mean(of(samples, "packets")).toFixed(1)} packets/s; ${mean(of(samples, "syncs")).toFixed(4)} exchanges/s per node`,
    };
  },
  control: {
    title: "anti-entropy without the gate",
    seeds: 2,
    measure: (seed, short) => churn(seed, short ? 200 : 1_000, short ? 10_000 : 30_000, NO_GATE),
    judge(samples) {
      const bytes = mean(of(samples, "bytes"));
      return {
        pass: bytes > 3_000,
        text: `${(bytes / 1_000).toFixed(1)} kB/s, ${mean(of(samples, "syncs")).toFixed(3)} exchanges/s per node`,
      };
    },
  },
};

/** The first `restarted` of `n` members are restarted, ten a second. */
function rolling(seed: number, n: number, restarted: number, timing: Partial<GossipTiming> = {}): Samples {
  const world = sealed(seed, timing);
  const members = world.bootstrap(n);
  world.resetTraffic();
  rollingRestart(world, members.slice(0, restarted), 10, 2_000);
  const forMs = restarted * 100 + 2_100;
  world.run(world.nowMs + forMs);
  const rates = members.map((m) => m.bytes / (forMs / 1_000));
  return { bytes: [mean(rates)], busiest: [max(rates)], lagMs: [settleMs(world, members, 60_000)] };
}

export const goal5Rolling: Goal = {
  id: "5-rolling",
  title: "Rolling restart of 1,000 members at 10/s: no storm",
  measure: (seed, short) => rolling(seed, short ? 150 : 1_000, short ? 150 : 1_000),
  judge(samples) {
    const lag = max(of(samples, "lagMs"));
    return {
      pass: lag <= 10_000 && max(of(samples, "bytes")) <= 50_000,
      text: `mean ${(mean(of(samples, "bytes")) / 1_000).toFixed(1)} kB/s per node, busiest (a seed) ${(max(of(samples, "busiest")) / 1_000).toFixed(0)} kB/s; views right ${seconds(lag)} after the last`,
    };
  },
  control: {
    title: "anti-entropy without the gate (100 of 1,000 restarted)",
    seeds: 1,
    measure: (seed) => rolling(seed, 1_000, 100, NO_GATE),
  },
};

/** 500 services of 200 bytes appear on one of 100 members. */
function services(seed: number, timing: Partial<GossipTiming> = {}): Samples {
  const world = new World({ seed, timing });
  const members = world.bootstrap(100);
  world.run(world.nowMs + 5_000);
  world.resetTraffic();
  world.run(world.nowMs + 10_000);
  const quiet = mean(members.map((m) => m.bytes + m.received)) / 10;
  world.resetTraffic();
  const owner = members[50] as SimNode;
  let newBytes = 0;
  for (let i = 0; i < 500; i++) {
    const key = `orders/instance-${i}`;
    owner.core.put(key, new Uint8Array(200).fill(i), world.nowMs);
    newBytes += key.length + 200;
  }
  const startMs = world.nowMs;
  let tookMs = Number.POSITIVE_INFINITY;
  while (world.nowMs - startMs < 20_000) {
    world.run(world.nowMs + 100);
    if (members.every((m) => m.core.records().length === 500)) {
      tookMs = world.nowMs - startMs;
      break;
    }
  }
  world.run(startMs + 20_000);
  const moved = mean(members.map((m) => m.bytes + m.received)) - quiet * 20;
  return { tookMs: [tookMs], factor: [moved / newBytes] };
}

export const goal9: Goal = {
  id: "9",
  title: "500 services of 200 bytes on one node reach N = 100 in ≤ 10 s, ≤ 3× the new bytes per node",
  measure: (seed) => services(seed),
  judge(samples) {
    const took = max(of(samples, "tookMs"));
    const factor = max(of(samples, "factor"));
    return {
      pass: took <= 10_000 && factor <= 3,
      text: `everywhere in ${seconds(took)} at worst; bytes in and out per node ${factor.toFixed(2)}× the new bytes`,
    };
  },
  control: {
    title: "news is told once, on pings only, and views are compared each 10 s at most",
    seeds: 3,
    measure: (seed) => services(seed, toldOnceAndSeldomCompared(10_000)),
  },
};

export const goal12: Goal = {
  id: "12",
  title: "1,000 full nodes at ≥ 25× real time on one core (steady state, 60 virtual seconds)",
  measure(seed, short) {
    const watcher = new Watcher();
    const world = new World({ seed, onEvent: watcher.onEvent });
    world.bootstrap(short ? 200 : 1_000);
    world.run(world.nowMs + 10_000);
    const start = process.cpuUsage();
    world.run(world.nowMs + 60_000);
    const used = process.cpuUsage(start);
    return { speed: [60 / ((used.user + used.system) / 1e6)], trace: [world.trace >>> 0] };
  },
  judge(samples) {
    const speed = quantile(of(samples, "speed"), 0.5);
    return {
      pass: speed >= 25,
      text: `${speed.toFixed(0)}× per CPU second, Node ${process.versions.node}; traces ${of(samples, "trace")
        .map((t) => t.toString(16))
        .join(", ")}`,
    };
  },
};
