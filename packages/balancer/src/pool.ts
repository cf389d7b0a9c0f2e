import type { Endpoint, Outcome, Random, Tier } from "./contract.ts";
import { defaultNow } from "./defaults.ts";
import { Dice } from "./dice.ts";
import { type EjectionLaw, type EjectionOptions, ejectionLaw, ejectionMs, mostEjected, outliers } from "./ejection.ts";
import { LatencyLaw, type LatencyOptions } from "./latency.ts";
import { LoadLaw, loopDelayMs, serverInFlight } from "./load.ts";
import { levels, Slot } from "./slot.ts";

/** Below this share of endpoints not ejected, ejections are ignored: then it is likely the judge who is ill. */
const defaultPanicThreshold = 0.5;

/** While calls are in flight, a pick reads the clock once in so many: this often at least … */
const fewestPerReading = 64;
/** … and more seldom, up to this, while less than a millisecond passes from one reading to the next. */
const mostPerReading = 8_192;

/** What a pool takes: where time and randomness come from, and how endpoints are judged. */
export interface PoolOptions extends LatencyOptions {
  /** Milliseconds on a monotonic scale. Default: the platform's. */
  readonly now?: (() => number) | undefined;
  /** Default: a generator built in, seeded by the platform. */
  readonly random?: Random | undefined;
  /** Outlier ejection by sweeps over what calls came to. Default: none; `{}` for gRPC's defaults. */
  readonly ejection?: EjectionOptions | undefined;
  /** Below this share of `up` and `suspect` endpoints not ejected, all are used. Default 0.5; 0 for never. */
  readonly panicThreshold?: number | undefined;
}

/** What is known of one endpoint. */
export interface EndpointStats {
  readonly id: string;
  /** `undefined` if it takes no calls: draining, or of weight 0. */
  readonly tier: Tier | undefined;
  readonly isEjected: boolean;
  /** Picked and not yet done. */
  readonly inFlight: number;
  /** Estimate of latency; `undefined` before the first answer. */
  readonly latencyMs: number | undefined;
  /** What its failures are held to, fading. */
  readonly penaltyMs: number;
  /** Failures since the last answer. */
  readonly failureStreak: number;
  /** As the server last reported, while that is fresh. */
  readonly eventLoopDelayMs: number;
  /** As the server last reported; `undefined` once that has expired. */
  readonly serverInFlight: number | undefined;
}

/** Endpoints and what is known of them. Survives updates, and may be shared by several balancers. */
export interface Pool<E extends Endpoint = Endpoint> {
  /** As {@link Balancer.update}: every balancer on this pool sees the change at once. */
  update(endpoints: readonly E[]): void;
  /**
   * Takes an endpoint out of the choice, as an open circuit breaker does, for as long as `forMs` says or else the base
   * time × how often it was ejected. Refused (`false`) for an endpoint that is unknown, neither `up` nor `suspect`, or
   * already ejected, and when as many are ejected as may be.
   */
  eject(id: string, forMs?: number): boolean;
  /** Lets an ejected endpoint back in before its time. `false` if it was not ejected. */
  restore(id: string): boolean;
  /** What is known of each endpoint, in the order of the latest update. A fresh list. */
  stats(): EndpointStats[];
}

/** A pool to share between balancers, so that what one learns of an endpoint the others know. */
export function createPool<E extends Endpoint = Endpoint>(options?: PoolOptions): Pool<E> {
  return new PoolCore(options);
}

