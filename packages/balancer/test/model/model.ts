import type { Balancer, Endpoint, Pick, Random, Result } from "@pipit/balancer";
import { seeded } from "../support/fixtures.ts";
import { EventQueue } from "./event-queue.ts";
import { type Job, Replica, type ReplicaOptions } from "./replica.ts";

/**
 * Clients, each with a balancer of its own, that call replicas in virtual time: Poisson arrivals, queueing, lognormal service
 * times. One seed, one run.
 */

/** What a run is made of. */
export interface Scenario {
  readonly seed: number;
  readonly clientCount: number;
  /** Of all clients together. */
  readonly callsPerSecond: number;
  readonly replicas: readonly ReplicaOptions[];
  /** Calls that arrive before this moment are not counted. */
  readonly warmUpMs: number;
  readonly endMs: number;
  readonly createBalancer: (options: { now: () => number; random: Random }) => Balancer<Endpoint>;
  /** A second attempt elsewhere after this long; the slower of the two is cancelled. Default: none. */
  readonly hedgeAfterMs?: number;
  /** Whether balancers are told of cancelled attempts' time. Default true. */
  readonly tellsCancelled?: boolean;
  /** Attempts after a failure, elsewhere. Default 0. */
  readonly retryCount?: number;
  /** An attempt fails after this long. Default 2,000. */
  readonly timeoutMs?: number;
  /** Replies carry the replica's load. Default false. */
  readonly reportsLoad?: boolean;
}

/** What came of it. */
export interface Report {
  /** Of user calls, in milliseconds; failed ones count too. */
  readonly p50: number;
  readonly p99: number;
  readonly callCount: number;
  readonly failureShare: number;
  /** Share of the attempts that went to a replica between two moments. */
  shareOf(replica: number, fromMs?: number, toMs?: number): number;
}

/** Network time, each way. */
const hopMs = 0.5;

/** Attempts are counted in spans of this length. */
const spanMs = 1_000;

/** After the last arrival calls have this long to end. */
const settleMs = 5_000;

export function simulate(scenario: Scenario): Report {
  const run = new Run(scenario);
  return run.report();
}

