import { type CallEnd, type CallOptions, type InterceptorReply, type Metadata, RpcError } from "@pipit/protocol";
import { CallLog } from "./call-log.ts";
import type { CallPlan } from "./call-plan.ts";
import type { ClientCore } from "./client-core.ts";
import { internalOf } from "./internal-options.ts";
import { tellOnEnd } from "./tell-observer.ts";

/** The ends of what interceptors sent for one call, be it once, several times or never. Its caller is told of one end: its own. */
export class InterceptedEnds {
  readonly #core: ClientCore;
  readonly #plan: CallPlan;
  readonly #options: CallOptions;
  readonly #log = new CallLog();
  readonly #startedMs: number;
  #last: CallEnd | undefined;
  /** Told: what a sending that nobody waited for does now is no part of it. */
  #over = false;

  constructor(core: ClientCore, plan: CallPlan, options: CallOptions) {
    this.#core = core;
    this.#plan = plan;
    this.#options = options;
    this.#startedMs = core.turn.now() - (internalOf(options)?.queuedMs ?? 0);
  }

  /** One that was sent has ended: what its record says joins that of the whole, whose time counts from the call's own start. */
  add(end: CallEnd): void {
    if (this.#over) return;
    const { attempts, decisions, waitedMs, elapsedMs } = end.record;
    const sinceMs = this.#elapsedMs() - elapsedMs;
    this.#log.waited(waitedMs);
    for (const attempt of attempts) {
      this.#log.attempt({ ...attempt, startedAtMs: attempt.startedAtMs + sinceMs });
    }
    for (const decision of decisions) {
      // Each says that the call was queued, which it was once.
      if (decision.type !== "queued" || this.#last === undefined) {
        this.#log.decided({ ...decision, atMs: decision.atMs + sinceMs });
      }
    }
    this.#last = end;
  }

  /** The call has ended: with what interceptors answered, or threw. */
  tell(reply: InterceptorReply | undefined, thrown?: unknown): void {
    this.#over = true;
    const { method, route } = this.#plan;
    tellOnEnd(this.#options, {
      metadata: filled(reply?.metadata) ?? this.#last?.metadata,
      trailers: filled(reply?.trailers) ?? this.#last?.trailers,
      record: this.#log.record(method, route.text, this.#elapsedMs()),
      ...(thrown === undefined ? {} : { error: RpcError.from(thrown) }),
    });
  }

  #elapsedMs(): number {
    return this.#core.turn.now() - this.#startedMs;
  }
}

function filled(metadata: Metadata | undefined): Metadata | undefined {
  return metadata?.size === 0 ? undefined : metadata;
}
