import type { CallOptions, Method, RpcError } from "@pipit/protocol";
import type { ConcurrencyOptions } from "./concurrency-limit.ts";
import type { HedgeOptions } from "./hedged-call.ts";

/** What stands in for a reply that could not be had. */
export type Fallback = (error: RpcError, request: unknown, method: Method) => unknown;

/**
 * How calls cope with slow and failing servers beyond the retries that law 4 allows. For a client, a service, or a method;
 * the narrower wins, and `false` switches one off.
 */
export interface ResilienceOptions {
  /** Hedges slow `safe` and `idempotent` calls with one reply. Default off. */
  readonly hedge?: HedgeOptions | false | undefined;
  /** Bounds the calls open at once, per service, or per method where it stands there. Default off. */
  readonly concurrency?: ConcurrencyOptions | false | undefined;
  /** Gives a reply in place of an error, for calls with one reply. Not asked for a call that its caller cancelled. */
  readonly fallback?: Fallback | false | undefined;
  /** `false` sends no call again, law or not. Calls refused before they ran still go elsewhere. Default true. */
  readonly retries?: boolean | undefined;
}

/** Options of `client.service`. */
export interface ServiceOptions extends CallOptions, ResilienceOptions {
  /** Options of single methods, by name. */
  readonly methods?: Readonly<Record<string, (ResilienceOptions & CallOptions) | undefined>> | undefined;
}

/** What each option comes to, the narrowest given last. */
export function mergeResilience(...given: readonly (ResilienceOptions | undefined)[]): ResilienceOptions {
  const merged: { -readonly [K in keyof ResilienceOptions]: ResilienceOptions[K] } = {};
  for (const options of given) {
    if (options === undefined) continue;
    if (options.hedge !== undefined) merged.hedge = options.hedge;
    if (options.concurrency !== undefined) merged.concurrency = options.concurrency;
    if (options.fallback !== undefined) merged.fallback = options.fallback;
    if (options.retries !== undefined) merged.retries = options.retries;
  }
  return merged;
}
