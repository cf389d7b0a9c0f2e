import {
  boundedLoad,
  type Endpoint,
  maglev,
  type PolicyBalancer,
  rendezvous,
  ringHash,
  roundRobin,
} from "@pipit/balancer";
import { maglevTable } from "../../src/maglev.ts";
import { Schedule } from "../../src/schedule.ts";
import { answer, endpoints, seeded } from "../support/fixtures.ts";
import { type Report, type Scenario, simulate } from "./model.ts";
import {
  failing,
  failingUntil,
  flaky,
  fleet,
  type PolicyName,
  queued,
  scenario,
  silent,
  single,
  slow,
  unqueued,
} from "./scenarios.ts";

/** One line of the tables: what was measured, what it must be, and whether it is. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly bound: string;
  readonly isMet: boolean;
}

/** How much to run. */
export interface Effort {
  readonly seeds: readonly number[];
  /** When runs end; they are counted from 2 s on. */
  readonly endMs: number;
  /** Rows that bound nothing are measured too. */
  readonly compares: boolean;
}

/** Rows of one goal. A control is a row that shows the goal to be worth something: it must come out bad. */
export type Goal = (effort: Effort) => Row[];

/** All goals by name. */
export const goals: Readonly<Record<string, Goal>> = {
  "Weighted round robin is exact": weightedIsExact,
  "One of ten is 10× slow": oneIsSlow,
  "One of ten is 10× slow, and calls are hedged": hedgedSlow,
  "All are even, at 70 % load": allAreEven,
  "One of ten fails in 0.5 ms": oneFails,
  "One of ten never answers": oneIsSilent,
  "All fail now and then": allFlaky,
  "Hashing moves only orphans": hashing,
  "Bounded load stays bounded": bounded,
  "Random subsets are even": subsets,
};

const tauMs = 10_000;

function weightedIsExact({ seeds }: Effort): Row[] {
  let worst = 0;
  let worstGreedy = 0;
  for (const seed of seeds) {
    const random = seeded(seed);
    for (let set = 0; set < 50; set += 1) {
      const weights = Array.from({ length: 2 + (random.u32() % 19) }, () => 1 + (random.u32() % 20));
      const schedule = new Schedule(weights);
      worst = Math.max(
        worst,
        deviation(weights, () => schedule.next()),
      );
      worstGreedy = Math.max(
        worstGreedy,
        deviation(weights, () => 0),
      );
    }
  }
  return [
    row("largest deviation of a prefix", worst, "< 1", worst < 1, 3),
    row("control: the first endpoint each time", worstGreedy, "≥ 1", worstGreedy >= 1, 0),
  ];
}

/** The largest distance of any endpoint's count from its share, over two cycles. */
function deviation(weights: readonly number[], next: () => number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = weights.map(() => 0);
  let worst = 0;
  for (let turn = 1; turn <= 2 * total; turn += 1) {
    const entry = next();
    counts[entry] = (counts[entry] ?? 0) + 1;
    for (const [index, weight] of weights.entries()) {
      worst = Math.max(worst, Math.abs((counts[index] ?? 0) - (turn * weight) / total));
    }
  }
  return worst;
}

function oneIsSlow(effort: Effort): Row[] {
  const compare = (policy: PolicyName, shape: typeof unqueued) => {
    const none = runs(effort, policy, { replicas: fleet(shape) });
    const one = runs(effort, policy, { replicas: fleet(shape, slow) });
    return { ratio: p99(one) / p99(none), share: mean(one.map((report) => report.shareOf(0))) };
  };
  const peak = compare("peak ewma", unqueued);
  const peakQueued = compare("peak ewma", queued);
  const robin = compare("round robin", unqueued);
  return [
    row("peak ewma, p99 ÷ p99 with none slow", peak.ratio, "≤ 1.15", peak.ratio <= 1.15),
    percent("peak ewma, share of the slow one", peak.share, "≤ 0.3 %", peak.share <= 0.003),
    row("peak ewma, six workers each, p99 ratio", peakQueued.ratio, "≤ 1.15", peakQueued.ratio <= 1.15),
    percent("peak ewma, six workers each, share", peakQueued.share, "≤ 0.3 %", peakQueued.share <= 0.003),
    row("control: round robin, p99 ratio", robin.ratio, "≥ 5", robin.ratio >= 5),
    ...(effort.compares ? comparedSlow(effort, compare("least request", unqueued)) : []),
  ];
}

