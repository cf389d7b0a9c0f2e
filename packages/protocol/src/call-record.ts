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

/** Why a call was not sent again: not wanted, the tree's retries or the budget used up, or no time left. */
export type NoRetryReason = "retries off" | "tree spent" | "budget spent" | "deadline";

/** Something that was decided about a call, beside where each sending went. `atMs` counts from the start of the call. */
export type CallDecision =
  /** It waits before it is sent again; `asked` if the server said for how long. */
  | { readonly type: "backoff"; readonly atMs: number; readonly delayMs: number; readonly asked: boolean }
  /** Law 4 allowed another sending, and there is none. */
  | { readonly type: "no retry"; readonly atMs: number; readonly why: NoRetryReason }
  /** It was slow, and is sent to one more endpoint. */
  | { readonly type: "hedge"; readonly atMs: number }
  | { readonly type: "no hedge"; readonly atMs: number; readonly why: NoRetryReason }
  /** The other sending answered first, and this endpoint is told to stop. */
  | { readonly type: "hedge lost"; readonly atMs: number; readonly endpoint: string }
  /** Its failure opened the circuit breaker of this endpoint. */
  | { readonly type: "breaker opened"; readonly atMs: number; readonly endpoint: string }
  /** Before it began, it waited for a place under the client's own limit of calls. */
  | { readonly type: "queued"; readonly atMs: number; readonly waitedMs: number };

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
  /** What was decided beside that, in order: waits, refusals, hedges. Mostly empty. */
  readonly decisions: readonly CallDecision[];
}
