import { setTimeout as sleep } from "node:timers/promises";
import type { PolicyBalancer } from "@pipit/balancer";
import type { RouteEndpoint } from "@pipit/client";
import { createClient, type ClientOptions, gossipRegistry, type PipitClient } from "pipit";
import { peakEwma, roundRobin } from "pipit/balancer";
import { Fleet, NewFleet } from "./contract.ts";
import { type Barracks, Servers } from "./fleet.ts";
import { atRate, inFlight, type Load, Tally } from "./load.ts";

/** What is under test: the client as it is by default, and the controls, which differ from it in one thing each. */
export type Policy = "default" | "roundRobin" | "noRetries";

/** What a scenario is given. */
export interface Stage {
  readonly barracks: Barracks;
  readonly policy: Policy;
  /** 1, or less for a quick look: all times are multiplied by it. */
  readonly pace: number;
}

/** What came of it. */
export interface Result {
  readonly measured: string;
  readonly isMet: boolean;
  /** What happened beside it. */
  readonly detail: string;
}

/** A thing that goes wrong, and what must hold while it does. */
export interface Scenario {
  readonly title: string;
  readonly goal: string;
  /** No call may fail, whatever the balancer. */
  readonly zeroFailures?: boolean;
  /** Retries are what it is about: there is a control without them. */
  readonly retries?: boolean;
  /** Processes it needs. */
  readonly processes: number;
  run(stage: Stage): Promise<Result>;
}

const serviceMs = 10;
const callsPerSecond = 600;

