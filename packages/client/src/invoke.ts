import { type CallOptions, isRpcError } from "@pipit/protocol";
import { type CallPlan, mergeOptions } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { Hedging } from "./hedged-call.ts";
import { interceptStream, interceptUnary } from "./interceptor-chain.ts";
import { limited } from "./limited-call.ts";
import type { Fallback, ResilienceOptions } from "./resilience-options.ts";
import { prepare, startStream, startUnary } from "./start-call.ts";

/** How one method is called: what a proxy has for each, and `client.call` for any. */
export type Invoke = (request: unknown, options?: CallOptions) => unknown;

/** How a call with one reply is made, options merged. */
export type Send = (request: unknown, options: CallOptions | undefined) => Promise<unknown>;

/**
 * The function that calls a method by a plan. For a call with one reply the layers are, from outside: fallback, concurrency
 * limit, interceptors, hedging, the call with its retries; those that are not asked for are not there.
 *
 * @param limit shared by the methods of a service, or the method's own
 */
export function invoker(
  core: ClientCore,
  plan: CallPlan,
  resilience: ResilienceOptions,
  limit: ConcurrencyLimit | undefined,
): Invoke {
  const withDefaults = (options: CallOptions | undefined): CallOptions | undefined => {
    if (plan.options === undefined) return options;
    // Timeouts are ordered in the plan already; only the call's own stands above it.
    return { ...mergeOptions(plan.options, options), timeoutMs: options?.timeoutMs };
  };
  if (plan.streamsOutput) {
    return (request, options) =>
      core.interceptors.length > 0
        ? interceptStream(core, plan, request, withDefaults(options))
        : startStream(core, plan, request, withDefaults(options)).replies;
  }
  const send = layers(core, plan, resilience, limit);
  return (request, options) => send(request, withDefaults(options));
}

/** The layers around a call with one reply, as {@link invoker} says. */
export function layers(
  core: ClientCore,
  plan: CallPlan,
  { hedge, fallback }: Pick<ResilienceOptions, "hedge" | "fallback">,
  limit: ConcurrencyLimit | undefined,
): Send {
  let plain: Send = (request, options) => startUnary(prepare(core, plan, request, options));
  const { idempotency, kind } = plan.method;
  if (
    hedge !== undefined &&
    hedge !== false &&
    kind === "unary" &&
    (idempotency === "safe" || idempotency === "idempotent")
  ) {
    const hedging = new Hedging(core, plan, hedge);
    plain = (request, options) => hedging.start(request, options);
  }
  let send: Send = (request, options) =>
    core.interceptors.length > 0 ? interceptUnary(core, plan, request, options, plain) : plain(request, options);
  if (limit !== undefined) send = limited(core, plan, limit, send);
  if (fallback !== undefined && fallback !== false) send = withFallback(send, plan, fallback);
  return send;
}

function withFallback(send: Send, { method }: CallPlan, fallback: Fallback): Send {
  return async (request, options) => {
    try {
      return await send(request, options);
    } catch (error) {
      if (!isRpcError(error) || error.code === "cancelled") throw error;
      return fallback(error, request, method);
    }
  };
}
