import { type CallOptions, type Criticality, type Method, streamsInput, streamsOutput } from "@pipit/protocol";
import { type ResilienceOptions, type ResolvedRetry, resolveRetry } from "./resilience-options.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Route } from "./route.ts";

/** Everything about calls of a method that does not change from call to call: computed once per proxy. */
export interface CallPlan {
  readonly method: Method;
  readonly route: Route;
  /** Retries of all calls of this service, or of the method where it has its own. */
  readonly budget: RetryBudget;
  /** Deadline when the call gives none, in milliseconds. */
  readonly timeoutMs: number;
  /** The contract or the service's options gave it; else it is the client's default, which bounds streams less. */
  readonly timeoutGiven: boolean;
  /** Whether it may be sent again where the law allows it. */
  readonly retries: boolean;
  /** How long a retry waits. */
  readonly retry: ResolvedRetry;
  /** All instances share one reply store. */
  readonly sharedReplyStore: boolean;
  /** Options under those of the call; undefined when there are none, so that a plain call merges nothing. */
  readonly options: CallOptions | undefined;
  /** Requests come as a stream. */
  readonly streamsInput: boolean;
  /** Replies come as a stream. */
  readonly streamsOutput: boolean;
}

/** Whether the plan's timeout is a deadline of the whole call. One that nobody gave bounds of a stream only the silent parts. */
export function isBounded(plan: CallPlan): boolean {
  return plan.timeoutGiven || !streams(plan);
}

/** Whether requests or replies come as a stream. */
export function streams({ streamsInput, streamsOutput }: CallPlan): boolean {
  return streamsInput || streamsOutput;
}

/** Deadline of a call for which nobody says anything, in milliseconds. */
const defaultTimeoutMs = 10_000;

/** Options in the order in which they win: the service's, the method's, the client's defaults, then 10 s. */
export function planCalls(
  method: Method,
  { route, budget }: { readonly route: Route; readonly budget: RetryBudget },
  serviceOptions: CallOptions | undefined,
  defaults: CallOptions | undefined,
  { retries = true, retry }: Pick<ResilienceOptions, "retries" | "retry">,
): CallPlan {
  const given = serviceOptions?.timeoutMs ?? method.timeoutMs;
  const options = mergeOptions(defaults, serviceOptions);
  return {
    method,
    route,
    budget,
    timeoutMs: checkedTimeout(given ?? defaults?.timeoutMs ?? defaultTimeoutMs),
    timeoutGiven: given !== undefined,
    retries,
    retry: resolveRetry(retry),
    sharedReplyStore: retry?.sharedReplyStore ?? false,
    options,
    streamsInput: streamsInput(method),
    streamsOutput: streamsOutput(method),
  };
}

/** `over` on top of `under`, name by name for metadata; either may be absent. */
export function mergeOptions(under: CallOptions | undefined, over: CallOptions | undefined): CallOptions | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) if (value !== undefined) merged[name] = value;
  if (under.metadata !== undefined && over.metadata !== undefined) {
    merged["metadata"] = Object.fromEntries([...entriesOf(under.metadata), ...entriesOf(over.metadata)]);
  }
  return merged;
}

/** @throws RangeError unless it is a number of milliseconds */
export function checkedTimeout(timeoutMs: number): number {
  if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs)) {
    throw new RangeError(`Option timeoutMs: expected a number of milliseconds, got ${String(timeoutMs)}`);
  }
  return timeoutMs;
}

/** The number that travels for a {@link Criticality}. */
export function criticalityNumber(criticality: Criticality): 0 | 1 | 2 {
  switch (criticality) {
    case "sheddable":
      return 0;
    case "default":
      return 1;
    case "critical":
      return 2;
    default:
      criticality satisfies never;
      throw new TypeError(
        `Option criticality: expected "sheddable", "default" or "critical", got ${String(criticality)}`,
      );
  }
}

function entriesOf(metadata: NonNullable<CallOptions["metadata"]>): Iterable<[string, string | Uint8Array]> {
  return Symbol.iterator in metadata ? (metadata as Iterable<[string, string | Uint8Array]>) : Object.entries(metadata);
}
