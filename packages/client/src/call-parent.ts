import type { CallContext } from "@pipit/protocol";
import type { ClientCall } from "./client-call.ts";
import { borrowRetries } from "./retry-policy.ts";
import { signals } from "./signal-hub.ts";

/*
 * What ties a call to the one it is made for: it has no more time, ends with it, and spends of its retries.
 */

/** Takes what a nested call inherits beside criticality and trace, and borrows half of the retries left. */
export function inherit(call: ClientCall, parent: CallContext): void {
  call.parent = parent;
  call.deadlineMs = Math.min(call.deadlineMs, parent.deadlineMs);
  call.retries = borrowRetries(parent.retries.left);
  parent.retries.left -= call.retries;
}

/** From now on it ends with its parent. Returns whether that is over already, and the call with it. */
export function attach(call: ClientCall, parent: CallContext): boolean {
  if (parent.addDependent !== undefined) parent.addDependent(call);
  else if (parent.signal.aborted) call.onParentCancelled(parent.signal.reason);
  else signals.add(parent.signal, call);
  return call.over;
}

/** It has ended: gives back the retries it did not use. */
export function detach(call: ClientCall, parent: CallContext): void {
  parent.retries.left += call.retries;
  call.retries = 0;
  if (parent.removeDependent === undefined) signals.remove(parent.signal, call);
  else parent.removeDependent(call);
}
