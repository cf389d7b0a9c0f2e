import type { Code } from "./code.ts";
import type { Handled } from "./rpc-error.ts";

/** One sending of a call. */
export interface AttemptRecord {
  /** From 1. */
  readonly attempt: number;
  /** Where it went: `host:port`. */
  readonly endpoint: string;
  /** Why that endpoint: the policy's name, `"retry"`, `"refused elsewhere"`, `"hedge"`, … */
  readonly reason: string;
  /** From the start of the call to this sending. */
  readonly startedAtMs: number;
  /** From this sending to its end. */
  readonly elapsedMs: number;
  /** Absent when this attempt answered. */
  readonly code?: Code | undefined;
  readonly message?: string | undefined;
  readonly handled?: Handled | undefined;
}

/** What happened to a call on its way: it hangs on every error, and `onEnd` gets it for successes too. */
export interface CallRecord {
  readonly service: string;
  readonly method: string;
  /** What the client was made for: an address, a list, or the name looked up. */
  readonly target: string;
  readonly elapsedMs: number;
  /** Time spent waiting for an endpoint or a connection. */
  readonly waitedMs: number;
  /** Each sending, in order. Empty when none was made. */
  readonly attempts: readonly AttemptRecord[];
}
