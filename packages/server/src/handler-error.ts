import { isRpcError, RpcError } from "@pipit/protocol";
import { isThenable } from "./items.ts";
import type { HandlerFailure, ServerOptions } from "./options.ts";

/** What a throw becomes at the caller, and whether it was one that the handler did not mean. */
export interface HandlerErrorVerdict {
  readonly reply: RpcError;
  readonly unexpected: boolean;
}

/**
 * Law 9. An `RpcError` that a handler made is its answer. Anything else is a bug: the caller gets `internal` and an id,
 * never a stack or a message that was meant for the log.
 *
 * An `RpcError` that came from a call this handler made (it carries that call's record) keeps its code, since the caller
 * can act on it; its message names addresses that are none of the caller's business, so it stays in the log.
 */
export function judgeHandlerError(
  thrown: unknown,
  createId: () => string,
): HandlerErrorVerdict & { readonly id: string } {
  if (isRpcError(thrown) && thrown.record === undefined) return { reply: thrown, unexpected: false, id: "" };
  const id = createId();
  if (isRpcError(thrown)) {
    const text = `A call made for this one failed: ${thrown.service}/${thrown.method} with ${thrown.code}, id ${id}`;
    return { reply: new RpcError(thrown.code, text), unexpected: true, id };
  }
  return { reply: new RpcError("internal", `The handler failed, id ${id}`), unexpected: true, id };
}

/** The default `onError`: one line with method and id, the stack under it. */
export function printHandlerError(error: unknown, method: string, id: string): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`Handler of ${method} failed, id ${id}\n${stack}\n`);
}

/** The server's own `onError`. What it throws, now or later, must keep no call from its end. */
export function tellOnError(
  onError: NonNullable<ServerOptions["onError"]>,
  error: unknown,
  failure: HandlerFailure,
): void {
  const warn = (thrown: unknown): void => process.emitWarning(thrown instanceof Error ? thrown : String(thrown));
  try {
    const told: unknown = onError(error, failure);
    if (isThenable(told)) told.then(undefined, warn);
  } catch (thrown) {
    warn(thrown);
  }
}