/** By the name on the command line. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  slow: { title: "one of ten 10× slow: p99 ÷ p99 of none slow", goal: "≤ 1.3", processes: 10, run: oneIsSlow },
  failing: {
    title: "one of ten fails at once, `unavailable`: calls failed",
    goal: "≤ 0.1 %",
    retries: true,
    processes: 10,
    run: (stage) => oneFails(stage, "unavailable", 0.001),
  },
  throwing: {
    title: "one of ten throws at once, `internal`, never retried: calls failed",
    goal: "none set",
    processes: 10,
    run: (stage) => oneFails(stage, "throw", 1),
  },
  killed: {
    title: "one of ten killed -9: calls failed",
    goal: "0",
    zeroFailures: true,
    retries: true,
    processes: 10,
    run: oneIsKilled,
  },
  rolling: {
    title: "rolling restart of all ten: calls failed",
    goal: "0",
    zeroFailures: true,
    retries: true,
    processes: 20,
    run: rollingRestart,
  },
  start: {
    title: "the same at the start, no budget, 1,024 in flight: calls failed",
    goal: "0",
    zeroFailures: true,
    processes: 20,
    run: rollingRestartAtStart,
  },
  stale: {
    title: "six of ten killed -9: attempts at the dead after 2 s",
    goal: "≤ 1 %",
    processes: 10,
    run: mostAreKilled,
  },
  deploy: {
    title: "a new method on five of ten: calls failed",
    goal: "0, none ejected",
    zeroFailures: true,
    processes: 10,
    run: rollingDeploy,
  },
};

async function oneIsSlow(stage: Stage): Promise<Result> {
  // Long beside what a busy machine adds to any call, or the control would not come out bad there.
  const serviceMs = 100;
  return withFleet(stage, { serviceMs }, async ({ servers, client, pool }) => {
    const load = atRate(callsPerSecond, client.service(Fleet).get);
    const [well, ill] = [new Tally(), new Tally()];
    await warmUp(stage);
    // In turns, so that what else the machine does meets both alike.
    for (let round = 0; round < 3; round++) {
      servers.behave(0, serviceMs);
      await sleep(500 * stage.pace);
      load.tally = well;
      await sleep(1500 * stage.pace);
      load.tally = new Tally();
      servers.behave(0, 10 * serviceMs);
      // Until the first slow reply nobody can know.
      await sleep(1500 * stage.pace);
      load.tally = ill;
      await sleep(1500 * stage.pace);
      load.tally = new Tally();
    }
    await load.stop();
    const ratio = ill.p99Ms / well.p99Ms;
    return {
      measured: ratio.toFixed(2),
      isMet: ratio <= 1.3,
      detail: `p99 ${ill.p99Ms.toFixed(1)} against ${well.p99Ms.toFixed(1)} ms; ${percent(ill.shareOf(servers.addresses.slice(0, 1)))} of ${ill.calls} calls went to the slow one, ${ejected(pool())} ejected`,
    };
  });
}

async function oneFails(stage: Stage, fate: "unavailable" | "throw", mostShare: number): Promise<Result> {
  return withFleet(stage, {}, async ({ servers, client, pool }) => {
    const load = atRate(callsPerSecond, client.service(Fleet).get);
    await warmUp(stage);
    load.tally = new Tally();
    servers.behave(0, serviceMs, fate);
    await sleep(5000 * stage.pace);
    await load.stop();
    const { errors, calls, sendings } = load.tally;
    const hits = sendings.filter(({ code }) => code !== undefined).length;
    return {
      measured: percent(errors.length / calls),
      isMet: errors.length / calls <= mostShare,
      detail: `${errors.length} of ${calls} calls; ${hits} attempts met the failing one, ${ejected(pool())} ejected`,
    };
  });
}

async function oneIsKilled(stage: Stage): Promise<Result> {
  // Long calls, so that many are lost at once.
  return withFleet(stage, { serviceMs: 100 }, async ({ servers, client }) => {
    const load = atRate(callsPerSecond, client.service(Fleet).get);
    await warmUp(stage);
    load.tally = new Tally();
    await sleep(500 * stage.pace);
    await servers.kill(0);
    await sleep(2500 * stage.pace);
    return failures(load, servers.addresses.slice(0, 1));
  });
}

async function rollingRestart(stage: Stage): Promise<Result> {
  return withFleet(stage, {}, async ({ servers, client }) => {
    const load = atRate(callsPerSecond, client.service(Fleet).get);
    await warmUp(stage);
    load.tally = new Tally();
    for (let index = 0; index < 10; index++) {
      await servers.restart(index);
      await sleep(200 * stage.pace);
    }
    return failures(load);
  });
}

async function rollingRestartAtStart(stage: Stage): Promise<Result> {
  const retry = { budget: { ratio: 0, perSecond: 0 } };
  return withFleet(
    stage,
    { serviceMs: 700 },
    async ({ servers, client }) => {
      const load = inFlight(1024, client.service(Fleet).get);
      // The first calls are on their way, and nothing has been answered yet.
      await sleep(50);
      for (let index = 0; index < 10; index += 2) {
        await Promise.all([servers.restart(index), servers.restart(index + 1)]);
      }
      return failures(load);
    },
    { retry },
  );
}

async function mostAreKilled(stage: Stage): Promise<Result> {
  const servers = await Servers.start(stage.barracks, { serviceMs, gossip: true });
  const registry = gossipRegistry({ seeds: servers.gossip.slice(0, 3), member: false });
  const watching = new AbortController();
  const { client, pool } = clientFor(stage, { target: { registry } });
  try {
    await membersAre(registry, 10);
    const load = atRate(callsPerSecond, client.service(Fleet).get);
    await warmUp(stage);
    load.tally = new Tally();
    const dead = servers.addresses.slice(0, 6);
    const killedMs = performance.now();
    let staleMs = Number.NaN;
    void (async () => {
      for await (const { instances } of registry.watch(Fleet.name, { signal: watching.signal })) {
        if (instances.filter(({ state }) => state === "stale").length === 6) staleMs = performance.now() - killedMs;
        if (!Number.isNaN(staleMs)) return;
      }
    })().catch(() => {});
    await Promise.all(dead.map((_, index) => servers.kill(index)));
    await sleep(6000);
    await load.stop();
    const share = load.tally.shareOf(dead, killedMs + 2000);
    return {
      measured: percent(share),
      isMet: share <= 0.01,
      detail: `${load.tally.errors.length} of ${load.tally.calls} calls failed; all six were stale after ${(staleMs / 1000).toFixed(1)} s, ${ejected(pool())} ejected${reasons(load.tally.errors)}`,
    };
  } finally {
    watching.abort();
    await client.close();
    await registry.destroy();
    servers.close();
  }
}

async function rollingDeploy(stage: Stage): Promise<Result> {
  const contract = (index: number): "old" | "new" => (index < 5 ? "old" : "new");
  // Sweeps each second, so that ejection has its chance.
  const options = { ejection: { intervalMs: 1000 } };
  return withFleet(
    stage,
    { contract },
    async ({ servers, client, pool }) => {
      const { get, added } = client.service(NewFleet);
      const load = atRate(callsPerSecond, get, added);
      await warmUp(stage);
      load.tally = new Tally();
      let mostEjected = 0;
      for (let look = 0; look < 16; look++) {
        await sleep(250 * stage.pace);
        mostEjected = Math.max(mostEjected, ejected(pool()));
      }
      await load.stop();
      const { errors, calls, sendings } = load.tally;
      const refused = sendings.filter((sending) => sending.refused).length;
      const served = sendings.filter((sending) => !sending.refused);
      const old = served.filter(({ endpoint }) => servers.addresses.slice(0, 5).includes(endpoint)).length;
      return {
        measured: `${errors.length}, ${mostEjected} ejected`,
        isMet: errors.length === 0 && mostEjected === 0,
        detail: `${calls} calls, ${refused} refused and sent elsewhere; the five old ones served ${percent(old / served.length)}${reasons(errors)}`,
      };
    },
    options,
  );
}

interface Rig {
  readonly servers: Servers;
  readonly client: PipitClient;
  readonly pool: () => PolicyBalancer<RouteEndpoint> | undefined;
}

async function withFleet(
  stage: Stage,
  fleet: Parameters<typeof Servers.start>[1],
  work: (rig: Rig) => Promise<Result>,
  options: Partial<ClientOptions> = {},
): Promise<Result> {
  const servers = await Servers.start(stage.barracks, fleet);
  await warmProcesses(stage, servers.addresses);
  const rig = clientFor(stage, { target: servers.addresses, ...options });
  try {
    return await work({ servers, ...rig });
  } finally {
    await rig.client.close();
    servers.close();
  }
}

/** The client's own default, made here so that its pool can be looked at; or the control. */
function clientFor({ policy }: Stage, options: ClientOptions): Pick<Rig, "client" | "pool"> {
  let balancer: PolicyBalancer<RouteEndpoint> | undefined;
  const make = policy === "roundRobin" ? roundRobin<RouteEndpoint> : peakEwma<RouteEndpoint>;
  const client = createClient({
    ...options,
    retries: policy !== "noRetries",
    balancer: ({ now, random, ejection }) => {
      balancer = make({ now, random, ejection });
      return balancer;
    },
  });
  return { client, pool: () => balancer };
}

