import type { PolicyBalancer, Result } from "@pipit/balancer";
import { positive, whole } from "./checked-number.ts";

/** Takes an endpoint out of the choice after failures in a row. */
export interface BreakerOptions {
  /** Failures in a row that open the breaker. Default 5. */
  readonly failures?: number | undefined;
  /** First time that it stays open, in milliseconds; the n-th time n times as long. Default: the ejection's base, 30,000. */
  readonly openMs?: number | undefined;
}

/** Envoy's and A50's cousin: five in a row are no accident. */
const defaultFailures = 5;

/**
 * The circuit breaker of a service's endpoints. Open means ejected in the balancer's pool: the same bound on how many may
 * be, the same panic rule, so that breakers alone can never take a service down. After its time the endpoint is tried by
 * ordinary calls: one more failure opens the breaker again, an answer closes it.
 */
export class Breaker {
  readonly #failures: number;
  readonly #openMs: number | undefined;
  #streaks: Map<string, number> | undefined = undefined;

  constructor(options: BreakerOptions = {}) {
    const { failures = defaultFailures, openMs } = options;
    this.#failures = whole("breaker.failures", failures, 1);
    this.#openMs = openMs === undefined ? undefined : positive("breaker.openMs", openMs);
  }

  /** An attempt ended. Returns whether that opened the breaker; it stays shut where as many are ejected as may be. */
  record(id: string, result: Result, pool: Pick<PolicyBalancer["pool"], "eject">): boolean {
    if (result === "ok") {
      this.#streaks?.delete(id);
      return false;
    }
    if (result !== "failed") return false;
    const streaks = (this.#streaks ??= new Map());
    const streak = (streaks.get(id) ?? 0) + 1;
    if (streak < this.#failures) {
      streaks.set(id, streak);
      return false;
    }
    // Half open once its time is over: the next failure alone is enough.
    streaks.set(id, this.#failures - 1);
    return pool.eject(id, this.#openMs);
  }

  /** Forgets endpoints that have gone. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#streaks?.keys() ?? []) if (!ids.has(id)) this.#streaks?.delete(id);
  }
}