function comparedSlow(effort: Effort, least: { readonly ratio: number; readonly share: number }): Row[] {
  const clients = (policy: PolicyName, clientCount: number) =>
    mean(runs(effort, policy, { replicas: fleet(unqueued, slow), clientCount }).map((report) => report.shareOf(0)));
  const wide = { ...unqueued, sigma: 0.8 };
  const spread = runs(effort, "peak ewma", { replicas: fleet(wide, slow) });
  const queueing = runs(effort, "peak ewma", { replicas: fleet(single, slow) });
  const nine = runs(effort, "peak ewma", { replicas: fleet(single).slice(1) });
  return [
    row("for comparison: least request, p99 ratio", least.ratio, "", true),
    percent("for comparison: least request, share", least.share, "", true),
    percent("… with 100 clients: least request, share", clients("least request", 100), "", true),
    percent("… with 100 clients: peak ewma, share", clients("peak ewma", 100), "", true),
    percent("… times spread by σ 0.8: peak ewma, share", mean(spread.map((report) => report.shareOf(0))), "", true),
    row("… one worker each, σ 0.8: peak ewma, p99 ÷ p99 of the nine alone", p99(queueing) / p99(nine), "", true),
  ];
}

function hedgedSlow(effort: Effort): Row[] {
  // 45 ms is just past the 99th percentile of the others: every call to the slow one loses to its hedge.
  const rest = { replicas: fleet(unqueued, slow), hedgeAfterMs: 45 };
  const told = mean(runs(effort, "peak ewma", rest).map((report) => report.shareOf(0)));
  const untold = mean(runs(effort, "peak ewma", { ...rest, tellsCancelled: false }).map((report) => report.shareOf(0)));
  return [
    percent("peak ewma, share of the slow one", told, "≤ 0.3 %", told <= 0.003),
    percent("control: cancelled attempts not reported", untold, "≥ 3 %", untold >= 0.03),
  ];
}

function allAreEven(effort: Effort): Row[] {
  const tail = (policy: PolicyName) => p99(runs(effort, policy, { replicas: fleet(single) }));
  const [peak, least, chance] = [tail("peak ewma"), tail("least request"), tail("random")];
  return [
    row("peak ewma, p99 ÷ least request's", peak / least, "≤ 1.2", peak / least <= 1.2),
    row("peak ewma, p99 ÷ random's", peak / chance, "≤ 0.8", peak / chance <= 0.8),
    row("control: random, p99 ÷ least request's", chance / least, "≥ 1.3", chance / least >= 1.3),
    ...(effort.compares
      ? [row("for comparison: round robin, p99 ÷ least request's", tail("round robin") / least, "", true)]
      : []),
  ];
}

function oneFails(effort: Effort): Row[] {
  const share = (policy: PolicyName) =>
    mean(
      runs(effort, policy, { replicas: fleet(unqueued, failing), warmUpMs: 1_000 }).map((report) => report.shareOf(0)),
    );
  const peak = share("peak ewma");
  const off = share("peak ewma, penalty off");
  const healedAtMs = 4_000;
  const within = {
    callsPerSecond: 1_000,
    replicas: fleet(unqueued, failingUntil(healedAtMs)),
    endMs: healedAtMs + 1.5 * tauMs,
  };
  const healed = mean(
    runs(effort, "peak ewma", within).map((report) => report.shareOf(0, healedAtMs + tauMs, healedAtMs + 1.5 * tauMs)),
  );
  return [
    percent("peak ewma, share of the failing one after 1 s", peak, "≤ 0.5 %", peak <= 0.005),
    percent("control: penalty off", off, "≥ 15 %", off >= 0.15),
    row("healed: part of its fair share, 1 to 1.5 τ later", healed * 10, "≥ 0.8", healed >= 0.08),
  ];
}

function oneIsSilent(effort: Effort): Row[] {
  const rest = { replicas: fleet(unqueued, silent), timeoutMs: 500 };
  const share = (policy: PolicyName) => mean(runs(effort, policy, rest).map((report) => report.shareOf(0)));
  const peak = share("peak ewma");
  const robin = share("round robin");
  return [
    percent("peak ewma, share of the silent one after 2 s", peak, "≤ 0.5 %", peak <= 0.005),
    percent("control: round robin", robin, "≥ 9 %", robin >= 0.09),
  ];
}

