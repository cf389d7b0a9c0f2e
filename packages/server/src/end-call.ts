import { RpcError } from "@pipit/protocol";
import type { ServerCall } from "./server-call.ts";

/* How a call ends: its last frame, then its place is free. */

/** With the one reply; a one-way call without. */
export function endWithReply(call: ServerCall, value: unknown): void {
  try {
    if (call.method.kind === "oneway") call.end();
    else call.reply(value);
  } catch (error) {
    failUnsent(call, error);
  }
  call.core.release(call);
}

/** After the last reply of a stream. */
export function endStream(call: ServerCall): void {
  try {
    call.end();
  } catch (error) {
    failUnsent(call, error);
  }
  call.core.release(call);
}

export function endWith(call: ServerCall, error: RpcError): void {
  call.fail(error);
  call.core.release(call);
}

/** With what something threw or rejected with; what was not expected is reported. */
export function endWithThrown(call: ServerCall, thrown: unknown): void {
  endWith(call, call.core.judge(call, thrown));
}

/** What ends the call does not fit the contract, or is longer than the caller takes: the handler's bug, so the log gets it too. */
function failUnsent(call: ServerCall, error: unknown): void {
  call.core.reportError(call, error, call.core.createId());
  call.fail(RpcError.from(error, "internal"));
}
