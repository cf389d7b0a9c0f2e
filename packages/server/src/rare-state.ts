import type { CallDependent, ItemStream, Metadata, Peer, RetryPurse, RpcError } from "@pipit/protocol";
import type { ClaimedCall } from "./run-once.ts";
import type { SealableMetadata } from "./sealable-metadata.ts";

/**
 * What few calls keep: those with streams, `once` calls, those that wait or are cancelled, and those whose handlers ask for more than
 * the request. Made when first needed, since a field costs a call eight bytes and a nanosecond and a half even when it is never used.
 */
export class RareState {
  /** Where request items go, for streams of requests. */
  requests: ItemStream<unknown> | undefined = undefined;
  /** Called once when the end has been sent. */
  whenEnded: (() => void) | undefined = undefined;
  /** Called when there is room for more reply items. */
  wake: (() => void) | undefined = undefined;
  /** What the reply store gave for a `once` call. */
  claimed: ClaimedCall | undefined = undefined;
  /** Why the call was given up from outside. */
  cancelled: RpcError | undefined = undefined;
  /** Behind the handler's signal. */
  controller: AbortController | undefined = undefined;
  dependents: Set<CallDependent> | undefined = undefined;
  metadata: Metadata | undefined = undefined;
  replyMetadata: SealableMetadata | undefined = undefined;
  trailers: Metadata | undefined = undefined;
  purse: RetryPurse | undefined = undefined;
  peer: Peer | undefined = undefined;
}
