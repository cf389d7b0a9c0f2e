import type { Method } from "./contract.ts";
import type { Metadata } from "./metadata.ts";

interface RequestBase {
  readonly method: Method;
  /** Of the request. A client's interceptor may change it before `next`. */
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
}

/** A call with one request message. */
export interface UnaryInterceptorRequest extends RequestBase {
  readonly streaming: false;
  readonly message: unknown;
}

/** A call with a stream of request messages. */
export interface StreamInterceptorRequest extends RequestBase {
  readonly streaming: true;
  readonly messages: AsyncIterable<unknown>;
}

export type InterceptorRequest = UnaryInterceptorRequest | StreamInterceptorRequest;

interface ReplyBase {
  /** Sent ahead of the first reply. */
  readonly metadata: Metadata;
  /** Sent with the end; complete once the reply or its stream has ended. */
  readonly trailers: Metadata;
}

/** One reply message. */
export interface UnaryInterceptorReply extends ReplyBase {
  readonly streaming: false;
  readonly message: unknown;
}

/** A stream of reply messages. */
export interface StreamInterceptorReply extends ReplyBase {
  readonly streaming: true;
  readonly messages: AsyncIterable<unknown>;
}

export type InterceptorReply = UnaryInterceptorReply | StreamInterceptorReply;

/** The rest of the call. */
export type Next = (request: InterceptorRequest) => Promise<InterceptorReply>;

/**
 * Wraps calls on either side. The first one given to `use` is outermost; on the client it wraps the whole call, retries
 * included.
 *
 * @example
 * ```ts
 * const logging: Interceptor = async (request, next) => {
 *   const reply = await next(request);
 *   console.log(request.method.name, "answered");
 *   return reply;
 * };
 * ```
 */
export type Interceptor = (request: InterceptorRequest, next: Next) => Promise<InterceptorReply>;
