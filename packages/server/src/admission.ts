/*
 * Who may run. Up to `maxConcurrentCalls` at once; the rest waits in a short queue, in three lanes by criticality. The
 * queue is bounded by count and by wait, and by what waiting would be worth: a call that would be answered later than
 * its deadline, by what is predicted, is refused at once, so that it can go elsewhere while that still helps.
 *
 * The predicted wait is the calls ahead of it times the mean time between two places getting free, measured while there
 * is a queue (a place then gets free at the rate at which the server really works). The time that a call then takes
 * follows from the same mean by Little's law: all places are taken, so it is their number times as long; and twice that is
 * left for it, since times differ.
 */

/** What waits for a place. */
export interface Waiting {
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
  /** Lanes by criticality, each in order of arrival. */
  readonly #lanes: [Set<W>, Set<W>, Set<W>] = [new Set(), new Set(), new Set()];
  #running = 0;
  #queued = 0;
  #lastFreeMs: number | undefined;
  #intervalMs = 0;
  #share = 1;

  constructor(options: AdmissionOptions<W>) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Takes a place if one is free and nobody waits. The common case, with nothing else to decide. */
  tryRun(): boolean {
    if (this.#running >= this.#options.maxConcurrentCalls || this.#queued > 0) return false;
    this.#running++;
    return true;
  }

  /** Decides about a call for which {@link tryRun} found no place. */
  enter(call: W): Decision {
    if (this.tryRun()) return "run";
    // The first in line waits whatever was measured: a slow time long past would else keep the queue shut, unmeasured, for ever.
    const { maxConcurrentCalls, maxQueuedCalls, maxQueueWaitMs, now } = this.#options;
    const isFirst = this.#queued === 0;
    const waitMs = isFirst ? 0 : this.#predictedWaitMs(call.criticality);
    const serviceMs = isFirst ? 0 : serviceMargin * maxConcurrentCalls * this.#intervalMs;
    if (waitMs > maxQueueWaitMs || waitMs + serviceMs >= call.answerByMs - now()) return "too late";
    if (this.#queued >= maxQueuedCalls && !this.#evictBelow(call.criticality)) return "full";
    this.#lanes[call.criticality].add(call);
    this.#queued++;
    return "wait";
  }

  /** A waiting call has gone. Harmless for one that does not wait. */
  leave(call: W): void {
    if (this.#lanes[call.criticality].delete(call)) this.#queued--;
  }

  /** A running call has ended: its place goes to the most critical, of these to the one that waited longest. */
  free(): void {
    this.#running--;
    if (this.#queued === 0) {
      this.#lastFreeMs = undefined;
      this.#share = Math.max(this.#share, freshShare);
      return;
    }
    this.#measure();
    const next = this.#takeFirst();
    if (next === undefined) return;
    this.#running++;
    this.#options.onAdmitted(next);
  }

  /** How long a refused caller does well to stay away: as long as the queue takes. */
  retryAfterMs(): number {
    return Math.ceil(Math.min(this.#options.maxQueueWaitMs, Math.max(1, this.#queued * this.#intervalMs)));
  }

  #predictedWaitMs(criticality: 0 | 1 | 2): number {
    let ahead = 0;
    for (let lane = criticality; lane <= 2; lane++) ahead += this.#lanes[lane].size;
    return (ahead + 1) * this.#intervalMs;
  }

  /** The youngest of the lowest lane gives way: it has lost the least by waiting. */
  #evictBelow(criticality: 0 | 1 | 2): boolean {
    for (let lane = 0; lane < criticality; lane++) {
      const waiting = this.#lanes[lane as 0 | 1];
      if (waiting.size === 0) continue;
      const victim = [...waiting].at(-1) as W;
      this.leave(victim);
      this.#options.onEvicted(victim);
      return true;
    }
    return false;
  }

  #takeFirst(): W | undefined {
    for (const lane of [2, 1, 0] as const) {
      const [first] = this.#lanes[lane];
      if (first === undefined) continue;
      this.leave(first);
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
