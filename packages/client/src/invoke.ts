import { type CallOptions, isRpcError } from "@pipit/protocol";
import { type CallPlan, mergeOptions } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { type HedgeOptions, Hedging } from "./hedged-call.ts";
import { interceptStream, interceptUnary } from "./interceptor-chain.ts";
import { limited } from "./limited-call.ts";
import type { Fallback, ResilienceOptions } from "./resilience-options.ts";
import { isRepeatable } from "./retry-policy.ts";
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
  if (plan.streamsOutput) {
    return (request, options) =>
      core.interceptors.length > 0
        ? interceptStream(core, plan, request, withDefaults(plan, options))
        : startStream(core, plan, request, withDefaults(plan, options)).replies;
  }
  return underDefaults(layers(core, plan, resilience, limit), plan);
}

/** Lays the plan's options under those of each call; there is nothing to lay for most methods. */
function underDefaults(send: Send, plan: CallPlan): Invoke {
  return plan.options === undefined ? send : (request, options) => send(request, withDefaults(plan, options));
}

function withDefaults(plan: CallPlan, options: CallOptions | undefined): CallOptions | undefined {
  if (plan.options === undefined) return options;
  // Timeouts are ordered in the plan already; only the call's own stands above it.
  return { ...mergeOptions(plan.options, options), timeoutMs: options?.timeoutMs };
}

/** The layers around a call with one reply, as {@link invoker} says. */
export function layers(
  core: ClientCore,
  plan: CallPlan,
  { hedge, fallback }: Pick<ResilienceOptions, "hedge" | "fallback">,
  limit: ConcurrencyLimit | undefined,
): Send {
  const { idempotency, kind } = plan.method;
  const isHedged = hedge !== undefined && hedge !== false && kind === "unary" && isRepeatable(idempotency);
  let send = isHedged ? hedged(core, plan, hedge) : intercepted(core, plan);
  if (limit !== undefined) send = limited(core, plan, limit, send);
  if (fallback !== undefined && fallback !== false) send = withFallback(send, plan, fallback);
  return send;
}

// Each makes its functions apart: those made together share all that any of them reaches.

/** The call with its retries, behind interceptors. One function per method, where nothing else was asked for. */
function intercepted(core: ClientCore, plan: CallPlan): Send {
  return (request, options) =>
    core.interceptors.length > 0
      ? interceptUnary(core, plan, request, options, (message, own) => startUnary(prepare(core, plan, message, own)))
      : startUnary(prepare(core, plan, request, options));
}

function hedged(core: ClientCore, plan: CallPlan, options: HedgeOptions): Send {
  const hedging = new Hedging(core, plan, options);
  const plain: Send = (request, own) => hedging.start(request, own);
  return (request, own) =>
    core.interceptors.length > 0 ? interceptUnary(core, plan, request, own, plain) : plain(request, own);
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
