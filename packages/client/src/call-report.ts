import type { Pick } from "@pipit/balancer";
import type { CallDecision, CallOptions, CallRecord, Handled, RpcError } from "@pipit/protocol";
import { callError } from "./call-error.ts";
import { CallLog, failureFields } from "./call-log.ts";
import type { ClientCall } from "./client-call.ts";
import { callEnd } from "./diagnostics.ts";
import type { RouteEndpoint } from "./route.ts";
import { tellOnEnd } from "./tell-observer.ts";

/*
 * What a call notes of its way, and what is told of it at its end: its error, its record, its observers (law 8).
 */

/** Now, counted from the start of the call. */
export function sinceStartMs(call: ClientCall): number {
  return call.core.turn.now() - call.startedMs;
}

/** Whether somebody asks for the record of a call that succeeds. */
export function wantsRecord(options: CallOptions | undefined): boolean {
  return options?.onEnd !== undefined || callEnd.hasSubscribers;
}

export function noteDecision(call: ClientCall, decision: CallDecision): void {
  logOf(call).decided(decision);
}

export function noteWait(call: ClientCall, waitedMs: number): void {
  logOf(call).waited(waitedMs);
}

/** A sending has ended. */
export function noteAttempt(call: ClientCall, error: RpcError | undefined, handled: Handled): void {
  const reason = call.rare?.reason ?? call.plan.route.policy;
  const { endpoint, tier } = call.pick as Pick<RouteEndpoint>;
  const nowMs = call.core.turn.now();
  logOf(call).attempt({
    attempt: call.attempt,
    endpoint: endpoint.address,
    reason: tier === "up" ? reason : `${reason}, ${tier}`,
    startedAtMs: call.sentMs - call.startedMs,
    elapsedMs: nowMs - call.sentMs,
    ...(error === undefined ? {} : failureFields(error, handled)),
  });
}

/** The error that the caller gets for `cause`. */
export function describeFailure(call: ClientCall, cause: RpcError): RpcError {
  const endpoint = call.pick?.endpoint;
  const handled = call.rare?.log?.handled ?? "no";
  const unreached = handled !== "yes" && (cause.code === "unavailable" || cause.code === "deadline_exceeded");
  return callError(cause, {
    target: endpoint?.address ?? call.plan.route.text,
    attempt: call.attempt,
    stale: unreached && endpoint?.state === "stale",
    handled,
    record: recordOf(call),
  });
}

/** Tells those who asked how the call ended. */
export function tellEnd(call: ClientCall, error: RpcError | undefined): void {
  const record = error?.record ?? recordOf(call);
  if (callEnd.hasSubscribers) callEnd.publish({ method: call.method, target: record.target, record, error });
  const { replyMetadata: metadata, replyTrailers: trailers } = call;
  tellOnEnd(call.options, { metadata, trailers, record, ...(error === undefined ? {} : { error }) });
}

function recordOf(call: ClientCall): CallRecord {
  return (call.rare?.log ?? new CallLog()).record(call.method, call.plan.route.text, sinceStartMs(call));
}

function logOf(call: ClientCall): CallLog {
  const rare = call.useRare();
  return (rare.log ??= new CallLog());
}