function allFlaky(effort: Effort): Row[] {
  const tail = (failureShare: number) => {
    const replicas = fleet(single).map((each) => ({ ...each, behaviour: flaky(failureShare) }));
    return p99(runs(effort, "peak ewma", { replicas }));
  };
  const base = tail(0);
  // Penalties that ran wild would drive all traffic onto the few that did not fail of late.
  return [0.001, 0.01, 0.1].map((share) => {
    const ratio = tail(share) / base;
    return row(`${share * 100} % of all calls fail: p99 ÷ p99 with none`, ratio, "≤ 1.3", ratio <= 1.3);
  });
}

function hashing({ seeds }: Effort): Row[] {
  const moved = { ring: 0, rendezvous: 0, maglev: 0, modulo: 0 };
  let spread = 0;
  for (const seed of seeds) {
    const before = endpoints(100, {}).map(({ id, address }) => ({ id: `${id}-${seed}`, address }));
    const after = before.filter((_, index) => index !== seed % 100);
    const gone = before[seed % 100]?.id;
    moved.ring += movedKeys(ringHash(), before, after, gone) / seeds.length;
    moved.rendezvous += movedKeys(rendezvous(), before, after, gone) / seeds.length;
    moved.maglev += movedKeys(maglev(), before, after, gone) / seeds.length;
    moved.modulo += movedKeys(roundRobin({ random: seeded(seed) }), before, after, gone) / seeds.length;
    const ids = before.map(({ id }) => id).sort();
    const counts = new Array<number>(100).fill(0);
    for (const owner of maglevTable(
      ids,
      ids.map(() => 1),
    ))
      counts[owner] = (counts[owner] ?? 0) + 1;
    spread = Math.max(spread, Math.max(...counts) - Math.min(...counts));
  }
  return [
    percent("ring, keys moved that were not orphaned", moved.ring, "0 %", moved.ring === 0),
    percent("rendezvous, keys moved that were not orphaned", moved.rendezvous, "0 %", moved.rendezvous === 0),
    percent("maglev, keys moved that were not orphaned", moved.maglev, "≤ 1 %", moved.maglev <= 0.01),
    row("maglev, most entries − least", spread, "≤ 1", spread <= 1, 0),
    percent("control: round robin, keys moved", moved.modulo, "≥ 90 %", moved.modulo >= 0.9),
  ];
}

