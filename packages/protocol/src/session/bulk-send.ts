import type { Writer } from "@pipit/codec";
import { chunkBytes, countedHeadBytes, FrameType, frameHeadBytes } from "./wire.ts";

/** A long message on its way out, in parts. */
export class BulkSend {
  readonly streamId: number;
  readonly body: Uint8Array;
  sent = 0;
  /** Somebody may read the body again once it is sent. */
  kept = false;
  /** What the body lies in, where that is of use to the next message. */
  readonly writer: Writer | undefined;
  /** Runs when the last part is in the socket: what must follow on the stream. */
  readonly done: () => void;

  constructor(streamId: number, body: Uint8Array, writer: Writer | undefined, done: () => void) {
    this.streamId = streamId;
    this.body = body;
    this.writer = writer;
    this.done = done;
  }
}

/** The next chunk frames of a long message, at most `most`: heads, and views of its body. */
export function nextParts(bulk: BulkSend, most: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const { body, streamId } = bulk;
  const count = Math.min(most, Math.ceil((body.length - bulk.sent) / chunkBytes));
  const heads = new Uint8Array(count * frameHeadBytes);
  const view = new DataView(heads.buffer);
  for (let at = 0; at < heads.length; at += frameHeadBytes) {
    const part = body.subarray(bulk.sent, bulk.sent + chunkBytes);
    bulk.sent += part.length;
    view.setUint32(at, countedHeadBytes + part.length, true);
    view.setUint8(at + 4, FrameType.chunk);
    view.setUint32(at + 5, streamId, true);
    parts.push(heads.subarray(at, at + frameHeadBytes), part);
  }
  return parts;
}
