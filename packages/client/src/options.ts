import type { Balancer, EjectionOptions, Random as BalancerRandom } from "@pipit/balancer";
import {
  type CallOptions,
  type Clock,
  defaultLimits,
  type Random,
  type SessionLimits,
  systemClock,
  systemRandom,
  type Transport,
} from "@pipit/protocol";
import type { InstanceView } from "@pipit/registry";
import type { BreakerOptions } from "./breaker.ts";
import {
  type ConnectionOptions,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
} from "./connection-options.ts";
import type { Credentials } from "./credentials.ts";
import type { RetryBudgetOptions } from "./retry-budget.ts";
import type { RouteEndpoint } from "./route.ts";
import type { ResilienceOptions } from "./service-options.ts";
import type { Target } from "./target.ts";

/** What a client hands to the balancer it asks for. */
export interface BalancerContext {
  readonly now: () => number;
  readonly random: BalancerRandom;
  /** Option `zone` of the client. */
  readonly zone: string | undefined;
  /** Option `ejection` of the client, with its default. */
  readonly ejection: EjectionOptions | undefined;
}

/** How calls are sent again. Where and when they may be is the law; see the README. */
export interface RetryOptions {
  /** Share of calls and rate that retries and hedges may take, per service. */
  readonly budget?: RetryBudgetOptions | undefined;
  /** Ceiling of the wait before the first retry, in milliseconds; it doubles with each further one. Default 25. */
  readonly baseMs?: number | undefined;
  /** Greatest ceiling of that wait, in milliseconds. Default 1,000. */
  readonly maxMs?: number | undefined;
  /** All instances of a service share one `ReplyStore`, so that `once` calls may be tried again at any. Default false. */
  readonly sharedReplyStore?: boolean | undefined;
}

/** Options of `createClient`. */
export interface ClientOptions {
  /** `"host:port"`, a list of them, or `{ registry }`, in which the name of each service is looked up. */
  readonly target: Target;
  /** Default `tcp()`. */
  readonly transport?: Transport | undefined;
  /** Under the options of every call. */
  readonly defaults?: CallOptions | undefined;
  /** Where this client stands: endpoints of the same zone are preferred. */
  readonly zone?: string | undefined;
  /** Metadata added to each call, such as a token. Never sent in the clear off this machine unless told. */
  readonly credentials?: Credentials | undefined;
  /** Makes the balancer of a service. Default: `peakEwma`, with the zone and ejection of the client. */
  readonly balancer?: ((context: BalancerContext) => Balancer<RouteEndpoint>) | undefined;
  /** Takes endpoints out of the choice whose calls fail far more than others'. Default on; `false` for never. */
  readonly ejection?: EjectionOptions | false | undefined;
  /** Takes an endpoint out of the choice after failures in a row. Default on; `false` for never. */
  readonly breaker?: BreakerOptions | false | undefined;
  /** Under the resilience options of every service. */
  readonly resilience?: ResilienceOptions | undefined;
  /** How calls are sent again. */
  readonly retry?: RetryOptions | undefined;
  /** How connections are opened, kept and closed. */
  readonly connection?: ConnectionOptions | undefined;
  /** The name that an instance's certificate must be for. Default: its host. */
  readonly serverName?: ((instance: InstanceView) => string | undefined) | undefined;
  /** Bounds of each connection. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Time and timers. Default: the system's; tests give a virtual one. */
  readonly clock?: Clock | undefined;
  /** Default: the system's; tests give a seeded one. */
  readonly random?: Random | undefined;
}

/** Options with their defaults filled in. */
export interface ResolvedClientOptions {
  readonly connection: ResolvedConnectionOptions;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: { readonly baseMs: number; readonly maxMs: number };
  readonly sharedReplyStore: boolean;
}

/** @throws RangeError or TypeError that names the option */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const { clock = systemClock, random = systemRandom, retry = {} } = options;
  const { baseMs = 25, maxMs = 1000 } = retry;
  if (!(baseMs > 0 && maxMs >= baseMs)) {
    throw new RangeError(
      `Options retry.baseMs and retry.maxMs: expected 0 < baseMs ≤ maxMs, got ${baseMs} and ${maxMs}`,
    );
  }
  const limits = Object.entries(options.limits ?? {}).filter(([, value]) => value !== undefined);
  return {
    connection: resolveConnectionOptions(options.connection),
    limits: { ...defaultLimits, ...Object.fromEntries(limits) },
    clock,
    random,
    retry: { baseMs, maxMs },
    sharedReplyStore: retry.sharedReplyStore ?? false,
  };
}
