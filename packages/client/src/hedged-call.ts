import type { CallOptions } from "@pipit/protocol";
import type { CallPlan } from "./call-plan.ts";
import { makeRival, takeHedge } from "./call-rival.ts";
import type { ClientCall } from "./client-call.ts";
import type { ClientCore } from "./client-core.ts";
import { LatencyTracker } from "./latency-tracker.ts";
import { prepare } from "./start-call.ts";

/** Sends a slow call once more, to another endpoint, and takes whichever answers first. */
export interface HedgeOptions {
  /** A call slower than this share of the latest ones is hedged. Default 0.95: about one call in twenty. */
  readonly percentile?: number | undefined;
  /** Least wait before a hedge, in milliseconds. Default 1. */
  readonly minDelayMs?: number | undefined;
  /** Wait before enough answers were measured, in milliseconds. Default: no hedging until then. */
  readonly initialDelayMs?: number | undefined;
}

/**
 * Hedging for one `safe` or `idempotent` method with one reply ("The Tail at Scale", Dean and Barroso, 2013). A hedge costs one
 * of the tree's retries and one of the service's budget: under overload there are none. The loser is cancelled.
 */
export class Hedging {
  readonly #core: ClientCore;
  readonly #plan: CallPlan;
  readonly #latency: LatencyTracker;
  readonly #minDelayMs: number;
  readonly #initialDelayMs: number | undefined;

  constructor(core: ClientCore, plan: CallPlan, options: HedgeOptions) {
    this.#core = core;
    this.#plan = plan;
    this.#latency = new LatencyTracker(options.percentile ?? 0.95);
    this.#minDelayMs = options.minDelayMs ?? 1;
    this.#initialDelayMs = options.initialDelayMs;
  }

  /** Begins a call, and perhaps another. */
  start(request: unknown, options: CallOptions | undefined): Promise<unknown> {
    const startedMs = this.#core.clock.now();
    const first = prepare(this.#core, this.#plan, request, options);
    return new Promise((resolve, reject) => {
      let second: ClientCall | undefined;
      const timer: { cancel?: () => void } = {};
      const settle = (call: ClientCall): void => {
        call.resolve = (reply) => {
          timer.cancel?.();
          this.#latency.record(this.#core.clock.now() - startedMs);
          resolve(reply);
        };
        call.reject = (error) => {
          timer.cancel?.();
          // While the other may still answer, its answer is the call's.
          if (second === undefined || (first.over && second.over)) reject(error);
        };
      };
      settle(first);
      first.begin();
      const delayMs = this.#delayMs();
      if (delayMs === undefined || first.over) return;
      timer.cancel = this.#core.clock.after(
        delayMs,
        () => {
          const endpoint = first.endpointId;
          if (first.over || endpoint === undefined || !takeHedge(first)) return;
          this.#core.counts.hedges++;
          second = prepare(this.#core, this.#plan, request, options);
          makeRival(second, first, endpoint);
          settle(second);
          second.begin();
        },
        { background: true },
      );
    });
  }

  #delayMs(): number | undefined {
    const measured = this.#latency.valueMs ?? this.#initialDelayMs;
    return measured === undefined ? undefined : Math.max(this.#minDelayMs, measured);
  }
}