class Run {
  readonly #scenario: Scenario;
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #replicas: Replica[];
  readonly #balancers: Balancer<Endpoint>[];
  readonly #latencies: number[] = [];
  readonly #attempts: number[][];
  #failures = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = seeded(scenario.seed);
    this.#replicas = scenario.replicas.map(
      (options, index) => new Replica(options, this.#queue, seeded(scenario.seed * 1_000 + index)),
    );
    this.#attempts = scenario.replicas.map(() => []);
    const endpoints = scenario.replicas.map((_, index) => ({ id: `${index}`, address: `10.0.0.${index}:1` }));
    this.#balancers = Array.from({ length: scenario.clientCount }, (_, index) => {
      const random = seeded(scenario.seed * 1_000_000 + index);
      const balancer = scenario.createBalancer({ now: () => this.#queue.nowMs, random });
      balancer.update(endpoints);
      return balancer;
    });
  }

  report(): Report {
    this.#arriveNext();
    this.#queue.runUntil(this.#scenario.endMs + settleMs);
    const sorted = Float64Array.from(this.#latencies).sort();
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      p50: quantile(0.5),
      p99: quantile(0.99),
      callCount: sorted.length,
      failureShare: this.#failures / sorted.length,
      shareOf: (replica, fromMs = this.#scenario.warmUpMs, toMs = this.#scenario.endMs) => {
        const count = (spans: number[] | undefined) =>
          (spans ?? []).slice(fromMs / spanMs, toMs / spanMs).reduce((sum, span) => sum + (span ?? 0), 0);
        return count(this.#attempts[replica]) / this.#attempts.reduce((sum, spans) => sum + count(spans), 0);
      },
    };
  }

  #arriveNext(): void {
    const { callsPerSecond, endMs, clientCount } = this.#scenario;
    const gapMs = (-Math.log((this.#random.u32() + 1) / 0x1_0000_0001) * 1_000) / callsPerSecond;
    const atMs = this.#queue.nowMs + Math.round(gapMs * 1_000) / 1_000;
    if (atMs >= endMs) return;
    this.#queue.at(atMs, () => {
      const balancer = this.#balancers[this.#random.u32() % clientCount];
      if (balancer !== undefined) new Call(this, balancer);
      this.#arriveNext();
    });
  }

  get scenario(): Scenario {
    return this.#scenario;
  }

  get queue(): EventQueue {
    return this.#queue;
  }

  replicaOf(pick: Pick<Endpoint>): Replica | undefined {
    const index = Number(pick.endpoint.id);
    const span = Math.floor(this.#queue.nowMs / spanMs);
    const spans = this.#attempts[index] ?? [];
    while (spans.length <= span) spans.push(0);
    spans[span] = (spans[span] ?? 0) + 1;
    return this.#replicas[index];
  }

  ended(startedAtMs: number, isOk: boolean): void {
    if (startedAtMs < this.#scenario.warmUpMs) return;
    this.#latencies.push(this.#queue.nowMs - startedAtMs);
    if (!isOk) this.#failures += 1;
  }
}

/** A user's call: one attempt, more after failures, and a hedge. */
class Call {
  readonly #run: Run;
  readonly #balancer: Balancer<Endpoint>;
  readonly #startedAtMs: number;
  readonly #tried: string[] = [];
  readonly #open = new Set<(result: Result) => void>();
  #retriesLeft: number;
  #isOver = false;

  constructor(run: Run, balancer: Balancer<Endpoint>) {
    this.#run = run;
    this.#balancer = balancer;
    this.#startedAtMs = run.queue.nowMs;
    this.#retriesLeft = run.scenario.retryCount ?? 0;
    this.#attempt();
    const { hedgeAfterMs } = run.scenario;
    if (hedgeAfterMs !== undefined) {
      run.queue.at(run.queue.nowMs + hedgeAfterMs, () => {
        if (!this.#isOver) this.#attempt();
      });
    }
  }

  #attempt(): void {
    const { queue, scenario } = this.#run;
    const request = this.#tried.length === 0 ? {} : { exclude: ({ id }: Endpoint) => this.#tried.includes(id) };
    const pick = this.#balancer.pick(request) ?? this.#balancer.pick();
    const replica = pick === undefined ? undefined : this.#run.replicaOf(pick);
    if (pick === undefined || replica === undefined) throw new Error("Nothing to pick");
    this.#tried.push(pick.endpoint.id);
    const sentAtMs = queue.nowMs;
    const end = (result: Result) => {
      if (!this.#open.delete(end)) return;
      job.isCancelled = true;
      const load = scenario.reportsLoad === true && result !== "cancelled" ? replica.load : undefined;
      const isTold = result !== "cancelled" || scenario.tellsCancelled !== false;
      pick.done({ result: isTold ? result : "refused", elapsedMs: queue.nowMs - sentAtMs, load });
      if (result !== "cancelled") this.#attemptEnded(result === "ok");
    };
    const job: Job = {
      isCancelled: false,
      end: (isOk) => queue.at(queue.nowMs + hopMs, () => end(isOk ? "ok" : "failed")),
    };
    this.#open.add(end);
    queue.at(queue.nowMs + hopMs, () => replica.accept(job));
    queue.at(queue.nowMs + (scenario.timeoutMs ?? 2_000), () => end("failed"));
  }

  #attemptEnded(isOk: boolean): void {
    if (this.#isOver) return;
    if (!isOk && this.#retriesLeft > 0) {
      this.#retriesLeft -= 1;
      this.#attempt();
      return;
    }
    if (!isOk && this.#open.size > 0) return;
    this.#isOver = true;
    for (const end of this.#open) end("cancelled");
    this.#run.ended(this.#startedAtMs, isOk);
  }
}
