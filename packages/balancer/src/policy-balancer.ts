import type { Balancer, Endpoint, Pick, PickRequest, Random } from "./contract.ts";
import { type Pool, PoolCore } from "./pool.ts";
import { Ask, type Policy, type Selector } from "./selector.ts";
import { levels, type Slot } from "./slot.ts";

/** Options that every policy takes. */
export interface BalancerOptions<E extends Endpoint = Endpoint> {
  /** Milliseconds on a monotonic scale. Default: the platform's. Not with `pool`, which has its own. */
  readonly now?: (() => number) | undefined;
  /** Default: the platform's generator. Not with `pool`. */
  readonly random?: Random | undefined;
  /** Statistics to share with other balancers. Default: a pool of its own. */
  readonly pool?: Pool<E> | undefined;
}

/** What the policies return: a {@link Balancer} whose pool is at hand. */
export interface PolicyBalancer<E extends Endpoint = Endpoint> extends Balancer<E> {
  /** What is known of each endpoint. */
  readonly pool: Pool<E>;
}

/** A list of slots under one selector, asked for slots down to one level. */
interface View<E extends Endpoint> {
  readonly level: number;
  readonly selector: Selector<E>;
}

/** Puts a policy to work on a pool. */
export function createBalancer<E extends Endpoint>(
  policy: Policy<E>,
  options: BalancerOptions<E> = {},
): PolicyBalancer<E> {
  return new PolicyBalancerCore(policy, poolFor(options));
}

class PolicyBalancerCore<E extends Endpoint> implements PolicyBalancer<E> {
  readonly pool: PoolCore<E>;
  readonly #policy: Policy<E>;
  readonly #ask: Ask<E>;
  readonly #selectors: Selector<E>[] = [];
  #views: View<E>[] = [];
  #version = 0;

  constructor(policy: Policy<E>, pool: PoolCore<E>) {
    this.pool = pool;
    this.#policy = policy;
    this.#ask = new Ask(pool.random);
  }

  update(endpoints: readonly E[]): void {
    this.pool.update(endpoints);
    this.#refresh();
  }

  pick(request?: PickRequest<E>): Pick<E> | undefined {
    if (this.#version !== this.pool.version) this.#refresh();
    const ask = this.#ask;
    const exclude = request?.exclude;
    ask.open = exclude === undefined;
    if (exclude !== ask.exclude) ask.exclude = exclude;
    const slot = this.#choose(ask);
    if (slot !== undefined) slot.inFlight += 1;
    return slot;
  }

  #choose(ask: Ask<E>): Slot<E> | undefined {
    const views = this.#views;
    for (let index = 0; index < views.length; index += 1) {
      const view = views[index];
      if (view === undefined) break;
      ask.level = view.level;
      const slot = view.selector.select(ask);
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  #refresh(): void {
    if (this.#version === this.pool.version) return;
    this.#version = this.pool.version;
    this.#views = [];
    for (let level = 0; level < levels.out; level += 1) {
      const slots = this.pool.slots.filter((slot) => slot.level === level);
      if (slots.length === 0) continue;
      const selector = (this.#selectors[level] ??= this.#policy.createSelector());
      selector.rebuild(slots);
      this.#views.push({ level, selector });
    }
  }
}

function poolFor<E extends Endpoint>(options: BalancerOptions<E>): PoolCore<E> {
  const { pool } = options;
  if (pool === undefined) return new PoolCore(options);
  if (!(pool instanceof PoolCore)) {
    throw new TypeError("Cannot create a balancer: pool is of another make, expected one from createPool");
  }
  if (options.now !== undefined || options.random !== undefined) {
    throw new TypeError("Cannot create a balancer: now and random are the shared pool's, expected pool alone");
  }
  return pool;
}
