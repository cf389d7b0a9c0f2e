import { bool, enumeration, f64, type Infer, service, string, struct, uint, unary, union } from "pipit";

/** What a process is. */
export const ProcessKind = enumeration(["stations", "inspection", "charts", "non-conformance", "operators"]);
export type ProcessKind = Infer<typeof ProcessKind>;

/** A fault that a process plays until told otherwise. Crashes and freezes come from outside: see the supervisor. */
export const Fault = union({
  none: struct({}),
  /** Every call is answered this much later. */
  slow: struct({ delayMs: uint }),
  /** This share of calls is answered `unavailable` without running; 1 is all. */
  failing: struct({ share: f64 }),
});
export type Fault = Infer<typeof Fault>;

/** Calls of one direction. Counts are since the start; rates and quantiles over the last 5 seconds. */
export const CallCounts = struct({
  total: uint,
  failed: uint,
  perSecond: f64,
  /** Of calls with one reply; streams last as long as they like. 0 when there was none. */
  p50Ms: f64,
  p99Ms: f64,
});
export type CallCounts = Infer<typeof CallCounts>;

/** How one process fares. */
export const ProcessStats = struct({
  /** `charts-2`: the name in the registry too, kept over restarts. */
  id: string,
  kind: ProcessKind,
  pid: uint,
  uptimeMs: uint,
  draining: bool,
  fault: Fault,
  /** Calls that it answered. */
  served: CallCounts,
  /**
   * Calls with one reply that it made. `failed` counts `safe` and `once` ones, retries counted in: the number that should stay 0.
   * Declared errors and calls given up by the caller are not in it.
   */
  called: CallCounts,
});
export type ProcessStats = Infer<typeof ProcessStats>;

/**
 * Served by every process of the demo beside its own service, to be called at a certain address and not through a balancer.
 * Faults do not touch it: what was broken must be mendable.
 */
export const Process = service("demo.Process", {
  stats: unary(struct({}), ProcessStats, { idempotency: "safe", timeoutMs: 1000 }),
  inject: unary(struct({ fault: Fault }), struct({}), { idempotency: "idempotent" }),
});
