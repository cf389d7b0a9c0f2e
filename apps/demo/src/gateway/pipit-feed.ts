import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, gossipRegistry, type GossipRegistry, type GossipRegistryOptions, type PipitClient } from "pipit";
import { Process, Stations, Supervisor } from "../contracts/index.ts";
import { CallCounter } from "../processes/call-counter.ts";
import { connect } from "../processes/connect.ts";
import { countCalled } from "../processes/telemetry.ts";
import type { Action, Fault } from "./actions.ts";
import { act, describe, supervisorOf } from "./act.ts";
import { CounterFollower } from "./counter-follower.ts";
import type { JournalEntry, LiveEvent } from "./events.ts";
import { ActionError, type Feed } from "./feed.ts";
import { chartsOfGateway, followCharts, type Follower } from "./follow-charts.ts";
import { followTickets } from "./follow-tickets.ts";
import { InstanceTable } from "./instance-table.ts";
import { ProcessClients } from "./process-clients.ts";
import { repeat } from "./repeat.ts";
import { memberOf } from "./to-page.ts";
import { advanceTour, beginTour, chooseTarget, idleTour, type TourRun, type TourView } from "./tour.ts";

/** How often every process is asked how it fares. */
const lookMs = 250;

/** How often sums over all of the charts and stations are asked for, and how often traffic is noted. */
const sumMs = 1000;

export interface PipitFeedOptions {
  /** Members that run, as `host:port`. */
  readonly seeds: NonNullable<GossipRegistryOptions["seeds"]>;
}

/**
 * The running system as the page's feed. It is a member of the cluster that serves nothing, and a client of every service: all it shows it was
 * told by gossip or by a call, and all it does is a call.
 */
export function pipitFeed(options: PipitFeedOptions): Feed {
  return new PipitFeed(options);
}

class PipitFeed implements Feed {
  readonly #registry: GossipRegistry;
  readonly #client: PipitClient;
  readonly #supervisor: Client<typeof Supervisor>;
  readonly #direct = new ProcessClients();
  readonly #table = new InstanceTable();
  readonly #stopping = new AbortController();
  readonly #resumed = new Map<string, CounterFollower>();
  readonly #asking = new Set<string>();
  #emit: (event: LiveEvent) => void = () => {};
  #work: Promise<unknown> = Promise.resolve();
  #journalCount = 0;
  #measurements = { measurements: 0, duplicates: 0 };
  /** This gateway's own calls: its user is a user too. */
  readonly #called = new CallCounter();
  #failedBefore = 0;
  #membersBefore = "";
  #tour: TourRun | undefined;

