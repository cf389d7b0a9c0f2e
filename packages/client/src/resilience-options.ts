import type { Balancer, EjectionOptions, Random as BalancerRandom } from "@pipit/balancer";
import type { Method, RpcError } from "@pipit/protocol";
import type { BreakerOptions } from "./breaker.ts";
import type { ConcurrencyOptions } from "./concurrency-limit.ts";
import { given } from "./given.ts";
import type { HedgeOptions } from "./hedged-call.ts";
import type { RetryBudgetOptions } from "./retry-budget.ts";
import type { RouteEndpoint } from "./route.ts";

/** What stands in for a reply that could not be had. */
export type Fallback = (error: RpcError, request: unknown, method: Method) => unknown;

/** How calls are sent again. Where and when they may be is the law; see the README. */
export interface RetryOptions {
  /**
   * Share of calls and rate that retries and hedges may take. All calls of a service draw on one budget; a method that is
   * given options of its own has a budget of its own. Default: 20 % and 10/s, over 10 s.
   */
  readonly budget?: RetryBudgetOptions | undefined;
  /** Ceiling of the wait before the first retry, in milliseconds; it doubles with each further one. Default 25. */
  readonly baseMs?: number | undefined;
  /** Greatest ceiling of that wait, in milliseconds. Default 1,000. */
  readonly maxMs?: number | undefined;
  /** All instances of a service share one `ReplyStore`, so that `once` calls may be tried again at any. Default false. */
  readonly sharedReplyStore?: boolean | undefined;
}

/** What a client hands to the balancer it asks for. */
export interface BalancerContext {
  readonly now: () => number;
  readonly random: BalancerRandom;
  /** Option `zone` of the client. */
  readonly zone: string | undefined;
  /** Option `ejection`, with its default. */
  readonly ejection: EjectionOptions | undefined;
}

/**
 * How calls cope with slow and failing servers. For a client, a service, or a method: each option given more narrowly wins,
 * `retry` part by part, and `false` switches one off.
 *
 * A service or method that is given `balancer`, `ejection` or `breaker` learns of its endpoints by itself: what fails
 * there takes no endpoint out for others, and the other way round. Connections are shared all the same.
 */
export interface ResilienceOptions {
  /** `false` sends no call again, law or not. Calls refused before they ran still go elsewhere. Default true. */
  readonly retries?: boolean | undefined;
  /** How calls are sent again: budget, backoff. */
  readonly retry?: RetryOptions | undefined;
  /** Hedges slow `safe` and `idempotent` calls with one reply. Default off. */
  readonly hedge?: HedgeOptions | false | undefined;
  /** Bounds the calls open at once, per service, or per method where it stands there. Default off. */
  readonly concurrency?: ConcurrencyOptions | false | undefined;
  /** Gives a reply in place of an error, for calls with one reply. Not asked for a call that its caller cancelled. */
  readonly fallback?: Fallback | false | undefined;
  /** Makes the balancer over the endpoints. Default: `peakEwma`, with the zone and ejection that hold here. */
  readonly balancer?: ((context: BalancerContext) => Balancer<RouteEndpoint>) | undefined;
  /** Takes endpoints out of the choice whose calls fail far more than others'. Default on; `false` for never. */
  readonly ejection?: EjectionOptions | false | undefined;
  /** Takes an endpoint out of the choice after failures in a row. Default on; `false` for never. */
  readonly breaker?: BreakerOptions | false | undefined;
}

/** Every name of {@link ResilienceOptions}. */
const names = Object.keys({
  retries: true,
  retry: true,
  hedge: true,
  concurrency: true,
  fallback: true,
  balancer: true,
  ejection: true,
  breaker: true,
} satisfies Record<keyof ResilienceOptions, true>) as readonly (keyof ResilienceOptions)[];

/** Options that say how a balancer judges endpoints: whoever is given one has endpoint statistics of its own. */
const routeNames = ["balancer", "ejection", "breaker"] as const;

/** Options of one method with everything merged, and by whom what they stand for is shared. */
export interface MethodResilience {
  readonly options: ResilienceOptions;
  /** Calls under the same name share a retry budget. */
  readonly budgetScope: string;
  /** Calls under the same name share a concurrency limit. */
  readonly limitScope: string;
  /** Calls under the same name share endpoint statistics; undefined for those of the client. */
  readonly routeScope: string | undefined;
}

/** What the options of client, service and method come to for one method. */
export function resilienceOf(
  method: Method,
  ofClient: ResilienceOptions | undefined,
  ofService: ResilienceOptions | undefined,
  ofMethod: ResilienceOptions | undefined,
): MethodResilience {
  const own = `${method.service}/${method.name}`;
  const routed = (options: ResilienceOptions | undefined): boolean =>
    routeNames.some((name) => options?.[name] !== undefined);
  return {
    options: mergeResilience(ofClient, ofService, ofMethod),
    budgetScope: ofMethod?.retry?.budget === undefined ? method.service : own,
    limitScope: ofMethod?.concurrency === undefined ? method.service : own,
    routeScope: routed(ofMethod) ? own : routed(ofService) ? method.service : undefined,
  };
}

/** What each option comes to, the narrowest given last. */
export function mergeResilience(...levels: readonly (ResilienceOptions | undefined)[]): ResilienceOptions {
  const merged: Record<string, unknown> = {};
  let retry: RetryOptions | undefined;
  for (const options of levels) {
    for (const name of names) if (options?.[name] !== undefined) merged[name] = options[name];
    if (options?.retry !== undefined) retry = mergeRetry(retry, options.retry);
  }
  return retry === undefined ? merged : { ...merged, retry };
}

function mergeRetry(under: RetryOptions | undefined, over: RetryOptions): RetryOptions {
  const { budget, ...rest } = over;
  const merged = { ...under, ...given(rest) };
  return budget === undefined ? merged : { ...merged, budget: { ...under?.budget, ...given(budget) } };
}

/** The part of some options that is not about resilience; undefined when there is none. */
export function withoutResilience<T extends ResilienceOptions>(
  options: T | undefined,
): Omit<T, keyof ResilienceOptions> | undefined {
  const rest = Object.entries(options ?? {}).filter(([name]) => !(names as readonly string[]).includes(name));
  return rest.length === 0 ? undefined : (Object.fromEntries(rest) as Omit<T, keyof ResilienceOptions>);
}

/** How long a retry waits, with defaults filled in. */
export interface ResolvedRetry {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** One for all methods that say nothing else. */
const defaultRetry: ResolvedRetry = { baseMs: 25, maxMs: 1000 };

/** @throws RangeError unless 0 < baseMs ≤ maxMs */
export function resolveRetry(options: RetryOptions = {}): ResolvedRetry {
  const { baseMs = defaultRetry.baseMs, maxMs = defaultRetry.maxMs } = options;
  if (baseMs === defaultRetry.baseMs && maxMs === defaultRetry.maxMs) return defaultRetry;
  if (baseMs > 0 && maxMs >= baseMs) return { baseMs, maxMs };
  throw new RangeError(`Options retry.baseMs and retry.maxMs: expected 0 < baseMs ≤ maxMs, got ${baseMs} and ${maxMs}`);
}