/**
 * Lets another client call for a while. First calls meet cold code at both ends and take long; that is a law of its own
 * (peak EWMA remembers it for tens of seconds), and not what these scenarios ask.
 */
async function warmProcesses({ pace }: Stage, target: readonly string[]): Promise<void> {
  const client = createClient({ target, balancer: ({ now, random }) => roundRobin({ now, random }) });
  const load = atRate(callsPerSecond, client.service(Fleet).get);
  await sleep(1500 * pace);
  await load.stop();
  await client.close();
}

/** Calls until connections stand and latencies are known. */
async function warmUp({ pace }: Stage): Promise<void> {
  await sleep(1000 * pace);
}

async function failures(load: Load, dead: readonly string[] = []): Promise<Result> {
  await load.stop();
  const { errors, calls, sendings, mostInFlight } = load.tally;
  const again = sendings.length - calls;
  const atDead = dead.length === 0 ? "" : `, ${percent(load.tally.shareOf(dead))} of attempts at the dead one`;
  return {
    measured: String(errors.length),
    isMet: errors.length === 0,
    detail: `${calls} calls, up to ${mostInFlight} in flight; ${again} attempts beyond the first${atDead}${reasons(errors)}`,
  };
}

function ejected(balancer: PolicyBalancer<RouteEndpoint> | undefined): number {
  return balancer?.pool.stats().filter(({ isEjected }) => isEjected).length ?? 0;
}

/** The first few different messages, for whoever must find out why. */
function reasons(errors: readonly { readonly code: string; readonly message: string }[]): string {
  const seen = [...new Set(errors.map(({ code, message }) => `${code}: ${message}`))].slice(0, 3);
  return seen.length === 0 ? "" : ` (${seen.join("; ")})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

async function membersAre(registry: ReturnType<typeof gossipRegistry>, count: number): Promise<void> {
  for await (const { instances } of registry.watch(Fleet.name)) if (instances.length === count) return;
}
