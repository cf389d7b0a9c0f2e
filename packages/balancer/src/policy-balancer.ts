import type { Balancer, Endpoint, Pick, PickRequest } from "./contract.ts";
import { avalanche, Hasher } from "./hash.ts";
import { type Pool, PoolCore, type PoolOptions } from "./pool.ts";
import { Ask, type Policy, type Selector } from "./selector.ts";
import { levels, type Slot } from "./slot.ts";
import { type SlowStartLaw, type SlowStartOptions, slowStartLaw } from "./slow-start.ts";
import { assertSubset, defaultSubsetSize, type SubsetOptions, subsetOf } from "./subset.ts";
import { assertZone, type ZoneOptions, zoneShares } from "./zone.ts";

const twoTo32 = 0x1_0000_0000;

/** Options of a pool's own, not to be given beside a shared pool. */
const poolOptionNames = ["now", "random", "decayMs", "penaltyMs", "ejection", "panicThreshold"] as const;

/**
 * Options that every policy takes. The filters apply in this order: ejected endpoints are left out, then zones are
 * preferred, then a subset is taken, then new endpoints warm up, then the policy chooses.
 */
export interface BalancerOptions<E extends Endpoint = Endpoint> extends PoolOptions {
  /** Statistics to share with other balancers, in place of the options of a pool. Default: a pool of its own. */
  readonly pool?: Pool<E> | undefined;
  /** Prefers one's own zone. Default: all zones alike. */
  readonly zone?: ZoneOptions | undefined;
  /** Uses some of the endpoints only. Default: all. */
  readonly subset?: SubsetOptions | undefined;
  /** Lets endpoints warm up that come after the first update. Default: none. */
  readonly slowStart?: SlowStartOptions | undefined;
}

/** What the policies return: a {@link Balancer} whose pool is at hand. */
export interface PolicyBalancer<E extends Endpoint = Endpoint> extends Balancer<E> {
  /** What is known of each endpoint. */
  readonly pool: Pool<E>;
}

/** A selector, and of which membership its table is. */
interface Built<E extends Endpoint> {
  readonly selector: Selector<E>;
  readonly membership: number;
}

/** Slots of one zone, or of all, under one selector. */
interface Group<E extends Endpoint> {
  readonly selector: Selector<E>;
  /** A draw of 32 bits below this, and not below that of the group before, falls to this group. */
  readonly until: number;
}

/** Groups to choose from, asked for slots down to one level. */
interface View<E extends Endpoint> {
  readonly level: number;
  readonly groups: readonly Group<E>[];
}

/** Puts a policy to work on a pool. */
export function createBalancer<E extends Endpoint>(
  policy: Policy<E>,
  options: BalancerOptions<E> = {},
): PolicyBalancer<E> {
  return new PolicyBalancerCore(policy, poolFor(options), options);
}

class PolicyBalancerCore<E extends Endpoint> implements PolicyBalancer<E> {
  readonly pool: PoolCore<E>;
  readonly #policy: Policy<E>;
  readonly #zone: ZoneOptions | undefined;
  readonly #subsetSize: number;
  readonly #subsetSeed: number;
  readonly #slowStart: SlowStartLaw | undefined;
  /** Made with the first key. */
  #hasher: Hasher | undefined = undefined;
  readonly #ask: Ask<E>;
  readonly #selectors = new Map<string, Built<E>>();
  #views: readonly View<E>[] = [];
  #version = 0;
  /** Slow starts that began at this moment or before are over. */
  #warmSinceMs: number = Number.NEGATIVE_INFINITY;

  constructor(policy: Policy<E>, pool: PoolCore<E>, { zone, subset, slowStart }: BalancerOptions<E>) {
    if (zone !== undefined) assertZone(zone);
    if (subset !== undefined) assertSubset(subset);
    this.pool = pool;
    this.#policy = policy;
    this.#zone = zone;
    this.#subsetSize = subset === undefined ? Number.POSITIVE_INFINITY : (subset.size ?? defaultSubsetSize);
    this.#subsetSeed = subset === undefined ? 0 : (subset.seed ?? pool.dice.word() >>> 0);
    this.#slowStart = slowStart === undefined ? undefined : slowStartLaw(slowStart);
    this.#ask = new Ask(pool);
    this.#ask.isSticky = policy.isSticky;
  }

  update(endpoints: readonly E[]): void {
    this.pool.update(endpoints);
    this.#refresh();
  }

