import { contextEnabled, type Method, RpcError, runInContext, streamsOutput } from "@pipit/protocol";
import { endStream, endWithReply, endWithThrown } from "./end-call.ts";
import { intercept } from "./interceptor-chain.ts";
import { isThenable } from "./items.ts";
import { ReplyPump } from "./reply-pump.ts";
import { beginHandler, type OnceEnd, runOnce } from "./run-once.ts";
import type { ServerCall } from "./server-call.ts";

/**
 * Runs an admitted call to its end. A handler that returns a plain value is answered before this returns, with no promise,
 * timer or controller made; everything else is watched for cancel and deadline.
 */
export function runCall(call: ServerCall): void {
  if (!call.open) call.core.release(call);
  else if (call.method.idempotency === "once" && call.method.kind === "unary") runKept(call);
  else runHandler(call, undefined);
}

/** @param once who keeps the reply of a `once` call before it is given */
function runHandler(call: ServerCall, once: OnceEnd | undefined): void {
  const outputStreams = streamsOutput(call.method);
  let input: unknown;
  try {
    input = call.requests ?? call.incoming.decodeRequest();
  } catch (error) {
    finishWithError(call, once, RpcError.from(error, "invalid_argument"));
    return;
  }
  if (call.requests !== undefined || outputStreams) {
    call.watch();
    call.incoming.accept();
  }
  let result: unknown;
  try {
    result = contextEnabled() ? invokeInContext(call, input) : invoke(call, input);
  } catch (error) {
    finishWithError(call, once, error);
    return;
  }
  if (isThenable(result)) finishLater(call, once, result);
  else if (outputStreams) pump(call, result);
  else finish(call, once, result);
}

// What makes functions stands apart: a function that makes some takes memory for what they share at each call of its own.

function runKept(call: ServerCall): void {
  runOnce(call, (once) => runHandler(call, once));
}

function invokeInContext(call: ServerCall, input: unknown): unknown {
  return runInContext(call, () => invoke(call, input));
}

function finishLater(call: ServerCall, once: OnceEnd | undefined, result: PromiseLike<unknown>): void {
  call.watch();
  result.then(
    (value) => (streamsOutput(call.method) ? pump(call, value) : finish(call, once, value)),
    (error: unknown) => finishWithError(call, once, error),
  );
}

/** The handler ended with its one reply. */
function finish(call: ServerCall, once: OnceEnd | undefined, value: unknown): void {
  if (once !== undefined) once.reply(value);
  else endWithReply(call, value);
}

/** The handler threw or rejected. */
function finishWithError(call: ServerCall, once: OnceEnd | undefined, thrown: unknown): void {
  if (once !== undefined) once.fail(call.core.judge(call, thrown));
  else endWithThrown(call, thrown);
}

function invoke(call: ServerCall, input: unknown): unknown {
  const { interceptors } = call.core;
  if (interceptors.length > 0) return intercept(interceptors, call, input);
  if (call.claimed !== undefined) beginHandler(call.claimed);
  return call.entry.handler(input, call);
}

function pump(call: ServerCall, items: unknown): void {
  try {
    new ReplyPump(call, items, {
      onDone: () => endStream(call),
      onError: (error) => finishWithError(call, undefined, error),
    }).start();
  } catch (error) {
    finishWithError(call, undefined, error);
  }
}

/** `helloworld.Greeter/sayHello`. */
export function methodPath(method: Method): string {
  return `${method.service}/${method.name}`;
}
