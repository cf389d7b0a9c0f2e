import type { BulkSend } from "./bulk-send.ts";
import type { StreamCredit } from "./flow-control.ts";
import type { PackedHead, Packing } from "./packing.ts";
import type { ReplyHead } from "./reply-head.ts";

/** A long message on its way in. */
export interface Assembly {
  readonly bytes: Uint8Array;
  filled: number;
  /** Credit that it took; 0 for the one message of a call. */
  readonly charge: number;
  /** Set when `bytes` are packed. */
  readonly packed: PackedHead | undefined;
}

/** What came on a stream behind a message that is still being unpacked. */
export interface Waiting {
  /** Part of the budget for unfinished messages that it takes. */
  readonly heldBytes: number;
  readonly read: () => void;
}

/** An open stream, as either end of a session knows it. */
export interface SessionStream {
  readonly id: number;
  /** Made when the stream first carries an item, or a message that is long or packed: most calls are one small frame each way. */
  state: StreamState | undefined;
}

/** What both ends keep for a stream of items or of large messages: credit each way, and what is under way. */
export class StreamState implements StreamCredit {
  sendBalance = 0;
  receiveCredit: number;
  windowBytes: number;
  renewedAtMs: number = Number.NEGATIVE_INFINITY;
  unreleased = 0;
  unconsumed = 0;
  assembly: Assembly | undefined;
  /** Bytes still to come of the one message of the call, which nobody wants any more: with the last of them the stream ends. */
  unwantedBytes = 0;
  /** A message of ours under way: being packed, with its frame not yet written, or on its way in parts. */
  sending: Packing | BulkSend | undefined;
  /** Set while a message from the peer is being unpacked: what came behind it, in order. */
  arriving: Waiting[] | undefined;
  /** What the head of the reply says, where it has fields. */
  replyHead: ReplyHead | undefined;
  /** What waits for the end of `sending`, in order. */
  afterSending: (() => void)[] | undefined;

  constructor(windowBytes: number) {
    this.receiveCredit = windowBytes;
    this.windowBytes = windowBytes;
  }
}
