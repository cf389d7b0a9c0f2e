import type { CallFailure, Idempotency, ServerIdentity } from "@pipit/protocol";

/** What is known when an attempt has failed. */
export interface RetrySituation {
  readonly failure: CallFailure;
  readonly idempotency: Idempotency;
  /** Nothing of the call is used up: no reply item was seen, no request item was taken. */
  readonly replayable: boolean;
  /** There is an endpoint that this call has not been sent to. */
  readonly untried: boolean;
  /** It could not be connected to: trying again at once is the connection's business, with its backoff. */
  readonly unreachable: boolean;
  /** Who got a `once` call; undefined when that is not known. */
  readonly instance: ServerIdentity | undefined;
  /** All instances share one reply store. */
  readonly sharedStore: boolean;
}

/**
 * What law 4 allows after a failed attempt.
 *
 * - `elsewhere`: send it to an endpoint not yet tried, at no cost: it was provably not handled.
 * - `again`: send it again, at the cost of one retry, after a backoff.
 * - `same instance`: as `again`, but only where it was.
 * - `no`: it ends here.
 */
export type RetryVerdict = "elsewhere" | "again" | "same instance" | "no";

/** Law 4, as a function. Deadline, budget and backoff are asked afterwards. */
export function judgeRetry(situation: RetrySituation): RetryVerdict {
  const { failure, idempotency, replayable, untried } = situation;
  const { error, handled, refused } = failure;
  if (!replayable || error.error !== undefined) return "no";
  const retriable =
    error.code === "unavailable" || (error.code === "resource_exhausted" && error.retryAfterMs !== undefined);
  if (refused || handled === "no") {
    if (error.code === "cancelled" || error.code === "deadline_exceeded") return "no";
    if (untried) return "elsewhere";
    return retriable && !situation.unreachable ? "again" : "no";
  }
  if (!retriable) return "no";
  switch (idempotency) {
    case "safe":
    case "idempotent":
      return "again";
    case "once":
      if (situation.sharedStore) return "again";
      return situation.instance === undefined ? "no" : "same instance";
    case "none":
      return "no";
    default:
      return idempotency satisfies never;
  }
}

/** Whether a method of this idempotency may run more than once. */
export function isRepeatable(idempotency: Idempotency): boolean {
  return idempotency === "safe" || idempotency === "idempotent";
}

/** Retries lent to the server's side of an attempt: half of what is left, rounded down, so that one is kept for a loss. */
export function lendRetries(left: number): number {
  return Math.floor(left / 2);
}

/** Retries that a nested call takes from the call it is made for: half of what is left, rounded up. */
export function borrowRetries(left: number): number {
  return Math.ceil(left / 2);
}
