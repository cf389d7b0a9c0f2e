import type { Endpoint } from "./contract.ts";
import { decay, decayAt } from "./decay.ts";
import type { PoolCore } from "./pool.ts";
import type { Slot } from "./slot.ts";

/**
 * The peak-sensitive moving average of Finagle: a sample above the estimate replaces it at once, one below pulls it down
 * with time; and the estimate fades as time passes without samples, so that an endpoint once slow is tried again.
 *
 * An estimate holds no longer than eight times what it was learnt for. The first answers of a process pay for what is done once (lazy
 * compilation, empty caches, a method's binding); held for the full time, one such answer would leave the endpoint without
 * calls for half a minute, the more so the fewer calls there are at a time. An endpoint that is truly slow gets one or two
 * calls more.
 *
 * Failures do not enter the estimate. Each sets a penalty latency beside it, that fades faster; the endpoint is held to
 * the larger of the two. So an endpoint that fails in no time attracts nothing, and one that has healed is as fast as
 * it was.
 */

/** Time constants of {@link LatencyLaw}. */
export interface LatencyOptions {
  /**
   * How long an estimate of latency holds, in milliseconds: without samples it falls to 37 % in this time; sooner while it
   * is less than an eighth of this old, but not sooner than in 250 ms. Default 10,000, Finagle's. Shorter forgives sooner
   * and is shaken by less.
   */
  readonly decayMs?: number | undefined;
  /**
   * The most that a streak of failures is held to, in milliseconds. Default 5,000, Linkerd's. 0 turns the penalty off: a
   * failure then counts as an answer, and an endpoint that fails fast attracts traffic.
   */
  readonly penaltyMs?: number | undefined;
}

/** How long an endpoint's first answer holds, in milliseconds; later ones hold this many times longer than it is timed. */
const firstHoldMs = 250;
const holdPerAge = 8;

/** What a first failure is held to, in typical latencies; each further one doubles it. A lone failure costs a second or two. */
const firstPenalty = 8;

/** Penalties fade this many times faster than estimates, so that a healed endpoint is tried within one `decayMs`. */
const penaltyHaste = 5;

/** What a call is thought to take before any has been answered: Linkerd's seed. */
const unknownMs = 30;

/** Weight of one sample in what is typical of the pool. */
const typicalShare = 1 / 16;

/** Bounds are not doubled beyond this. */
const mostDoubledMs = 5_000;

/** An attempt is not timed beyond an hour. */
const longestMs = 3_600_000;

/** How latency is learnt, for one pool. */
export class LatencyLaw {
  readonly #decayMs: number;
  readonly penaltyMs: number;
  /** Moving mean over the answers of all endpoints. */
  typicalMs: number = unknownMs;

  constructor({ decayMs = 10_000, penaltyMs = 5_000 }: LatencyOptions = {}) {
    assertAtLeast("decayMs", decayMs, 1);
    assertAtLeast("penaltyMs", penaltyMs, 0);
    this.#decayMs = decayMs;
    this.penaltyMs = penaltyMs;
  }

  /** An answer came. */
  answered<E extends Endpoint>(slot: Slot<E>, elapsedMs: number, nowMs: number): void {
    const sampleMs = clamp(elapsedMs);
    this.typicalMs += (sampleMs - this.typicalMs) * typicalShare;
    slot.failureStreak = 0;
    const kept = slot.isTimed ? decay((nowMs - slot.latencyAtMs) * slot.latencyHaste) : 0;
    const estimateMs = slot.latencyMs * kept;
    slot.boundStreak = 0;
    this.#learn(slot, sampleMs > estimateMs ? sampleMs : estimateMs + sampleMs * (1 - kept), nowMs);
  }

  #learn<E extends Endpoint>(slot: Slot<E>, latencyMs: number, nowMs: number): void {
    if (!slot.isTimed) slot.timedSinceMs = nowMs;
    slot.isTimed = true;
    slot.latencyMs = latencyMs;
    slot.latencyAtMs = nowMs;
    const holdMs = Math.max(firstHoldMs, (nowMs - slot.timedSinceMs) * holdPerAge);
    slot.latencyHaste = 1 / Math.min(this.#decayMs, holdMs);
  }

  /**
   * No answer within `elapsedMs`: latency is at least that. Nobody knows by how much more, so each bound in a row with no
   * answer between them counts double the one before; else an endpoint whose every call is given up for a hedge would look
   * hardly slower than the hedge's delay.
   */
  unanswered<E extends Endpoint>(slot: Slot<E>, elapsedMs: number, nowMs: number): void {
    const isLong = clamp(elapsedMs) >= this.typicalMs;
    // An attempt that was cancelled at once teaches nothing of an endpoint that was never timed.
    if (!slot.isTimed && !isLong) return;
    const doublings = isLong ? Math.min(slot.boundStreak, 30) : 0;
    const boundMs = Math.max(clamp(elapsedMs), Math.min(clamp(elapsedMs) * 2 ** doublings, mostDoubledMs));
    if (boundMs <= this.estimateMs(slot, nowMs)) return;
    this.#learn(slot, boundMs, nowMs);
    slot.boundStreak += 1;
  }

  /** It failed, after `elapsedMs`. */
  failed<E extends Endpoint>(slot: Slot<E>, elapsedMs: number, nowMs: number): void {
    const streak = slot.failureStreak + 1;
    if (this.penaltyMs === 0) {
      this.answered(slot, elapsedMs, nowMs);
      slot.failureStreak = streak;
      return;
    }
    const baseMs = Math.max(this.typicalMs, slot.latencyMs, clamp(elapsedMs));
    slot.failureStreak = streak;
    slot.penaltyMs = Math.min(this.penaltyMs, baseMs * firstPenalty * 2 ** Math.min(streak - 1, 30));
    slot.penaltyAtMs = nowMs;
    slot.isPenalized = true;
    if (slot.isTimed) this.unanswered(slot, elapsedMs, nowMs);
  }

  /** Sets `pool.costs[at]` to {@link LatencyLaw.estimateMs}, for a slot that is timed. */
  estimate<E extends Endpoint>(slot: Slot<E>, pool: PoolCore<E>, at: number): void {
    const { costs } = pool;
    costs[at] = (pool.nowMs - slot.latencyAtMs) * slot.latencyHaste;
    decayAt(costs, at);
    costs[at] *= slot.latencyMs;
  }

  /** What the next call is thought to take, failures apart. */
  estimateMs<E extends Endpoint>(slot: Slot<E>, nowMs: number): number {
    return slot.isTimed ? slot.latencyMs * decay((nowMs - slot.latencyAtMs) * slot.latencyHaste) : 0;
  }

  /** What the latest failures are still held to. */
  penaltyLeftMs<E extends Endpoint>(slot: Slot<E>, nowMs: number): number {
    if (!slot.isPenalized) return 0;
    return slot.penaltyMs * decay(((nowMs - slot.penaltyAtMs) * penaltyHaste) / this.#decayMs);
  }
}

function clamp(elapsedMs: number): number {
  return elapsedMs > 0 ? Math.min(elapsedMs, longestMs) : 0;
}

function assertAtLeast(name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return;
  throw new RangeError(`Cannot create a balancer: ${name} is ${value}, expected a finite number ≥ ${least}`);
}
