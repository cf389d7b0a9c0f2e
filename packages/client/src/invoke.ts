import type { CallOptions } from "@pipit/protocol";
import { type CallPlan, mergeOptions } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import { interceptStream, interceptUnary } from "./interceptor-chain.ts";
import { prepare, startStream, startUnary } from "./start-call.ts";

/** How one method is called: what a proxy has for each, and `client.call` for any. */
export type Invoke = (request: unknown, options?: CallOptions) => unknown;

/** The function that calls a method by a plan. */
export function invoker(core: ClientCore, plan: CallPlan): Invoke {
  const { streamsOutput } = plan;
  return (request, options) => {
    const merged = plan.options === undefined ? options : mergeOptions(plan.options, options);
    // Timeouts are ordered in the plan already; only the call's own stands above it.
    const effective = merged === options ? options : { ...merged, timeoutMs: options?.timeoutMs };
    const { interceptors } = core;
    if (streamsOutput) {
      return interceptors.length > 0
        ? interceptStream(core, plan, request, effective)
        : startStream(core, plan, request, effective).replies;
    }
    return interceptors.length > 0
      ? interceptUnary(core, plan, request, effective)
      : startUnary(prepare(core, plan, request, effective));
  };
}