/** Share of keys that change their endpoint though it stays, when one leaves. */
function movedKeys(
  balancer: PolicyBalancer,
  before: readonly Endpoint[],
  after: readonly Endpoint[],
  gone: string | undefined,
): number {
  const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`);
  const owners = () => keys.map((hashKey) => pickedId(balancer, hashKey));
  balancer.update(before);
  const first = owners();
  balancer.update(after);
  const second = owners();
  return first.filter((id, index) => id !== gone && id !== second[index]).length / keys.length;
}

function pickedId(balancer: PolicyBalancer, hashKey: string): string | undefined {
  const pick = balancer.pick({ hashKey });
  answer(pick);
  return pick?.endpoint.id;
}

function bounded({ seeds }: Effort): Row[] {
  let picks = 0;
  let excess = 0;
  let spilled = 0;
  let unboundedExcess = 0;
  let spilledOfMany = 0;
  const perSeed = Math.ceil(1_000_000 / seeds.length);
  for (const seed of seeds) {
    const fair = zipfRun(boundedLoad({ random: seeded(seed) }), 10, seed, perSeed);
    picks += perSeed;
    excess += fair.excess;
    spilled += fair.spilled;
    const many = zipfRun(boundedLoad({ random: seeded(seed) }), 50, seed, perSeed / 10);
    excess += many.excess;
    spilledOfMany += many.spilled / (perSeed / 10) / seeds.length;
    unboundedExcess += zipfRun(ringHash({ random: seeded(seed) }), 10, seed, 20_000).excess;
  }
  return [
    row(`picks above the bound of 1.25, of ${picks}`, excess, "0", excess === 0, 0),
    percent("calls sent away from their key's endpoint", spilled / picks, "≤ 25 %", spilled / picks <= 0.25),
    percent("for comparison: 50 endpoints, where the busiest key alone fills five", spilledOfMany, "", true),
    row(`control: ring without bound, of ${20_000 * seeds.length}`, unboundedExcess, "≥ 1", unboundedExcess >= 1, 0),
  ];
}

/** 1,000 calls in flight, for keys of which a few are very busy. */
function zipfRun(
  balancer: PolicyBalancer,
  fleetSize: number,
  seed: number,
  picks: number,
): { excess: number; spilled: number } {
  const random = seeded(seed);
  const inFlight = new Map<string, number>();
  const open: { readonly id: string; done(): void }[] = [];
  const owner = ringHash();
  balancer.update(endpoints(fleetSize));
  owner.update(endpoints(fleetSize));
  const owners = new Map<string, string | undefined>();
  let excess = 0;
  let spilled = 0;
  for (let index = 0; index < picks; index += 1) {
    if (open.length >= 1_000) {
      const at = random.u32() % open.length;
      const ended = open[at];
      const last = open.pop();
      if (last !== undefined && at < open.length) open[at] = last;
      ended?.done();
      if (ended !== undefined) inFlight.set(ended.id, (inFlight.get(ended.id) ?? 0) - 1);
    }
    const hashKey = zipfKey(random.u32() / 0x1_0000_0000);
    const cap = Math.ceil((1.25 * (open.length + 1)) / fleetSize);
    const pick = balancer.pick({ hashKey });
    if (pick === undefined) throw new Error("Nothing to pick");
    const { id } = pick.endpoint;
    open.push({ id, done: () => answer(pick) });
    inFlight.set(id, (inFlight.get(id) ?? 0) + 1);
    if ((inFlight.get(id) ?? 0) > cap) excess += 1;
    if (!owners.has(hashKey)) owners.set(hashKey, pickedId(owner, hashKey));
    if (owners.get(hashKey) !== id) spilled += 1;
  }
  return { excess, spilled };
}

/** Of 10,000 keys, each as often as 1 ÷ its rank says (Zipf's law): the first is asked for by a tenth of all calls. */
function zipfKey(share: number): string {
  return `key ${Math.floor(10_000 ** share)}`;
}

function subsets({ seeds }: Effort): Row[] {
  let worst = 0;
  let worstSmall = 0;
  let most = 0;
  const servers = endpoints(100);
  for (const seed of seeds) {
    worst = Math.max(worst, connections(servers, 20, seed));
    worstSmall = Math.max(worstSmall, connections(servers, 5, seed, 100));
    for (let client = 0; client < 20; client += 1) {
      const before = subset(servers, 20, seed * 1_000 + client);
      const after = subset(servers.slice(0, 99), 20, seed * 1_000 + client);
      most = Math.max(most, [...after].filter((id) => !before.has(id)).length);
    }
  }
  return [
    row("20 of 100, 1,000 clients: busiest server ÷ mean", worst, "≤ 1.25", worst <= 1.25),
    row("entries that change when a server leaves", most, "≤ 1", most <= 1, 0),
    row("control: 5 of 100, 100 clients: busiest ÷ mean", worstSmall, "≥ 1.6", worstSmall >= 1.6),
  ];
}

function connections(servers: readonly Endpoint[], size: number, seed: number, clientCount = 1_000): number {
  const counts = new Map<string, number>();
  for (let client = 0; client < clientCount; client += 1) {
    for (const id of subset(servers, size, seed * clientCount + client)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return Math.max(...counts.values()) / ((clientCount * size) / servers.length);
}

/** The endpoints that a client with this seed uses. */
function subset(servers: readonly Endpoint[], size: number, seed: number): Set<string> {
  const balancer = roundRobin({ subset: { size, seed }, random: seeded(seed) });
  balancer.update(servers);
  return new Set(Array.from({ length: size }, () => balancer.pick()?.endpoint.id ?? "-"));
}

function runs({ seeds, endMs }: Effort, policy: PolicyName, rest: Partial<Scenario>): Report[] {
  return seeds.map((seed) => simulate(scenario(policy, seed, { endMs, ...rest })));
}

function p99(reports: readonly Report[]): number {
  return mean(reports.map((report) => report.p99));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function row(what: string, measured: number, bound: string, isMet: boolean, digits = 2): Row {
  return { what, measured: measured.toFixed(digits), bound, isMet };
}

function percent(what: string, share: number, bound: string, isMet: boolean): Row {
  return { what, measured: `${(share * 100).toFixed(2)} %`, bound, isMet };
}