/** The pool as policies see it. */
export class PoolCore<E extends Endpoint> implements Pool<E> {
  readonly dice: Dice;
  readonly latency: LatencyLaw;
  /** Scratch of a pick. In an array, because a number that is returned may be boxed, and picks allocate nothing. */
  readonly costs: Float64Array = new Float64Array(2);
  readonly load: LoadLaw = new LoadLaw();
  /** In the order of the latest update. */
  slots: readonly Slot<E>[] = [];
  /** Rises when any slot's level, weight or zone changes, or the set of slots does: selectors must be rebuilt. */
  version = 0;
  /** Picked and not yet done, over all slots that ever were. */
  inFlight = 0;
  /** Rises only when the set, weights, zones or keys change: what hashing policies build their tables from. */
  membership = 0;
  /** When something falls due: a sweep, or the end of an ejection. Infinity if nothing will. */
  dueAtMs: number = Number.POSITIVE_INFINITY;
  /** The latest moment at which an endpoint began to take calls after the first update; slow start looks at it. */
  lastStartMs: number = Number.NEGATIVE_INFINITY;
  /** So many are ejected that ejections are ignored. */
  isPanic = false;
  readonly #now: () => number;
  /** The latest time known. In an array, because a field that is set from options makes engines box what it held. */
  readonly #clock = new Float64Array(1);
  /** Picks since the clock was read, and how many there may be. */
  #unclocked = 0;
  #picksPerReading = fewestPerReading;
  readonly #law: EjectionLaw;
  readonly #isSweeping: boolean;
  readonly #panicThreshold: number;
  #byId = new Map<string, Slot<E>>();
  #sweepAtMs: number = Number.POSITIVE_INFINITY;

  constructor(options: PoolOptions = {}) {
    const { panicThreshold = defaultPanicThreshold } = options;
    if (!(panicThreshold >= 0 && panicThreshold <= 1)) {
      throw new RangeError(`Cannot create a balancer: panicThreshold is ${panicThreshold}, expected 0 to 1`);
    }
    this.#now = options.now ?? defaultNow;
    this.dice = new Dice(options.random);
    this.latency = new LatencyLaw(options);
    this.#law = ejectionLaw(options.ejection);
    this.#isSweeping = options.ejection !== undefined;
    this.#panicThreshold = panicThreshold;
  }

  /** The latest time known. */
  get nowMs(): number {
    return this.#clock[0] as number;
  }

  update(endpoints: readonly E[]): void {
    const before = this.#byId;
    const after = new Map<string, Slot<E>>();
    for (const endpoint of endpoints) {
      assertWeight(endpoint);
      if (after.has(endpoint.id)) {
        throw new RangeError(`Cannot update endpoints: id "${endpoint.id}" appears twice, expected unique ids`);
      }
      const known = before.get(endpoint.id);
      const stays = known !== undefined && known.endpoint.generation === endpoint.generation;
      after.set(endpoint.id, stays ? known : new Slot(this, endpoint));
    }
    // Nothing throws from here on.
    const nowMs = this.readClock();
    if (this.#isSweeping && this.#sweepAtMs === Number.POSITIVE_INFINITY) {
      this.#sweepAtMs = nowMs + this.#law.intervalMs;
    }
    const slots: Slot<E>[] = [];
    let moved = before.size !== after.size;
    let changed = false;
    for (const endpoint of endpoints) {
      const slot = after.get(endpoint.id);
      if (slot === undefined) continue;
      const isNew = slot !== before.get(endpoint.id);
      // Those of the first update are not new, the client is.
      if (isNew && before.size > 0) this.#start(slot, nowMs);
      moved ||= isNew || slot !== this.slots[slots.length] || differs(slot, endpoint);
      changed ||= slot.state !== stateOf(endpoint);
      adopt(slot, endpoint);
      slots.push(slot);
    }
    for (const [id, slot] of before) if (after.get(id) !== slot) slot.level = levels.out;
    // Without the room for sixteen more that pushing left.
    this.slots = slots.slice();
    this.#byId = after;
    if (moved) this.membership += 1;
    if (moved || changed) this.#setLevels();
    else if (nowMs >= this.dueAtMs) this.#advance();
  }

