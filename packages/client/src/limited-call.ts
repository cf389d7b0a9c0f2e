import { type CallOptions, currentContext, RpcError } from "@pipit/protocol";
import { callError } from "./call-error.ts";
import { CallLog } from "./call-log.ts";
import { type CallPlan, isBounded } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { tellOnEnd } from "./tell-observer.ts";
import { withInternal } from "./internal-options.ts";
import type { Send } from "./invoke.ts";

/** Lets calls through a limit. What they wait there counts against their deadline, and stands in their record. */
export function limited(core: ClientCore, plan: CallPlan, limit: ConcurrencyLimit, inner: Send): Send {
  return async (request, options) => {
    let passed = options;
    if (!limit.tryEnter()) passed = await waitForPlace(core, plan, limit, options);
    try {
      return await inner(request, passed);
    } finally {
      limit.leave();
    }
  };
}

/** The options for the rest of the call, once there is a place. */
async function waitForPlace(
  core: ClientCore,
  plan: CallPlan,
  limit: ConcurrencyLimit,
  options: CallOptions | undefined,
): Promise<CallOptions> {
  const startedMs = core.clock.now();
  const context = options?.context ?? currentContext();
  const given = options?.timeoutMs ?? (isBounded(plan) ? plan.timeoutMs : undefined);
  const timeoutMs = given ?? plan.timeoutMs;
  const leftMs = Math.min(timeoutMs, (context?.deadlineMs ?? Number.POSITIVE_INFINITY) - startedMs);
  try {
    await limit.wait(leftMs, options?.signal);
  } catch (error) {
    throw refused(core, plan, RpcError.from(error), startedMs, options);
  }
  const queuedMs = core.clock.now() - startedMs;
  const passed = withInternal(options, { queuedMs });
  return given === undefined ? passed : { ...passed, timeoutMs: given - queuedMs };
}

/** Law 8 holds for a call that got no place, too: its error says which, and its observers hear of it. */
function refused(
  core: ClientCore,
  plan: CallPlan,
  cause: RpcError,
  startedMs: number,
  options: CallOptions | undefined,
): RpcError {
  const { method, route } = plan;
  const elapsedMs = core.clock.now() - startedMs;
  const log = new CallLog();
  log.decided({ type: "queued", atMs: 0, waitedMs: elapsedMs });
  const record = log.record(method, route.text, elapsedMs);
  const error = callError(cause, { target: route.text, attempt: 0, stale: false, handled: "no", record });
  tellOnEnd(options, { metadata: undefined, trailers: undefined, record, error });
  return error;
}
