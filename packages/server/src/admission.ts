import type { CallSource } from "@pipit/protocol";
import { mayTake } from "./fair-share.ts";
import { WaitingLane } from "./waiting-lane.ts";

/*
 * Who may run. Up to `maxConcurrentCalls` at once, of which no connection gets more than its fair share (`fair-share.ts`); the rest
 * waits in a short queue, in three lanes by criticality, in each lane connections in turn. The queue is bounded by count and by
 * wait, and by what waiting would be worth: a call that would be answered later than its deadline, by what is predicted, is
 * refused at once, so that it can go elsewhere while that still helps.
 *
 * None that waits may run: whenever a place gets free, all go that may by then. So a call that may run on its arrival overtakes
 * nobody of its own connection, and only such of others as hold more than their share.
 *
 * The predicted wait is the calls ahead of it times the mean time between two places getting free, measured while there
 * is a queue (a place then gets free at the rate at which the server really works). The time that a call then takes
 * follows from the same mean by Little's law: all places are taken, so it is their number times as long; and twice that is
 * left for it, since times differ.
 */

/** What waits for a place. */
export interface Waiting {
  readonly source: CallSource;
  readonly criticality: 0 | 1 | 2;
  /** Moment by which it must be answered; Infinity for none. */
  readonly answerByMs: number;
}

/** What {@link Admission.enter} decided. */
export type Decision = "run" | "wait" | "full" | "too late";

/** Options of {@link Admission}. */
export interface AdmissionOptions<W extends Waiting> {
  readonly maxConcurrentCalls: number;
  readonly maxQueuedCalls: number;
  readonly maxQueueWaitMs: number;
  readonly now: () => number;
  /** A place is free for this one, which has waited. */
  readonly onAdmitted: (waiting: W) => void;
  /** This one, which has waited, gives way to one that matters more. */
  readonly onEvicted: (waiting: W) => void;
}

/** Least share of a new sample in the mean time between two free places: a mean over fewer says little of the next fifty. */
const leastShare = 0.02;
/** Its share after the queue was empty: what was measured before may be long past. */
const freshShare = 0.1;
/** A call is held to take this many times what calls take in the mean: at the mean itself, half of them would be too late. */
const serviceMargin = 2;

/** The concurrency cap and its queue. It knows neither timers nor the network. */
export class Admission<W extends Waiting> {
  readonly #options: AdmissionOptions<W>;
  /** By criticality. */
  readonly #lanes: readonly [WaitingLane<W>, WaitingLane<W>, WaitingLane<W>];
  readonly #mayRun = (source: CallSource): boolean => {
    const { maxConcurrentCalls } = this.#options;
    return mayTake(source.running, maxConcurrentCalls - this.#running, maxConcurrentCalls);
  };
  #running = 0;
  #queued = 0;
  #lastFreeMs: number | undefined;
  #intervalMs = 0;
  #share = 1;

  constructor(options: AdmissionOptions<W>) {
    this.#options = options;
    this.#lanes = [new WaitingLane(), new WaitingLane(), new WaitingLane()];
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Takes a place if one is free and its connection may have one more. The common case, with nothing else to decide. */
  tryRun(source: CallSource): boolean {
    if (!this.#mayRun(source)) return false;
    source.running++;
    this.#running++;
    return true;
  }

  /** Decides about a call for which {@link tryRun} found no place. */
  enter(call: W): Decision {
    if (this.tryRun(call.source)) return "run";
    // The first in line waits whatever was measured: a slow time long past would else keep the queue shut, unmeasured, for ever.
    const { maxConcurrentCalls, maxQueuedCalls, maxQueueWaitMs, now } = this.#options;
    const isFirst = this.#queued === 0;
    const waitMs = isFirst ? 0 : this.#predictedWaitMs(call);
    const serviceMs = isFirst ? 0 : serviceMargin * maxConcurrentCalls * this.#intervalMs;
    if (waitMs > maxQueueWaitMs || waitMs + serviceMs >= call.answerByMs - now()) return "too late";
    if (this.#queued >= maxQueuedCalls && !this.#evictFor(call)) return "full";
    this.#lanes[call.criticality].add(call);
    this.#queued++;
    return "wait";
  }

  /** A waiting call has gone. Harmless for one that does not wait. */
  leave(call: W): void {
    if (this.#lanes[call.criticality].delete(call)) this.#queued--;
  }

  /**
   * A running call of this connection has ended: its place goes to the most critical, of these to the connection whose turn it is,
   * and of its calls to the one that waited longest. Connections beyond their share are passed over.
   */
  free(source: CallSource): void {
    source.running--;
    this.#running--;
    if (this.#queued > 0) this.#admitWaiting();
    else if (this.#lastFreeMs !== undefined) {
      this.#lastFreeMs = undefined;
      this.#share = Math.max(this.#share, freshShare);
    }
  }

  #admitWaiting(): void {
    this.#measure();
    for (let next = this.#takeFirst(); next !== undefined; next = this.#takeFirst()) {
      next.source.running++;
      this.#running++;
      this.#options.onAdmitted(next);
    }
  }

  /** How long a refused caller does well to stay away: as long as the queue takes. */
  retryAfterMs(): number {
    return Math.ceil(Math.min(this.#options.maxQueueWaitMs, Math.max(1, this.#queued * this.#intervalMs)));
  }

  #predictedWaitMs({ criticality, source }: W): number {
    let ahead = this.#lanes[criticality].aheadOf(source);
    for (let lane = criticality + 1; lane <= 2; lane++) ahead += this.#lanes[lane as 1 | 2].size;
    return (ahead + 1) * this.#intervalMs;
  }

  /**
   * Makes room in a full queue. In the lowest lane, whoever has most there gives way with its youngest call, which has lost the least
   * by waiting; in the call's own lane only one that has more than its own connection will have.
   */
  #evictFor({ criticality, source }: W): boolean {
    for (let lane = 0; lane <= criticality; lane++) {
      const waiting = this.#lanes[lane as 0 | 1 | 2];
      const victim = waiting.youngestOfMost(lane < criticality ? 1 : waiting.countOf(source) + 2);
      if (victim === undefined) continue;
      this.leave(victim);
      this.#options.onEvicted(victim);
      return true;
    }
    return false;
  }

  #takeFirst(): W | undefined {
    for (const lane of [2, 1, 0] as const) {
      const first = this.#lanes[lane].take(this.#mayRun);
      if (first === undefined) continue;
      this.#queued--;
      return first;
    }
    return undefined;
  }

  #measure(): void {
    const now = this.#options.now();
    if (this.#lastFreeMs !== undefined) {
      const sample = now - this.#lastFreeMs;
      this.#intervalMs += this.#share * (sample - this.#intervalMs);
      // The plain mean at first: shares 1, 1/2, 1/3 …
      this.#share = Math.max(leastShare, this.#share / (1 + this.#share));
    }
    this.#lastFreeMs = now;
  }
}
