import type { InferInput } from "@pipit/codec";
import type { CallContext } from "./call-context.ts";
import type { Code } from "./code.ts";
import type { Method } from "./contract.ts";
import type { Metadata } from "./metadata.ts";
import type { RpcError } from "./rpc-error.ts";

/** Who calls, as the transport and `authenticate` know it. */
export interface Peer {
  /** Where the caller is: `host:port` or `unix:/path`. */
  readonly address: string;
  /** The connection is encrypted or cannot leave the machine. */
  readonly secure: boolean;
  /** What `authenticate` returned for this connection; undefined without one. */
  readonly identity: unknown;
}

/** Options of {@link Context.error}. */
export interface DeclaredErrorOptions {
  readonly message?: string | undefined;
  /** Default `"failed_precondition"`. */
  readonly code?: Code | undefined;
}

/** Second argument of every handler. Valid until the call ends. */
export interface Context<E = {}> extends CallContext {
  /** Fires when the caller cancels, hangs up, or time runs out. Made on first use. */
  readonly signal: AbortSignal;
  /** The moment by which the call must have ended, on the server's monotonic clock; Infinity when there is none. */
  readonly deadlineMs: number;
  /** Milliseconds until then: 0 when it has passed, Infinity when there is no deadline. */
  remainingMs(): number;
  /** What the caller sent. */
  readonly metadata: Metadata;
  /** Goes out ahead of the first reply; changing it later throws. */
  readonly replyMetadata: Metadata;
  /** Goes out with the end of the call. */
  readonly trailers: Metadata;
  readonly method: Method;
  readonly peer: Peer;
  /** Which sending of the call this is, from 1. */
  readonly attempt: number;
  /** Key of a `once` call. */
  readonly idempotencyKey: string | undefined;
  /** What the `ReplyStore` hands to the handler of a `once` call: a transaction in which reply and effect commit as one. */
  readonly transaction: unknown;
  /** A declared error, to be thrown: `throw context.error("notFound", { id })`. */
  error<N extends keyof E & string>(name: N, data: InferInput<E[N]>, options?: DeclaredErrorOptions): RpcError;
}
