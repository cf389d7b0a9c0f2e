import type { Action, Fault } from "./actions.ts";
import type { Condition, Instance, JournalEntry, LiveEvent, Sighting, Ticket, Totals } from "./events.ts";
import { ActionError, type Feed } from "./feed.ts";
import { seededRandom, type SeededRandom } from "./seeded-random.ts";
import { SampleChart, sampleCharacteristics } from "./sample-chart.ts";
import { advanceTour, beginTour, chooseTarget, idleTour, type TourRun } from "./tour.ts";

/*
 * A factory that is not there: everything the page can show, from a seed and with no process behind it. It is what the page is built and tested
 * against, and it obeys the buttons in the way the real services do: the world finds out some ticks after the deed.
 */

/** Two ticks per second of the sample's own time. */
const tickMs = 500;

/** Ticks from a crash or freeze to suspicion, and on to the verdict. */
const suspectAfterTicks = 1;
const goneAfterTicks = 3;

/** Calls per second that each service gets from its callers. */
const demand: Readonly<Record<string, number>> = {
  stations: 0,
  inspection: 1800,
  charts: 640,
  "non-conformance": 220,
  operators: 0,
};

/** A process of the sample. */
interface Process {
  readonly id: string;
  readonly service: string;
  readonly port: number;
  condition: Condition;
  seen: Sighting;
  /** Ticks since the others last heard of it. */
  silentTicks: number;
  failed: number;
  incarnation: number;
  calls: number;
}

export interface SampleOptions {
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Time of the first event. Default: now. */
  readonly startAtMs?: number | undefined;
  /** Points per chart before the first tick. Default 60. */
  readonly history?: number | undefined;
  /** False: time passes only by `tick()`. Default true. */
  readonly running?: boolean | undefined;
}

/** The sample as a feed, and a way to turn its time by hand. */
export interface SampleFeed extends Feed {
  tick(): void;
}

export function sampleFeed(options: SampleOptions = {}): SampleFeed {
  return new Sample(options);
}

class Sample implements SampleFeed {
  readonly #random: SeededRandom;
  readonly #charts: readonly SampleChart[];
  readonly #processes: Process[] = [];
  readonly #tickets = new Map<number, Ticket>();
  readonly #running: boolean;
  #emit: (event: LiveEvent) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #nowMs: number;
  readonly #history: number;
  #tick = 0;
  #journal = 0;
  #totals: Totals = { calls: 0, failed: 0, callsPerSecond: 0, measurements: 0, duplicates: 0, resumed: 0 };
  #tour: TourRun | undefined;

  constructor({ seed = 1, startAtMs = Date.now(), history = 60, running = true }: SampleOptions) {
    this.#random = seededRandom(seed);
    this.#running = running;
    this.#charts = sampleCharacteristics.map((one) => new SampleChart(one, this.#random));
    this.#nowMs = startAtMs - history * tickMs;
    for (const [service, count] of Object.entries({
      stations: 1,
      inspection: 3,
      charts: 3,
      "non-conformance": 2,
      operators: 1,
    })) {
      for (let i = 0; i < count; i++) this.#addProcess(service);
    }
    this.#history = history;
  }