  constructor({ seeds }: PipitFeedOptions) {
    this.#registry = gossipRegistry({
      id: "gateway",
      cluster: "demo",
      seeds,
      onEvent: (event) => {
        if (event.type !== "member" || event.member.id === this.#registry.id) return;
        const { id, state } = event.member;
        if (state !== event.was) this.#say("gossip", `${id} is ${state}`);
      },
    });
    // What the supervisor does takes as long as it takes: breaking and mending is no user's call.
    const counting = countCalled(this.#called, Date.now);
    this.#client = connect(this.#registry, (request, next) =>
      request.method.service === Supervisor.name ? next(request) : counting(request, next),
    );
    this.#supervisor = supervisorOf(this.#client);
  }

  start(emit: (event: LiveEvent) => void): void {
    this.#emit = emit;
    emit({ type: "tour", tour: idleTour });
    const { signal } = this.#stopping;
    // One listener per watch and per call under way: more than ten, and no leak.
    setMaxListeners(100, signal);
    const say = (text: string): void => this.#say("service", text);
    const follower: Follower = { client: this.#client, emit, say, signal };
    this.#work = Promise.all([
      followCharts(follower),
      followTickets(follower),
      this.#watchRegistry(signal),
      this.#watchProcesses(signal),
      repeat(sumMs, signal, () => this.#sum(signal)),
      repeat(sumMs, signal, async () => this.#noteTraffic()),
    ]);
  }

  async perform(action: Action): Promise<void> {
    if (action.type === "playTour") return this.#playTour(action.instance);
    this.#say("you", describe(action));
    const doer = {
      client: this.#client,
      processClient: (id: string) => {
        const found = this.#table.addresses().find((one) => one.id === id);
        return found === undefined ? undefined : this.#direct.at(found.address);
      },
      conditionOf: (id: string) => this.#table.instances(Date.now()).find((one) => one.id === id)?.condition,
    };
    await act(doer, action);
    await this.#askSupervisor();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
    await Promise.all([this.#client.close(), this.#direct.close()]);
    await this.#registry.close();
  }

  /** Every process serves `demo.Process`, so this is everybody; and it comes the moment gossip knows. */
  async #watchRegistry(signal: AbortSignal): Promise<void> {
    for await (const { instances } of this.#registry.watch(Process.name, { signal })) {
      this.#table.setSightings(instances);
      this.#direct.keepOnly(new Set(instances.map(({ host, port }) => `${host}:${port}`)));
      this.#show();
    }
  }

  async #watchProcesses(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      void this.#ask("supervisor", () => this.#askSupervisor());
      for (const { id, address } of this.#table.addresses()) {
        void this.#ask(`stats of ${id}`, async () => {
          const stats = await this.#direct.at(address).service(Process).stats({}, { signal });
          this.#table.setStats(Date.now(), stats);
        });
      }
      this.#show();
      await sleep(lookMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Asks, unless the last time has not been answered yet: a frozen process gets one question and not a queue of them. */
  async #ask(what: string, question: () => Promise<void>): Promise<void> {
    if (this.#asking.has(what)) return;
    this.#asking.add(what);
    // No answer is an answer: it is gone, or will be seen to be.
    await question().catch(() => {});
    this.#asking.delete(what);
  }

  async #askSupervisor(): Promise<void> {
    const { processes } = await this.#supervisor.list({}, { timeoutMs: 2000 });
    this.#table.setProcesses(processes);
  }

  /** What the charts have recorded, and how often stations began their stream again. */
  async #sum(signal: AbortSignal): Promise<void> {
    const { sources } = await chartsOfGateway(this.#client).sources({}, { signal });
    this.#measurements = {
      measurements: sources.reduce((sum, { recorded }) => sum + recorded, 0),
      duplicates: sources.reduce((sum, { duplicates }) => sum + duplicates, 0),
    };
    for (const { id, service, address } of this.#table.addresses()) {
      if (service !== "stations") continue;
      const { stations } = await this.#direct.at(address).service(Stations).progress({}, { signal, timeoutMs: sumMs });
      const follower = this.#resumed.get(id) ?? new CounterFollower();
      this.#resumed.set(id, follower);
      const resumed = stations.reduce((sum, station) => sum + station.resumed, 0);
      follower.read(Date.now(), this.#table.pid(id), resumed);
    }
  }

  #show(): void {
    const nowMs = Date.now();
    const instances = this.#table.instances(nowMs);
    const called = this.#table.called(nowMs);
    const own = this.#called.read(nowMs);
    const failed = called.failed + own.failed;
    const resumed = [...this.#resumed.values()].reduce((sum, { total }) => sum + total, 0);
    this.#emit({ type: "instances", instances });
    this.#emit({
      type: "totals",
      totals: { ...called, calls: called.calls + own.total, failed, ...this.#measurements, resumed },
    });
    const members = this.#registry.members().map(memberOf);
    const text = JSON.stringify(members);
    if (text !== this.#membersBefore) this.#emit({ type: "members", members });
    this.#membersBefore = text;
    if (failed > this.#failedBefore) this.#say("problem", `${failed - this.#failedBefore} user calls failed`);
    this.#failedBefore = failed;
    if (this.#tour !== undefined) this.#setTour(advanceTour(this.#tour, { nowMs, instances, failedCalls: failed }));
  }

  #noteTraffic(): void {
    const atMs = Date.now();
    const rates = this.#table
      .instances(atMs)
      .map(({ id, callsPerSecond }) => [id, Math.round(callsPerSecond)] as const);
    this.#emit({ type: "traffic", sample: { atMs, perSecond: Object.fromEntries(rates) } });
  }

  #playTour(instance: string | undefined): void {
    if (this.#tour?.tour.state === "running") throw new ActionError("A tour is under way");
    const nowMs = Date.now();
    const view: TourView = {
      nowMs,
      instances: this.#table.instances(nowMs),
      failedCalls: this.#failedBefore,
    };
    const target = view.instances.find(({ id }) => id === instance) ?? chooseTarget(view.instances);
    if (target === undefined) throw new ActionError("No service has two healthy instances");
    this.#setTour(beginTour(target, this.#table.leastRate(target.service, nowMs), view));
  }

  #setTour(run: TourRun): void {
    if (run === this.#tour) return;
    this.#tour = { ...run, wish: undefined };
    this.#emit({ type: "tour", tour: run.tour });
    if (run.wish !== undefined) void this.#grant(run.wish);
  }

  async #grant(wish: { readonly type: Fault; readonly instance: string }): Promise<void> {
    try {
      await this.perform(wish);
    } catch (error) {
      // The tour sees for itself that nothing came of it.
      this.#say("problem", (error as Error).message);
    }
  }

  #say(kind: JournalEntry["kind"], text: string): void {
    this.#emit({ type: "journal", entries: [{ id: ++this.#journalCount, atMs: Date.now(), kind, text }] });
  }
}
