import type { LoadReport, Random } from "@pipit/balancer";
import type { EventQueue } from "./event-queue.ts";

/** How a replica behaves at a moment. */
export interface Behaviour {
  /** Service times are this many times longer. */
  readonly slowness: number;
  /** `serve` works; `fail` answers with a failure after half a millisecond; `silent` never answers. */
  readonly fate: "serve" | "fail" | "silent";
  /** This share of the calls it serves fails after its full time. */
  readonly failureShare?: number;
}

/** What a replica is. */
export interface ReplicaOptions {
  /** Calls it works on at a time; the others wait in turn. */
  readonly workers: number;
  /** Service times are lognormal with this mean and this deviation of the logarithm. */
  readonly meanMs: number;
  readonly sigma: number;
  readonly behaviour: (nowMs: number) => Behaviour;
}

/** Half a millisecond: what it takes to say no. */
const failAfterMs = 0.5;

/** A call at a replica. */
export interface Job {
  readonly end: (isOk: boolean) => void;
  isCancelled: boolean;
}

/** A server with a fixed number of workers and a queue. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #waiting: Job[] = [];
  #busy = 0;
  #first = 0;

  constructor(options: ReplicaOptions, queue: EventQueue, random: Random) {
    this.#options = options;
    this.#queue = queue;
    this.#random = random;
  }

  get load(): LoadReport {
    return { inFlight: this.#busy + this.#waiting.length - this.#first, eventLoopDelayMs: 0 };
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#waiting.length - this.#first;
  }

  accept(job: Job): void {
    const { fate } = this.#options.behaviour(this.#queue.nowMs);
    if (fate === "silent") return;
    if (fate === "fail") {
      this.#queue.at(this.#queue.nowMs + failAfterMs, () => job.end(false));
    } else if (this.#busy < this.#options.workers) {
      this.#work(job);
    } else {
      this.#waiting.push(job);
    }
  }

  #work(job: Job): void {
    this.#busy += 1;
    const { slowness, failureShare = 0 } = this.#options.behaviour(this.#queue.nowMs);
    const serviceMs = lognormal(this.#random, this.#options.meanMs, this.#options.sigma) * slowness;
    const isOk = failureShare === 0 || this.#random.u32() >= failureShare * 0x1_0000_0000;
    this.#queue.at(this.#queue.nowMs + serviceMs, () => {
      this.#busy -= 1;
      if (!job.isCancelled) job.end(isOk);
      this.#next();
    });
  }

  /** The next that waits and was not given up. */
  #next(): void {
    while (this.#first < this.#waiting.length) {
      const job = this.#waiting[this.#first++];
      if (this.#first === this.#waiting.length) {
        this.#waiting.length = 0;
        this.#first = 0;
      }
      if (job === undefined || job.isCancelled) continue;
      this.#work(job);
      return;
    }
  }
}

/** Rounded to a microsecond, so that the last bits of `exp` do not matter. */
function lognormal(random: Random, meanMs: number, sigma: number): number {
  const value = meanMs * Math.exp(sigma * normal(random) - (sigma * sigma) / 2);
  return Math.round(value * 1_000) / 1_000;
}

function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log((random.u32() + 1) / 0x1_0000_0001));
  return radius * Math.cos((2 * Math.PI * random.u32()) / 0x1_0000_0000);
}