  start(emit: (event: LiveEvent) => void): void {
    this.#emit = emit;
    emit({ type: "tour", tour: idleTour });
    for (let i = 0; i < this.#history; i++) this.tick();
    if (this.#running) this.#timer = setInterval(() => this.tick(), tickMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }

  tick(): void {
    this.#tick++;
    this.#nowMs += tickMs;
    for (const process of this.#processes) this.#age(process);
    this.#measure();
    this.#count();
    this.#playTour();
  }

  async perform(action: Action): Promise<void> {
    switch (action.type) {
      case "add": {
        if (demand[action.service] === undefined) throw new ActionError(`There is no service "${action.service}"`);
        this.#say("you", `${this.#addProcess(action.service).id} started`);
        return;
      }
      case "assignTicket":
      case "closeTicket": {
        const ticket = this.#tickets.get(action.ticket);
        if (ticket === undefined) throw new ActionError(`There is no ticket ${action.ticket}`);
        const changed: Ticket =
          action.type === "closeTicket"
            ? { ...ticket, state: "closed", resolution: action.resolution }
            : { ...ticket, state: "assigned", assignee: action.assignee };
        this.#setTicket(changed);
        return;
      }
      case "playTour": {
        if (this.#tour?.tour.state === "running") throw new ActionError("A tour is under way");
        const instances = this.#instances();
        const target = instances.find(({ id }) => id === action.instance) ?? chooseTarget(instances);
        if (target === undefined) throw new ActionError("No service has two healthy instances");
        const peers = instances.filter(({ service }) => service === target.service);
        const leastRate = peers.reduce((sum, { callsPerSecond }) => sum + callsPerSecond, 0);
        this.#setTour(beginTour(target, leastRate, this.#view()));
        return;
      }
      default:
        this.#inflict(action.type, this.#process(action.instance));
    }
  }

  #inflict(fault: Fault, process: Process): void {
    const conditions = {
      crash: "crashed",
      freeze: "frozen",
      slow: "slow",
      fail: "failing",
      recover: "running",
      drain: "draining",
      revive: "running",
    } as const;
    const gone = process.condition === "crashed" || process.condition === "stopped";
    if (gone !== (fault === "revive"))
      throw new ActionError(`Cannot ${fault} ${process.id}: it is ${process.condition}`);
    process.condition = conditions[fault];
    process.silentTicks = 0;
    this.#say("you", `${process.id}: ${fault}`);
  }

  #process(id: string): Process {
    const process = this.#processes.find((one) => one.id === id);
    if (process === undefined) throw new ActionError(`There is no instance "${id}"`);
    return process;
  }

  #addProcess(service: string): Process {
    const number = this.#processes.filter((one) => one.service === service).length + 1;
    const process: Process = {
      id: `${service}-${number}`,
      service,
      port: 41_000 + this.#processes.length * 7,
      condition: "running",
      seen: "up",
      silentTicks: 0,
      failed: 0,
      incarnation: 0,
      calls: 0,
    };
    this.#processes.push(process);
    return process;
  }

  /** What the others know of a process follows what is true of it, a little later. */
  #age(process: Process): void {
    process.silentTicks++;
    const silent = process.condition === "crashed" || process.condition === "frozen";
    let seen: Sighting = "up";
    if (silent && process.silentTicks >= goneAfterTicks) seen = "gone";
    else if (silent && process.silentTicks >= suspectAfterTicks) seen = "suspect";
    else if (process.condition === "draining") seen = "draining";
    else if (process.condition === "stopped") seen = "gone";
    if (process.condition === "draining" && process.silentTicks >= goneAfterTicks) process.condition = "stopped";
    if (seen === process.seen) return;
    process.seen = seen;
    if (seen === "up") process.incarnation++;
    this.#say("gossip", `${process.id} is ${seen}`);
  }

  #measure(): void {
    for (const [index, chart] of this.#charts.entries()) {
      const owners = this.#processes.filter(({ service, seen }) => service === "charts" && seen === "up");
      const { events, broken } = chart.next(this.#nowMs, owners[index % Math.max(1, owners.length)]?.id ?? "none");
      for (const event of events) this.#emit(event);
      this.#totals = { ...this.#totals, measurements: this.#totals.measurements + chart.perPoint };
      for (const { rule, text, point, value } of broken) {
        const { characteristic } = chart;
        const atMs = this.#nowMs;
        const id = `${characteristic}/location/${rule}/${point}`;
        const about = { atMs, characteristic, station: "line 1", rule, text };
        this.#emit({ type: "alarms", alarms: [{ id, ...about, panel: "location", point, value }] });
        this.#setTicket({ ...about, number: this.#tickets.size + 1, openedAtMs: atMs, state: "open" });
      }
    }
  }

  #setTicket(ticket: Ticket): void {
    this.#tickets.set(ticket.number, ticket);
    const counts = { open: 0, assigned: 0, closed: 0 };
    for (const { state } of this.#tickets.values()) counts[state]++;
    this.#emit({ type: "tickets", tickets: [ticket] });
    this.#emit({ type: "ticketCounts", counts });
  }

  #count(): void {
    for (const [service, calls] of Object.entries(demand)) {
      const of = this.#processes.filter((one) => one.service === service);
      const weights = of.map((one) =>
        takesCalls(one) ? (one.condition === "slow" ? 0.15 : 1) * (0.92 + this.#random.uniform() * 0.16) : 0,
      );
      const sum = weights.reduce((a, b) => a + b, 0);
      for (const [i, one] of of.entries()) {
        one.calls = sum === 0 ? 0 : (calls * (weights[i] ?? 0)) / sum;
        if (one.condition === "failing") one.failed += Math.round(one.calls * 0.05);
        if (one.condition === "crashed" && one.seen === "up") one.failed += 3;
      }
    }
    const perSecond = this.#processes.reduce((sum, { calls }) => sum + calls, 0);
    this.#totals = {
      ...this.#totals,
      calls: this.#totals.calls + Math.round((perSecond * tickMs) / 1000),
      callsPerSecond: perSecond,
      p50Ms: 0.31 + this.#random.uniform() * 0.05,
      p99Ms: 2.1 + this.#random.uniform() * 0.5,
    };
    this.#emit({ type: "totals", totals: this.#totals });
    this.#emit({ type: "instances", instances: this.#instances() });
    this.#emit({
      type: "members",
      members: this.#processes.map(({ id, port, seen, condition, incarnation }) => ({
        id,
        address: `127.0.0.1:${port}`,
        state: seen === "gone" ? (condition === "stopped" ? "left" : "dead") : seen === "suspect" ? "suspect" : "alive",
        incarnation,
      })),
    });
    if (this.#tick % 2 === 0) {
      const perInstance = Object.fromEntries(this.#processes.map(({ id, calls }) => [id, Math.round(calls)]));
      this.#emit({ type: "traffic", sample: { atMs: this.#nowMs, perSecond: perInstance } });
    }
  }

  #instances(): readonly Instance[] {
    return this.#processes.map(({ id, service, port, condition, seen, calls, failed }) => {
      const all = this.#processes.filter((one) => one.service === service).reduce((sum, one) => sum + one.calls, 0);
      const slow = condition === "slow" ? 40 : 1;
      return {
        id,
        service,
        address: `127.0.0.1:${port + 1}`,
        condition,
        seen,
        callsPerSecond: calls,
        p50Ms: calls > 0 ? (0.28 + (port % 5) * 0.03) * slow : undefined,
        p99Ms: calls > 0 ? (1.9 + (port % 3) * 0.4) * slow : undefined,
        failed,
        share: all === 0 ? 0 : calls / all,
      };
    });
  }

  #view(): { nowMs: number; instances: readonly Instance[]; failedCalls: number } {
    return { nowMs: this.#nowMs, instances: this.#instances(), failedCalls: this.#totals.failed };
  }

  #playTour(): void {
    if (this.#tour === undefined) return;
    const next = advanceTour(this.#tour, this.#view());
    if (next !== this.#tour) this.#setTour(next);
  }

  #setTour(run: TourRun): void {
    this.#tour = { ...run, wish: undefined };
    this.#emit({ type: "tour", tour: run.tour });
    if (run.wish !== undefined) this.#inflict(run.wish.type, this.#process(run.wish.instance));
  }

  #say(kind: JournalEntry["kind"], text: string): void {
    this.#emit({ type: "journal", entries: [{ id: ++this.#journal, atMs: this.#nowMs, kind, text }] });
  }
}

function takesCalls({ condition, seen }: Process): boolean {
  return seen === "up" && condition !== "crashed" && condition !== "frozen" && condition !== "draining";
}