  eject(id: string, forMs?: number): boolean {
    const slot = this.#byId.get(id);
    if (slot === undefined || slot.isEjected || !isCounted(slot)) return false;
    if (!this.#ejectSlot(slot, this.readClock(), forMs)) return false;
    this.#setLevels();
    return true;
  }

  restore(id: string): boolean {
    const slot = this.#byId.get(id);
    if (slot === undefined || !slot.isEjected) return false;
    this.#restoreSlot(slot, this.readClock());
    this.#setLevels();
    return true;
  }

  stats(): EndpointStats[] {
    const nowMs = this.readClock();
    return this.slots.map((slot) => {
      const inFlight = serverInFlight(slot, nowMs);
      return {
        id: slot.endpoint.id,
        tier: slot.level === levels.out ? undefined : slot.tier,
        isEjected: slot.isEjected,
        inFlight: slot.inFlight,
        latencyMs: slot.isTimed ? this.latency.estimateMs(slot, nowMs) : undefined,
        penaltyMs: this.latency.penaltyLeftMs(slot, nowMs),
        failureStreak: slot.failureStreak,
        eventLoopDelayMs: loopDelayMs(slot, nowMs),
        serverInFlight: inFlight < 0 ? undefined : inFlight,
      };
    });
  }

  /** What time it is, read anew. */
  readClock(givenMs?: number): number {
    this.#unclocked = 0;
    this.#clock[0] = givenMs ?? this.#now();
    return this.nowMs;
  }

  /**
   * Sets `nowMs`, near enough to pick by, and does what has fallen due by then. Reading a clock can cost more than all the rest
   * of a pick, and its answer is a number on the heap; and while calls are in flight their ends tell the time, to which a pick
   * need not add but now and then.
   */
  tick(givenMs: number | undefined): void {
    this.#unclocked += 1;
    if (givenMs !== undefined || this.inFlight === 0) this.readClock(givenMs);
    else if (this.#unclocked >= this.#picksPerReading) this.#pace();
    if ((this.#clock[0] as number) >= this.dueAtMs) this.#advance();
  }

  /** Reads the clock, and says when next: as many picks as pass in a millisecond or so need no other reading. */
  #pace(): void {
    const beforeMs = this.nowMs;
    const elapsedMs = this.readClock() - beforeMs;
    const picks = elapsedMs < 1 ? 2 * this.#picksPerReading : Math.floor(this.#picksPerReading / elapsedMs);
    this.#picksPerReading = Math.min(Math.max(picks, fewestPerReading), mostPerReading);
  }

  /** A picked attempt ended. */
  settle(slot: Slot<E>, outcome: Outcome): void {
    const nowMs = this.readClock(outcome.nowMs);
    if (outcome.result !== "ok") this.#settleOther(slot, outcome, nowMs);
    else {
      slot.successes += 1;
      if (outcome.untimed === true) slot.failureStreak = 0;
      else this.latency.answered(slot, outcome.elapsedMs, nowMs);
    }
    if (outcome.load !== undefined) this.load.record(slot, outcome.load, nowMs);
    if (nowMs >= this.dueAtMs) this.#advance();
  }

  #settleOther(slot: Slot<E>, outcome: Outcome, nowMs: number): void {
    switch (outcome.result) {
      case "failed":
        slot.failures += 1;
        this.latency.failed(slot, outcome.untimed === true ? 0 : outcome.elapsedMs, nowMs);
        break;
      case "cancelled":
        if (outcome.untimed !== true) this.latency.unanswered(slot, outcome.elapsedMs, nowMs);
        break;
      case "ok":
      case "refused":
        break;
      default:
        outcome.result satisfies never;
    }
  }

  /** Does what has fallen due: ends ejections, sweeps. */
  #advance(): void {
    const { nowMs } = this;
    let changed = false;
    for (const slot of this.slots) {
      if (!slot.isEjected || nowMs < slot.ejectedUntilMs) continue;
      this.#restoreSlot(slot, nowMs);
      changed = true;
    }
    if (nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + this.#law.intervalMs;
      if (this.#sweep(nowMs)) changed = true;
    }
    if (changed) this.#setLevels();
    else this.#setDue();
  }

  /** One judgement over the calls since the last; true if an endpoint was ejected. */
  #sweep(nowMs: number): boolean {
    const judged = this.slots.filter(isCounted);
    let changed = false;
    for (const index of outliers(judged, this.#law)) {
      const slot = judged[index];
      if (slot !== undefined && !slot.isEjected && this.#ejectSlot(slot, nowMs)) changed = true;
    }
    for (const slot of this.slots) {
      slot.successes = 0;
      slot.failures = 0;
      if (!slot.isEjected && slot.ejectionTimes > 0) slot.ejectionTimes -= 1;
    }
    return changed;
  }

  #ejectSlot(slot: Slot<E>, nowMs: number, forMs?: number): boolean {
    const counted = this.slots.filter(isCounted);
    const ejected = counted.filter(({ isEjected }) => isEjected).length;
    if (ejected >= mostEjected(counted.length, this.#law.maxPercent)) return false;
    slot.isEjected = true;
    slot.ejectionTimes += 1;
    slot.ejectedUntilMs = nowMs + (forMs ?? ejectionMs(slot.ejectionTimes, this.#law));
    return true;
  }

  #restoreSlot(slot: Slot<E>, nowMs: number): void {
    slot.isEjected = false;
    this.#start(slot, nowMs);
  }

  #start(slot: Slot<E>, nowMs: number): void {
    slot.startedAtMs = nowMs;
    this.lastStartMs = nowMs;
  }

  #setLevels(): void {
    const counted = this.slots.filter(isCounted);
    const ejected = counted.filter(({ isEjected }) => isEjected);
    // After an update that took away others, more may be ejected than may be: the first to return do so now.
    ejected.sort((a, b) => b.ejectedUntilMs - a.ejectedUntilMs);
    while (ejected.length > mostEjected(counted.length, this.#law.maxPercent)) {
      const slot = ejected.pop();
      if (slot !== undefined) this.#restoreSlot(slot, this.nowMs);
    }
    this.isPanic = counted.length - ejected.length < counted.length * this.#panicThreshold;
    for (const slot of this.slots) slot.level = levelOf(slot, this.isPanic);
    this.version += 1;
    this.#setDue();
  }

  #setDue(): void {
    let dueAtMs = this.#sweepAtMs;
    for (const slot of this.slots) if (slot.isEjected) dueAtMs = Math.min(dueAtMs, slot.ejectedUntilMs);
    this.dueAtMs = dueAtMs;
  }
}

function levelOf<E extends Endpoint>(slot: Slot<E>, isPanic: boolean): number {
  if (slot.state === "draining" || slot.weight === 0) return levels.out;
  if (slot.state === "stale") return levels.stale;
  return slot.isEjected && !isPanic ? levels.ejected : levels[slot.state];
}

/** Counts in percentages: it is believed to be there, and takes calls. */
function isCounted<E extends Endpoint>(slot: Slot<E>): boolean {
  return (slot.state === "up" || slot.state === "suspect") && slot.weight > 0;
}

function assertWeight({ id, weight }: Endpoint): void {
  if (weight === undefined || (Number.isFinite(weight) && weight >= 0)) return;
  throw new RangeError(`Cannot update endpoints: weight of "${id}" is ${weight}, expected a finite number ≥ 0`);
}

function stateOf(endpoint: Endpoint): NonNullable<Endpoint["state"]> {
  return endpoint.state ?? "up";
}

function differs<E extends Endpoint>(slot: Slot<E>, endpoint: E): boolean {
  return slot.weight !== (endpoint.weight ?? 1) || slot.zone !== (endpoint.zone ?? "") || slot.key !== keyOf(endpoint);
}

function keyOf(endpoint: Endpoint): string {
  return endpoint.hashKey ?? endpoint.id;
}

function adopt<E extends Endpoint>(slot: Slot<E>, endpoint: E): void {
  slot.endpoint = endpoint;
  slot.key = keyOf(endpoint);
  slot.weight = endpoint.weight ?? 1;
  slot.zone = endpoint.zone ?? "";
  slot.state = stateOf(endpoint);
}
