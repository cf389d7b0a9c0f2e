import { type Filled, filled } from "./options.ts";

/**
 * Which endpoints stand out by their failures: the arithmetic of gRPC's proposal A50, on counts.
 *
 * Where we differ: no random enforcement, and the limit on ejections is never exceeded (A50 checks before it ejects and
 * so may end one above), except that one endpoint may always be ejected.
 */

/** Endpoints whose success rate falls behind the others'. */
export interface SuccessRateOptions {
  /** Ejected below mean − this × standard deviation. Default 1.9. */
  readonly standardDeviations?: number | undefined;
  /** Judged only if this many endpoints had `minCalls`. Default 5. */
  readonly minEndpoints?: number | undefined;
  /** An endpoint with fewer calls in the interval is not judged. Default 100. */
  readonly minCalls?: number | undefined;
}

/** Endpoints that fail too often, whatever the others do. */
export interface FailurePercentageOptions {
  /** Ejected above this many failures in a hundred calls. Default 85. */
  readonly threshold?: number | undefined;
  /** Judged only if this many endpoints had `minCalls`. Default 5. */
  readonly minEndpoints?: number | undefined;
  /** An endpoint with fewer calls in the interval is not judged. Default 50. */
  readonly minCalls?: number | undefined;
}

/** Takes endpoints that fail more than others out of the choice for a while. */
export interface EjectionOptions {
  /** Failures are judged this often, in milliseconds. Default 10,000. */
  readonly intervalMs?: number | undefined;
  /** The first ejection lasts this long, the n-th n times as long. Milliseconds. Default 30,000. */
  readonly baseMs?: number | undefined;
  /** No ejection lasts longer, in milliseconds. Default 300,000. */
  readonly longestMs?: number | undefined;
  /** At most this many in a hundred `up` and `suspect` endpoints are ejected at a time, yet one always may be. Default 10. */
  readonly maxPercent?: number | undefined;
  /** `false` leaves this rule out. Default: on. */
  readonly successRate?: SuccessRateOptions | false | undefined;
  /** `false` leaves this rule out. Default: on. */
  readonly failurePercentage?: FailurePercentageOptions | false | undefined;
}

/** {@link EjectionOptions} with every default filled in. */
export interface EjectionLaw {
  readonly intervalMs: number;
  readonly baseMs: number;
  readonly longestMs: number;
  readonly maxPercent: number;
  readonly successRate: Filled<SuccessRateOptions> | undefined;
  readonly failurePercentage: Filled<FailurePercentageOptions> | undefined;
}

/** What happened at one endpoint in one interval. */
export interface CallCounts {
  readonly successes: number;
  readonly failures: number;
}

/** Fills in the defaults. */
export function ejectionLaw(options: EjectionOptions = {}): EjectionLaw {
  const { intervalMs = 10_000, baseMs = 30_000, longestMs = 300_000, maxPercent = 10 } = options;
  for (const [name, value] of Object.entries({ intervalMs, baseMs, longestMs, maxPercent })) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new RangeError(`Cannot create a balancer: ejection.${name} is ${value}, expected a finite number ≥ 0`);
  }
  return {
    intervalMs,
    baseMs,
    longestMs,
    maxPercent,
    successRate: rule<SuccessRateOptions>(options.successRate, {
      standardDeviations: 1.9,
      minEndpoints: 5,
      minCalls: 100,
    }),
    failurePercentage: rule<FailurePercentageOptions>(options.failurePercentage, {
      threshold: 85,
      minEndpoints: 5,
      minCalls: 50,
    }),
  };
}

/** How many of `count` endpoints may be ejected at a time. */
export function mostEjected(count: number, maxPercent: number): number {
  return Math.max(1, Math.floor((count * maxPercent) / 100));
}

/** How long the n-th ejection of an endpoint lasts. */
export function ejectionMs(times: number, law: EjectionLaw): number {
  return Math.min(law.baseMs * times, Math.max(law.baseMs, law.longestMs));
}

/** Indices of endpoints to eject, those found by success rate first. */
export function outliers(counts: readonly CallCounts[], law: EjectionLaw): number[] {
  return [...new Set([...bySuccessRate(counts, law.successRate), ...byFailures(counts, law.failurePercentage)])];
}

function bySuccessRate(counts: readonly CallCounts[], rule: EjectionLaw["successRate"]): number[] {
  if (rule === undefined) return [];
  const judged = indicesOf(counts, rule.minCalls);
  if (judged.length === 0 || judged.length < rule.minEndpoints) return [];
  const rates = judged.map((index) => rateOf(counts[index]));
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  const least = mean - Math.sqrt(variance) * rule.standardDeviations;
  return judged.filter((index) => rateOf(counts[index]) < least);
}

function byFailures(counts: readonly CallCounts[], rule: EjectionLaw["failurePercentage"]): number[] {
  if (rule === undefined) return [];
  const judged = indicesOf(counts, rule.minCalls);
  if (judged.length === 0 || judged.length < rule.minEndpoints) return [];
  return judged.filter((index) => failurePercentageOf(counts[index]) > rule.threshold);
}

function indicesOf(counts: readonly CallCounts[], minCalls: number): number[] {
  return [...counts.keys()].filter((index) => callsOf(counts[index]) >= Math.max(1, minCalls));
}

function callsOf(counts: CallCounts | undefined): number {
  return counts === undefined ? 0 : counts.successes + counts.failures;
}

function rateOf(counts: CallCounts | undefined): number {
  return counts === undefined ? 0 : counts.successes / callsOf(counts);
}

function failurePercentageOf(counts: CallCounts | undefined): number {
  return counts === undefined ? 0 : (100 * counts.failures) / callsOf(counts);
}

function rule<T extends object>(given: T | false | undefined, defaults: Filled<T>): Filled<T> | undefined {
  return given === false ? undefined : filled(given, defaults);
}
