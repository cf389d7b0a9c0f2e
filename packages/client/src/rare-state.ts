import type { ItemStream, Metadata } from "@pipit/protocol";
import type { CallLog } from "./call-log.ts";
import type { CallRetry } from "./call-retry.ts";
import type { ClientCall } from "./client-call.ts";
import type { InputPump } from "./input-pump.ts";
import type { StreamTimer } from "./stream-timer.ts";

/**
 * What few calls keep: those with streams, and those that wait, are sent twice, fail or are asked about. Made when first needed,
 * since a field costs a call eight bytes and a nanosecond and a half even when it is never used.
 */
export class RareState {
  /** The request's bytes, where they had to be kept. */
  requestBytes: Uint8Array | undefined = undefined;
  /** What is sent: what the caller gave, and the sending's credentials beside it. */
  metadata: Metadata | undefined = undefined;
  /** What the caller gave. */
  ownMetadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  /** What the caller gave; else it is that of the call for which this one is made. */
  criticality: 0 | 1 | 2 | undefined = undefined;
  replyMetadata: Metadata | undefined = undefined;
  /** The attempt they came with. */
  metadataAttempt = 0;
  replyTrailers: Metadata | undefined = undefined;
  log: CallLog | undefined = undefined;

  // Streams.

  /** Where reply items go. */
  items: ItemStream<unknown> | undefined = undefined;
  input: InputPump | undefined = undefined;
  inputEnded = false;
  itemSeen = false;
  /** Neither call nor contract gave a deadline: the default bounds the silent parts. */
  watchesSilence = false;
  timer: StreamTimer | undefined = undefined;

  // Where it goes, and when.

  /** Endpoints that must not be used: another sending of the same request is there. */
  avoid: ReadonlySet<string> | undefined = undefined;
  /** The one endpoint to use. */
  only: string | undefined = undefined;
  /** Why the endpoint is picked, where it is not the policy's plain choice; the first one's, and the latest one's. */
  firstReason: string | undefined = undefined;
  reason: string | undefined = undefined;
  /** While it waits for an endpoint, a connection or its credentials: ends that. */
  wait: { stop(): void } | undefined = undefined;
  /** Once a sending has failed. */
  retry: CallRetry | undefined = undefined;
  /** Its deadline was moved once, for a turn of the event loop that had misdated its start. */
  extended = false;

  // Hedging.

  /** The other sending of a hedged call: whichever answers first ends both, and they share one log. */
  rival: ClientCall | undefined = undefined;
  /** The rival answered first. */
  lost = false;
}
