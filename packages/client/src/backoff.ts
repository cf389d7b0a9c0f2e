import { type Random, uniform } from "@pipit/protocol";

/** How long to stay away after failures. */
export interface BackoffOptions {
  /** Wait after the first failure, in milliseconds. Default 1,000. */
  readonly baseMs?: number | undefined;
  /** Growth per further failure. Default 1.6. */
  readonly factor?: number | undefined;
  /** Share by which a wait differs from its law either way, so that clients do not come back in step. Default 0.2. */
  readonly jitter?: number | undefined;
  /** Longest wait, in milliseconds, jitter left out. Default 120,000. */
  readonly maxMs?: number | undefined;
}

/** gRPC's connection backoff: 1 s, growing 1.6-fold, to 120 s, each ± 20 %. */
export const defaultBackoff: Required<{ [K in keyof BackoffOptions]: number }> = {
  baseMs: 1000,
  factor: 1.6,
  jitter: 0.2,
  maxMs: 120_000,
};

/** Wait before try number `failures` + 1: `base · factor^(failures − 1)`, at most `max`, then ± `jitter`. */
export function backoffMs(failures: number, options: Required<BackoffOptions>, random: Random): number {
  const { baseMs, factor, jitter, maxMs } = options as typeof defaultBackoff;
  let waitMs = baseMs;
  // Multiplied, not raised to a power: the same on every platform, so that a seed replays a run.
  for (let count = 1; count < failures && waitMs < maxMs; count++) waitMs *= factor;
  return Math.min(waitMs, maxMs) * (1 + jitter * (2 * uniform(random) - 1));
}

/**
 * Wait before retry number `retry` of a call, in milliseconds: uniform in 0 … `base · 2^(retry − 1)`, at most `max` ("full
 * jitter"): callers that failed together do not come back together.
 */
export function retryDelayMs(retry: number, options: { baseMs: number; maxMs: number }, random: Random): number {
  let ceilingMs = options.baseMs;
  for (let count = 1; count < retry && ceilingMs < options.maxMs; count++) ceilingMs *= 2;
  return Math.min(ceilingMs, options.maxMs) * uniform(random);
}
