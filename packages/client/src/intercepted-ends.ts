import { type CallEnd, type CallOptions, type InterceptorReply, type Metadata, RpcError } from "@pipit/protocol";
import { CallLog } from "./call-log.ts";
import type { CallPlan } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import { internalOf } from "./internal-options.ts";
import { tellOnEnd } from "./tell-observer.ts";

/** The ends of what interceptors sent for one call, be it once, several times or never. Its caller is told of one end: its own. */
export interface InterceptedEnds {
  /** One that was sent has ended: its record joins that of the whole. */
  add(end: CallEnd): void;
  /** The call has ended: with what interceptors answered, or threw. What is sent for it still is no part of it. */
  tell(reply: InterceptorReply | undefined, thrown?: unknown): void;
}

/** Gathers them. Undefined where nobody asks how the call ends. */
export function gatherEnds(
  { turn }: ClientCore,
  { method, route }: CallPlan,
  options: CallOptions | undefined,
): InterceptedEnds | undefined {
  if (options?.onEnd === undefined) return undefined;
  const log = new CallLog();
  const startedMs = turn.now() - (internalOf(options)?.queuedMs ?? 0);
  let last: CallEnd | undefined;
  let isOver = false;
  const elapsedMs = (): number => turn.now() - startedMs;
  return {
    add(end) {
      if (isOver) return;
      const { record } = end;
      const sinceMs = elapsedMs() - record.elapsedMs;
      log.waited(record.waitedMs);
      for (const attempt of record.attempts) {
        log.attempt({ ...attempt, startedAtMs: attempt.startedAtMs + sinceMs });
      }
      for (const decision of record.decisions) {
        // Each says that the call was queued, which it was once.
        if (decision.type !== "queued" || last === undefined) {
          log.decided({ ...decision, atMs: decision.atMs + sinceMs });
        }
      }
      last = end;
    },
    tell(reply, thrown) {
      isOver = true;
      tellOnEnd(options, {
        metadata: filled(reply?.metadata) ?? last?.metadata,
        trailers: filled(reply?.trailers) ?? last?.trailers,
        record: log.record(method, route.text, elapsedMs()),
        ...(thrown === undefined ? {} : { error: RpcError.from(thrown) }),
      });
    },
  };
}

function filled(metadata: Metadata | undefined): Metadata | undefined {
  return metadata?.size === 0 ? undefined : metadata;
}