  pick(request?: PickRequest<E>): Pick<E> | undefined {
    const { pool } = this;
    const ask = this.#ask;
    const exclude = request?.exclude;
    ask.exclude = exclude;
    ask.open = exclude === undefined;
    const isWarming = this.#slowStart !== undefined && pool.lastStartMs > this.#warmSinceMs;
    if (isWarming || this.#policy.isTimed || pool.dueAtMs !== Number.POSITIVE_INFINITY) {
      pool.tick(request?.nowMs);
      if (isWarming) this.#warm(ask);
    }
    if (this.#version !== pool.version) this.#refresh();
    if (this.#policy.isSticky) this.#setKey(ask, request?.hashKey);
    const slot = this.#choose(ask);
    // Not to keep alive what the caller's function closes over.
    if (exclude !== undefined) ask.exclude = undefined;
    if (isWarming) ask.slowStart = undefined;
    slot?.begin();
    return slot;
  }

  #choose(ask: Ask<E>): Slot<E> | undefined {
    const views = this.#views;
    for (let index = 0; index < views.length; index += 1) {
      const view = views[index];
      if (view === undefined) break;
      ask.level = view.level;
      const slot = this.#chooseFrom(view.groups, ask);
      if (slot !== undefined) return slot;
      // All there is to choose is warming up: then it must do.
      if (ask.slowStart === undefined) continue;
      const { slowStart } = ask;
      ask.slowStart = undefined;
      const cold = this.#chooseFrom(view.groups, ask);
      if (cold !== undefined) return cold;
      ask.slowStart = slowStart;
    }
    return undefined;
  }

  #chooseFrom(groups: readonly Group<E>[], ask: Ask<E>): Slot<E> | undefined {
    if (groups.length === 1) return groups[0]?.selector.select(ask);
    const draw = this.#policy.isSticky ? avalanche(ask.keyHigh ^ ask.keyLow) >>> 0 : ask.dice.word() >>> 0;
    let chosen = 0;
    while (chosen < groups.length - 1 && draw >= (groups[chosen] as Group<E>).until) chosen += 1;
    const slot = groups[chosen]?.selector.select(ask);
    if (slot !== undefined) return slot;
    for (let index = 0; index < groups.length; index += 1) {
      const other = index === chosen ? undefined : groups[index]?.selector.select(ask);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #setKey(ask: Ask<E>, hashKey: string | undefined): void {
    if (hashKey === undefined) {
      ask.keyHigh = ask.dice.word();
      ask.keyLow = ask.dice.word();
      return;
    }
    const hasher = (this.#hasher ??= new Hasher());
    hasher.hash(hashKey);
    ask.keyHigh = hasher.high;
    ask.keyLow = hasher.low;
  }

  #warm(ask: Ask<E>): void {
    const { lastStartMs } = this.pool;
    if (this.#slowStart !== undefined && this.pool.nowMs - lastStartMs < this.#slowStart.windowMs) {
      ask.slowStart = this.#slowStart;
      ask.turnedAway = 0;
      ask.open = false;
    } else {
      this.#warmSinceMs = lastStartMs;
    }
  }

  #refresh(): void {
    const { pool } = this;
    if (this.#version === pool.version) return;
    this.#version = pool.version;
    const present = [...Array(levels.out).keys()].filter((level) => pool.slots.some((slot) => slot.level === level));
    if (this.#policy.isSticky) {
      const best = pool.slots.filter((slot) => slot.level === present[0]);
      const groups = present.length === 0 ? [] : this.#groups("", pool.slots, best);
      this.#views = present.map((level) => ({ level, groups }));
      return;
    }
    this.#views = present.map((level) => {
      const isWhole = pool.slots.every((slot) => slot.level === level);
      const slots = isWhole ? pool.slots : pool.slots.filter((slot) => slot.level === level);
      return { level, groups: this.#groups(`${level} `, slots, slots) };
    });
  }

  /** Groups `slots` by zone, the local one first; the shares follow from those that count as capacity. */
  #groups(name: string, slots: readonly Slot<E>[], capacity: readonly Slot<E>[]): Group<E>[] {
    const zone = this.pool.isPanic ? undefined : this.#zone;
    if (zone === undefined) return [this.#group(name, slots, 1, twoTo32)];
    const capacities = new Map<string, number>();
    for (const slot of capacity) capacities.set(slot.zone, (capacities.get(slot.zone) ?? 0) + slot.weight);
    const shares = zoneShares(capacities, zone);
    const zones = [...new Set(slots.map((slot) => slot.zone))].sort((a, b) =>
      a === zone.local ? -1 : b === zone.local ? 1 : a < b ? -1 : 1,
    );
    let until = 0;
    return zones.map((each) => {
      const share = shares.get(each) ?? 0;
      until += share * twoTo32;
      const own = slots.filter((slot) => slot.zone === each);
      return this.#group(`${name}zone ${each}`, own, share, until);
    });
  }

  #group(name: string, slots: readonly Slot<E>[], share: number, until: number): Group<E> {
    const { membership } = this.pool;
    const built = this.#selectors.get(name);
    const selector = built?.selector ?? this.#policy.createSelector();
    if (!this.#policy.isSticky || built?.membership !== membership) {
      const size = Math.max(1, Math.ceil(this.#subsetSize * share));
      selector.rebuild(slots.length > size ? subsetOf(slots, size, this.#subsetSeed) : slots);
      this.#selectors.set(name, { selector, membership });
    }
    selector.relevel?.();
    return { selector, until };
  }
}

function poolFor<E extends Endpoint>(options: BalancerOptions<E>): PoolCore<E> {
  const { pool } = options;
  if (pool === undefined) return new PoolCore(options);
  if (!(pool instanceof PoolCore)) {
    throw new TypeError("Cannot create a balancer: pool is of another make, expected one from createPool");
  }
  const extra = poolOptionNames.find((name) => options[name] !== undefined);
  if (extra !== undefined) {
    throw new TypeError(`Cannot create a balancer: ${extra} is given beside pool, expected it in createPool`);
  }
  return pool;
}
