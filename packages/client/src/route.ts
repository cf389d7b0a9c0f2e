import type { Balancer, Endpoint, EndpointState, Pick, PolicyBalancer, Result } from "@pipit/balancer";
import type { Breaker } from "./breaker.ts";
import { type Method, RpcError } from "@pipit/protocol";
import type { EndpointChannel } from "./endpoint-channel.ts";
import type { WaitList } from "./wait-list.ts";
import { type Waiter, Waiters } from "./waiters.ts";

/** An endpoint as balancers see it, with the connections to it. */
export interface RouteEndpoint extends Endpoint {
  readonly channel: EndpointChannel;
}

/** An endpoint before it has a channel. */
export interface ResolvedEndpoint {
  readonly id: string;
  readonly address: string;
  readonly weight?: number | undefined;
  readonly zone?: string | undefined;
  readonly state?: EndpointState | undefined;
  readonly generation?: number | undefined;
  readonly serverName?: string | undefined;
}

/** Options of {@link Route}. */
export interface RouteOptions {
  /** What calls look for, for their errors: an address, a list, or the service's name. */
  readonly text: string;
  readonly policy: string;
  readonly balancer: Balancer<RouteEndpoint>;
  readonly breaker?: Breaker | undefined;
  readonly waiting: WaitList;
  readonly openChannel: (endpoint: ResolvedEndpoint) => EndpointChannel;
  readonly closeChannel: (channel: EndpointChannel) => void;
}

type RoutePick = Pick<RouteEndpoint>;

/** Ways from a service to its endpoints: the set of them, the balancer over it, and the calls that wait for one. */
export class Route {
  readonly text: string;
  readonly policy: string;
  readonly #options: RouteOptions;
  readonly #request: { hashKey: string | undefined; exclude: ((endpoint: RouteEndpoint) => boolean) | undefined } = {
    hashKey: undefined,
    exclude: undefined,
  };
  readonly #waiters: Waiters;
  #endpoints: readonly RouteEndpoint[] = [];
  #resolved = false;
  #failingCount = 0;
  /** Whether any endpoint lacks any method. */
  #isLacking = false;

  constructor(options: RouteOptions) {
    this.text = options.text;
    this.policy = options.policy;
    this.#options = options;
    this.#waiters = new Waiters(options.waiting);
  }

  get endpoints(): readonly RouteEndpoint[] {
    return this.#endpoints;
  }

  /** Whether it is known who serves, be it nobody. */
  get resolved(): boolean {
    return this.#resolved;
  }

  /** Takes the new set. Channels of endpoints that stay are kept; the others end their calls and close. */
  update(resolved: readonly ResolvedEndpoint[]): void {
    const before = this.#endpoints;
    this.#endpoints = resolved.map((endpoint) => ({ ...endpoint, channel: this.#options.openChannel(endpoint) }));
    this.#options.balancer.update(this.#endpoints);
    this.#options.breaker?.keep(new Set(this.#endpoints.map(({ id }) => id)));
    for (const { channel } of before) this.#options.closeChannel(channel);
    const first = !this.#resolved;
    this.#resolved = true;
    this.recount();
    // To know that nobody serves ends the wait, too.
    if (first || this.#endpoints.length > 0) this.#waiters.resume();
  }

  /** A channel began or ceased to fail, or to lack methods. */
  recount(): void {
    this.#failingCount = 0;
    this.#isLacking = this.#endpoints.some(({ channel }) => channel.isLacking);
    let usable = 0;
    for (const { channel } of this.#endpoints) {
      if (channel.failing) this.#failingCount++;
      else usable++;
    }
    if (usable > 0) this.#waiters.resume();
  }

  /** An attempt ended there. Returns whether that opened the circuit breaker. */
  record(id: string, result: Result): boolean {
    const { breaker, balancer } = this.#options;
    // A balancer of the user's own may have no pool.
    const pool = (balancer as Partial<PolicyBalancer<RouteEndpoint>>).pool;
    return breaker !== undefined && pool !== undefined && breaker.record(id, result, pool);
  }

  /** An endpoint for a first sending; those that cannot be reached or lack the method come last. Mostly allocates nothing. */
  pickFirst(hashKey: string | undefined, method: Method): RoutePick | undefined {
    if (this.#failingCount === 0 && !this.#isLacking) {
      return hashKey === undefined ? this.#options.balancer.pick() : this.#pick(hashKey, undefined);
    }
    return this.#pick(hashKey, this.#unfit(method)) ?? this.#pick(hashKey, isFailing) ?? this.#pick(hashKey, undefined);
  }

  /** One that this call has not been sent to, and that may know the method. */
  pickUntried(hashKey: string | undefined, tried: ReadonlySet<string>, method: Method): RoutePick | undefined {
    const wasTried = (endpoint: RouteEndpoint): boolean => tried.has(endpoint.id) || this.#lacks(endpoint, method);
    return (
      this.#pick(hashKey, (endpoint) => endpoint.channel.failing || wasTried(endpoint)) ?? this.#pick(hashKey, wasTried)
    );
  }

  /** Untried ones that can be reached first, then others that can, then any. */
  pickAgain(hashKey: string | undefined, tried: ReadonlySet<string>, method: Method): RoutePick | undefined {
    const unfit = this.#unfit(method);
    return (
      this.#pick(hashKey, (endpoint) => unfit(endpoint) || tried.has(endpoint.id)) ??
      this.#pick(hashKey, unfit) ??
      this.pickUntried(hashKey, tried, method) ??
      this.#pick(hashKey, undefined)
    );
  }

  /** The one endpoint of this id, while it is there. */
  pickSame(id: string): RoutePick | undefined {
    return this.#pick(undefined, (endpoint) => endpoint.id !== id);
  }

  /** Whether there is an endpoint not yet tried that may take calls of this method. */
  hasUntried(tried: ReadonlySet<string>, method: Method): boolean {
    return this.#endpoints.some((endpoint) => {
      const { id, state, weight } = endpoint;
      return state !== "draining" && weight !== 0 && !tried.has(id) && !this.#lacks(endpoint, method);
    });
  }

  /** The call waits for an endpoint. */
  wait(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Why there is nowhere to go. */
  emptiness(): RpcError {
    const count = this.#endpoints.length;
    const text = !this.#resolved
      ? `Who serves ${this.text} is not known yet`
      : count === 0
        ? `Nobody serves ${this.text}`
        : `None of the ${count} endpoints of ${this.text} takes calls`;
    return new RpcError("unavailable", text, { handled: "no" });
  }

  /** Ends the waiting calls and forgets the endpoints. */
  close(error: RpcError): void {
    const channels = this.#endpoints.map(({ channel }) => channel);
    this.#endpoints = [];
    this.#options.balancer.update([]);
    this.#waiters.giveUp(error);
    for (const channel of channels) this.#options.closeChannel(channel);
  }

  #unfit(method: Method): (endpoint: RouteEndpoint) => boolean {
    return (endpoint) => endpoint.channel.failing || this.#lacks(endpoint, method);
  }

  #lacks({ channel }: RouteEndpoint, method: Method): boolean {
    return this.#isLacking && channel.lacks(method);
  }

  #pick(
    hashKey: string | undefined,
    exclude: ((endpoint: RouteEndpoint) => boolean) | undefined,
  ): RoutePick | undefined {
    const request = this.#request;
    request.hashKey = hashKey;
    request.exclude = exclude;
    return this.#options.balancer.pick(request);
  }
}

function isFailing({ channel }: RouteEndpoint): boolean {
  return channel.failing;
}
