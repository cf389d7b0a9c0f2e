import type { CallRecord } from "./call-record.ts";
import type { CallContext } from "./call-context.ts";
import type { Metadata, MetadataInit } from "./metadata.ts";
import type { RpcError } from "./rpc-error.ts";

/** How much it matters that a call gets through when a server must shed load: the lowest goes first. */
export type Criticality = "sheddable" | "default" | "critical";

/** What {@link CallOptions.onEnd} is told. */
export interface CallEnd {
  /** Metadata sent before the first reply, if any. */
  readonly metadata: Metadata | undefined;
  readonly trailers: Metadata | undefined;
  readonly record: CallRecord;
  /** Absent when the call succeeded. */
  readonly error?: RpcError | undefined;
}

/** Options of one call. They win over those of `client.service`, of the method, and of the client, in this order. */
export interface CallOptions {
  /** Longest time the whole call may take, in milliseconds. Default 10 s; an outer deadline always caps it. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call: it rejects with `cancelled` and `cause: signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Sent with the call: lower-case names, at most 8 KiB in all. */
  readonly metadata?: MetadataInit | undefined;
  /** Key of a `once` call, to be used again by a later call that means the same. Default: 128 random bits per call. */
  readonly idempotencyKey?: string | undefined;
  /** What the hashing policies hash: equal keys go to the same endpoint. */
  readonly hashKey?: string | undefined;
  /** Inherited by the servers that the call reaches. Default `"default"`, or what the outer call has. */
  readonly criticality?: Criticality | undefined;
  /** The call this one is made for, where the surroundings cannot tell: pass on a handler's `context`. */
  readonly context?: CallContext | undefined;
  /** Wait until the deadline for an endpoint that can be reached, instead of failing with `unavailable`. Default false. */
  readonly waitForReady?: boolean | undefined;
  /** Called once when metadata arrive ahead of the first reply. */
  readonly onMetadata?: ((metadata: Metadata) => void) | undefined;
  /** Called once, after success or failure. Never changes the result. */
  readonly onEnd?: ((end: CallEnd) => void) | undefined;
}
