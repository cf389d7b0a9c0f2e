import { noteDecision, sinceStartMs } from "./call-report.ts";
import type { ClientCall } from "./client-call.ts";

/*
 * Two sendings of one hedged call, each a `ClientCall` of its own: they share one log, and whichever answers first ends both.
 */

/** Takes what a hedge of this call costs, if it can be had. */
export function takeHedge(call: ClientCall): boolean {
  const why = call.plan.budget.withdrawFor(call.retries);
  const atMs = sinceStartMs(call);
  noteDecision(call, why === undefined ? { type: "hedge", atMs } : { type: "no hedge", atMs, why });
  if (why !== undefined) return false;
  call.retries--;
  return true;
}

/** Makes `second` another sending of `first`: elsewhere, with its deadline, and half of the retries it has left. */
export function makeRival(second: ClientCall, first: ClientCall, endpointId: string): void {
  const { parent } = second;
  if (parent !== undefined) parent.retries.left += second.retries;
  second.retries = Math.floor(first.retries / 2);
  first.retries -= second.retries;
  second.startedMs = first.startedMs;
  second.deadlineMs = first.deadlineMs;
  second.attempt = first.attempt;
  const rare = second.useRare();
  // What the first one sent, whatever has become of the caller's object meanwhile.
  rare.requestBytes = first.requestBytes ?? first.stream?.takeRequestBytes();
  rare.avoid = new Set([endpointId]);
  rare.firstReason = "hedge";
  rare.idempotencyKey = first.idempotencyKey;
  rare.log = first.rare?.log;
  rare.rival = first;
  first.useRare().rival = second;
}

/** The rival answered first: nobody is to be told of this end. */
export function lose(call: ClientCall): void {
  if (call.over) return;
  call.useRare().lost = true;
  call.abandon("cancelled");
  const endpoint = call.pick?.endpoint.address ?? call.plan.route.text;
  noteDecision(call, { type: "hedge lost", atMs: sinceStartMs(call), endpoint });
  call.finish(undefined);
}
