import type { Result } from "@pipit/balancer";
import type { CallFailure } from "@pipit/protocol";

/** What a sending's failure says of its endpoint. */
export function attemptResult({ error, refused, handled }: CallFailure): Result {
  if (error.error !== undefined) return "ok";
  switch (error.code) {
    case "resource_exhausted":
    case "internal":
    case "deadline_exceeded":
      return "failed";
    case "unavailable":
      // Turned away by one that drains: no fault of its own. Lost before it was sent: the connection's.
      return refused ? "refused" : "failed";
    case "cancelled":
      return "cancelled";
    default:
      return refused || handled === "no" ? "refused" : "ok";
  }
}
