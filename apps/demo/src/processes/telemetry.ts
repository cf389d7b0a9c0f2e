import { type Interceptor, isRpcError } from "pipit";
import { Process } from "../contracts/index.ts";
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
 * Counts the calls with one reply that a process makes. Those that are `safe` or `once` must not fail while single instances do:
 * a failure of one is counted and told to `onFailure`. An `idempotent` call that fails is made again by whoever made it, as a
 * station does with its stream; an interceptor of a client wraps the whole call, retries and hedges included, so what is
 * counted is what the user of the client sees.
 */
export function countCalled(
  counter: CallCounter,
  now: () => number,
  onFailure: (error: unknown) => void = () => {},
): Interceptor {
  return async (request, next) => {
    const { kind, idempotency } = request.method;
    if (kind !== "unary") return next(request);
    const startedMs = now();
    try {
      const reply = await next(request);
      counter.count(now(), false, now() - startedMs);
      return reply;
    } catch (error) {
      const failed = (idempotency === "safe" || idempotency === "once") && isFailure(error);
      counter.count(now(), failed, now() - startedMs);
      if (failed) onFailure(error);
      throw error;
    }
  };
}

function isFailure(error: unknown): boolean {
  return !isRpcError(error) || (error.error === undefined && error.code !== "cancelled");
}
