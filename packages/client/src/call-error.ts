import { type CallRecord, type Handled, RpcError } from "@pipit/protocol";

/** Where a call stands when it fails. */
export interface FailedCall {
  /** Where the last attempt went, or what the client was to reach. */
  readonly target: string;
  /** Number of the last attempt; 0 when none was made. */
  readonly attempt: number;
  /** Whether the registry has lost sight of where the last attempt went: what it says of it may have ceased to be true. */
  readonly stale: boolean;
  readonly handled: Handled;
  readonly record: CallRecord;
}

/** The one place that words a call's error: what went wrong, then which call, where, at which attempt, after how long. */
export function callError(cause: RpcError, call: FailedCall): RpcError {
  const { target, attempt, stale, handled, record } = call;
  const { service, method, elapsedMs } = record;
  const tries = attempt === 0 ? "not sent" : `attempt ${attempt}`;
  const what = stale
    ? `${cause.message}; the registry has lost sight of this server, its record is stale`
    : cause.message;
  const message = `${what} (${service}/${method} at ${target}, ${tries}, ${formatMs(elapsedMs)})`;
  return RpcError.with(cause, message, { target, service, method, attempt, elapsedMs, handled, record });
}

/** Whole milliseconds, or one digit below ten. */
function formatMs(ms: number): string {
  return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms)} ms`;
}
