import { type Interceptor, isRpcError } from "pipit";
import { Process } from "../contracts/process.ts";
import type { CallCounter } from "./call-counter.ts";

/**
 * Counts calls as they end; on a server those that it answers. A declared error is an answer, and a call that its caller gave
 * up is nobody's failure. `demo.Process` is left out: watching is not work.
 */
export function countServed(counter: CallCounter, now: () => number): Interceptor {
  return async (request, next) => {
    if (request.method.service === Process.name) return next(request);
    const startedMs = now();
    const latency = (): number | undefined => (request.method.kind === "unary" ? now() - startedMs : undefined);
    try {
      const reply = await next(request);
      counter.count(now(), false, latency());
      return reply;
    } catch (error) {
      counter.count(now(), isFailure(error), latency());
      throw error;
    }
  };
}

/**
 * Counts the calls that a process makes and that must not fail. An interceptor of a client wraps the whole call, retries and
 * hedges included, so what is counted is what the user of the client sees.
 */
export function countCalled(counter: CallCounter, now: () => number): Interceptor {
  const counting = countServed(counter, now);
  return (request, next) => {
    const { kind, idempotency } = request.method;
    // A stream that breaks is begun again by its owner: no promise is broken.
    return kind === "unary" && idempotency !== "none" ? counting(request, next) : next(request);
  };
}

function isFailure(error: unknown): boolean {
  return !isRpcError(error) || (error.error === undefined && error.code !== "cancelled");
}
