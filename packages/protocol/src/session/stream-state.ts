import type { BulkSend } from "./output.ts";

/** A long message on its way in. */
export interface Assembly {
  readonly bytes: Uint8Array;
  filled: number;
  /** Credit that it took; 0 for the one message of a call. */
  readonly charge: number;
}

/** What both ends keep for an open stream: credit for items each way, and long messages under way. */
export class StreamState {
  readonly id: number;
  /** Bytes of items that we may still send. One message may overdraw it. */
  sendCredit: number;
  /** Bytes of items that the peer may still send. */
  receiveCredit: number;
  /** What `receiveCredit` is kept up to as items are consumed. */
  windowBytes: number;
  /** When credit was last given back. */
  releasedAtMs: number = Number.NEGATIVE_INFINITY;
  /** Bytes consumed that the peer has not been told of. */
  unreleased = 0;
  /** Bytes of items handed up and not yet consumed. */
  unconsumed = 0;
  assembly: Assembly | undefined;
  bulk: BulkSend | undefined;
  /** What waits for the end of `bulk`, in order. */
  afterBulk: (() => void)[] | undefined;
  /** A producer was told that there is no room. */
  blocked = false;

  constructor(id: number, sendCredit: number, windowBytes: number) {
    this.id = id;
    this.sendCredit = sendCredit;
    this.receiveCredit = windowBytes;
    this.windowBytes = windowBytes;
  }
}
