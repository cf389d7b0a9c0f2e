import {
  type CallEnd,
  type CallOptions,
  type Interceptor,
  type InterceptorReply,
  type InterceptorRequest,
  ItemStream,
  Metadata,
  type Next,
  RpcError,
} from "@pipit/protocol";
import type { CallPlan } from "./call-plan.ts";
import type { ClientCall } from "./client-call.ts";
import type { ClientCore } from "./client-core.ts";
import { gatherEnds } from "./intercepted-ends.ts";
import { startStream } from "./start-call.ts";

/** Wraps a call with one reply, retries included, in the client's interceptors. */
export async function interceptUnary(
  core: ClientCore,
  plan: CallPlan,
  request: unknown,
  options: CallOptions | undefined,
  send: (request: unknown, options: CallOptions | undefined) => Promise<unknown>,
): Promise<unknown> {
  const ends = gatherEnds(core, plan, options);
  const run = compose(core.interceptors, async (passed) => {
    let ended: CallEnd | undefined;
    const onEnd = (end: CallEnd): void => {
      ended = end;
      ends?.add(end);
    };
    const message = await send(inputOf(passed), { ...optionsOf(passed, options), onEnd });
    const metadata = ended?.metadata ?? new Metadata();
    return { streaming: false, message, metadata, trailers: ended?.trailers ?? new Metadata() };
  });
  let reply: InterceptorReply;
  try {
    reply = await run(requestOf(plan, request, options));
    if (reply.streaming) throw new RpcError("internal", "An interceptor answered a call with one reply by a stream");
  } catch (error) {
    ends?.tell(undefined, error);
    throw error;
  }
  ends?.tell(reply);
  return reply.message;
}

/** Wraps a call with a stream of replies. It begins with the first item asked for. */
export function interceptStream(
  core: ClientCore,
  plan: CallPlan,
  request: unknown,
  options: CallOptions | undefined,
): ItemStream<unknown> {
  let left = false;
  const sent: (() => ClientCall | undefined)[] = [];
  let iterator: AsyncIterator<unknown> | undefined;
  const replies: ItemStream<unknown> = new ItemStream<unknown>({
    onStarted: () => void pump(),
    onConsumed: () => wake?.(),
    onLeft() {
      left = true;
      wake?.();
      iterator?.return?.()?.then(undefined, () => undefined);
      // An interceptor that waits for an item hears of that only with the next one.
      for (const started of sent) started()?.cancel(readerLeft());
    },
  });
  let wake: (() => void) | undefined;

  async function pump(): Promise<void> {
    const ends = gatherEnds(core, plan, options);
    let reply: InterceptorReply | undefined;
    try {
      const run = compose(core.interceptors, async (passed) => {
        if (left) throw readerLeft();
        const own = { ...optionsOf(passed, options), onEnd: ends?.add };
        const { replies: messages, started } = startStream(core, plan, inputOf(passed), own);
        sent.push(started);
        return streamReply(messages, started);
      });
      reply = await run(requestOf(plan, request, options));
      if (!reply.streaming) throw new RpcError("internal", "An interceptor answered a stream by a single reply");
      iterator = reply.messages[Symbol.asyncIterator]();
      // The reader left while an interceptor was at work: the call does not begin any more.
      if (left) await iterator.return?.();
      for (;;) {
        if (left) break;
        const step = await iterator.next();
        if (step.done === true) break;
        // One item ahead of the reader, so that its pace holds up the sender.
        replies.push(step.value, 1);
        if (replies.waiting > 0) await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    } catch (error) {
      ends?.tell(reply, left ? undefined : error);
      return replies.fail(error);
    }
    ends?.tell(reply);
    replies.close();
  }

  return replies;
}

function streamReply(
  messages: AsyncIterable<unknown>,
  started: () => ClientCall | undefined,
): Extract<InterceptorReply, { streaming: true }> {
  return {
    streaming: true,
    messages,
    get metadata() {
      return started()?.replyMetadata ?? new Metadata();
    },
    get trailers() {
      return started()?.replyTrailers ?? new Metadata();
    },
  };
}

function readerLeft(): RpcError {
  return new RpcError("cancelled", "The reader left");
}

function compose(interceptors: readonly Interceptor[], last: Next): Next {
  let run = last;
  for (let index = interceptors.length - 1; index >= 0; index--) {
    const interceptor = interceptors[index] as Interceptor;
    const next = run;
    run = (request) => interceptor(request, next);
  }
  return run;
}

/** A signal that never fires, for calls whose caller gave none. */
const never = new AbortController().signal;

function requestOf(plan: CallPlan, request: unknown, options: CallOptions | undefined): InterceptorRequest {
  const base = { method: plan.method, metadata: new Metadata(options?.metadata), signal: options?.signal ?? never };
  return plan.streamsInput
    ? { ...base, streaming: true, messages: request as AsyncIterable<unknown> }
    : { ...base, streaming: false, message: request };
}

function inputOf(passed: InterceptorRequest): unknown {
  return passed.streaming ? passed.messages : passed.message;
}

/** What interceptors changed of the request holds for the call. */
function optionsOf(passed: InterceptorRequest, options: CallOptions | undefined): CallOptions {
  const metadata = passed.metadata.size === 0 ? undefined : passed.metadata;
  return { ...options, metadata, signal: passed.signal === never ? undefined : passed.signal };
}
