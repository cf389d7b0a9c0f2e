import {
  type Interceptor,
  type InterceptorReply,
  type InterceptorRequest,
  type ItemStream,
  type Next,
  RpcError,
  streamsOutput,
} from "@pipit/protocol";
import { toAsyncIterable } from "./items.ts";
import { beginHandler } from "./run-once.ts";
import type { ServerCall } from "./server-call.ts";

/**
 * Runs a call through the interceptors, the first one outermost, with the handler at the end. Gives what the handler would
 * have given: a message, or something to iterate.
 */
export async function intercept(
  interceptors: readonly Interceptor[],
  call: ServerCall,
  input: unknown,
): Promise<unknown> {
  let handle: Next = (request) => callHandler(call, request);
  for (let index = interceptors.length - 1; index >= 0; index--) {
    const interceptor = interceptors[index] as Interceptor;
    const next = handle;
    handle = (request) => interceptor(request, next);
  }
  const reply = await handle(requestOf(call, input));
  adopt(call, reply);
  return reply.streaming ? reply.messages : reply.message;
}

/** Getters, so that a call whose interceptors look at no signal makes no AbortController. */
function requestOf(call: ServerCall, input: unknown): InterceptorRequest {
  const base = {
    method: call.method,
    metadata: call.metadata,
    get signal() {
      return call.signal;
    },
  };
  const streaming = call.requests !== undefined;
  const message = streaming ? { messages: input as ItemStream<unknown>, streaming } : { message: input, streaming };
  return Object.defineProperties(message, Object.getOwnPropertyDescriptors(base)) as unknown as InterceptorRequest;
}

async function callHandler(call: ServerCall, request: InterceptorRequest): Promise<InterceptorReply> {
  const { handler, method } = call.entry;
  if (call.claimed !== undefined) beginHandler(call.claimed);
  const result = handler(request.streaming ? request.messages : request.message, call);
  const parts = { metadata: call.replyMetadata, trailers: call.trailers };
  if (streamsOutput(method)) {
    return { streaming: true, messages: toAsyncIterable(await result), ...parts };
  }
  return { streaming: false, message: await result, ...parts };
}

/** An interceptor may answer with metadata of its own making. */
function adopt(call: ServerCall, reply: InterceptorReply): void {
  if (typeof reply !== "object" || reply === null || typeof reply.streaming !== "boolean") {
    throw new RpcError("internal", "An interceptor returned no reply; it must return what next() gave, or its own");
  }
  if (reply.metadata !== call.replyMetadata) {
    for (const [name, value] of reply.metadata) call.replyMetadata.set(name, value);
  }
  if (reply.trailers !== call.trailers) for (const [name, value] of reply.trailers) call.trailers.set(name, value);
}
