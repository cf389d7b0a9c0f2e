import { countedHeadBytes, frameHeadBytes, maxFrameBytes } from "./wire.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/** Receives whole frames. The payload is `bytes[start … end)`, valid for as long as it is wanted. */
export interface FrameSink {
  onFrame(type: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** No more frames are wanted: the connection ended on the last one. */
  readonly closed: boolean;
}

/** First size of the buffer for a frame that came in parts; it doubles as bytes come, so a false length costs nothing. */
const firstPartBytes = 1024;

/**
 * Cuts chunks into frames. Frames that lie whole in a chunk are handed on without a copy; one that spans chunks is put
 * together in a buffer that grows with what really arrived.
 */
export class FrameParser {
  #part: Uint8Array | undefined;
  #filled = 0;
  #need = 0;

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.#part !== undefined;
  }

  /** @throws ProtocolFault for a length outside 5 … {@link maxFrameBytes}; the connection cannot go on then */
  push(chunk: Uint8Array, sink: FrameSink): void {
    let pos = this.#part === undefined ? 0 : this.#finishPart(chunk, sink);
    const end = chunk.length;
    while (end - pos >= frameHeadBytes && !sink.closed) {
      const next = pos + 4 + frameLength(chunk, pos);
      if (next > end) break;
      sink.onFrame(chunk[pos + 4] ?? 0, readId(chunk, pos + 5), chunk, pos + frameHeadBytes, next);
      pos = next;
    }
    if (pos < end && !sink.closed) this.#keep(chunk, pos);
  }

  #finishPart(chunk: Uint8Array, sink: FrameSink): number {
    let pos = 0;
    while (this.#part !== undefined && pos < chunk.length) {
      const count = Math.min(this.#need - this.#filled, chunk.length - pos);
      this.#append(chunk, pos, count);
      pos += count;
      if (this.#filled < this.#need) break;
      const part = this.#part;
      if (this.#need === frameHeadBytes) {
        this.#need = 4 + frameLength(part, 0);
        if (this.#need > frameHeadBytes) continue;
      }
      this.#part = undefined;
      sink.onFrame(part[4] ?? 0, readId(part, 5), part, frameHeadBytes, this.#need);
    }
    return pos;
  }

  #keep(chunk: Uint8Array, pos: number): void {
    const count = chunk.length - pos;
    this.#need = count < frameHeadBytes ? frameHeadBytes : 4 + frameLength(chunk, pos);
    this.#part = new Uint8Array(Math.min(this.#need, Math.max(firstPartBytes, count * 2)));
    this.#filled = 0;
    this.#append(chunk, pos, count);
  }

  #append(chunk: Uint8Array, pos: number, count: number): void {
    let part = this.#part ?? new Uint8Array(firstPartBytes);
    if (this.#filled + count > part.length) {
      const larger = new Uint8Array(Math.max(this.#filled + count, Math.min(this.#need, part.length * 2)));
      larger.set(part.subarray(0, this.#filled));
      part = larger;
    }
    part.set(chunk.subarray(pos, pos + count), this.#filled);
    this.#filled += count;
    this.#part = part;
  }
}

function frameLength(bytes: Uint8Array, pos: number): number {
  const length =
    ((bytes[pos] ?? 0) |
      ((bytes[pos + 1] ?? 0) << 8) |
      ((bytes[pos + 2] ?? 0) << 16) |
      ((bytes[pos + 3] ?? 0) << 24)) >>>
    0;
  if (length < countedHeadBytes || length > maxFrameBytes) {
    throw new ProtocolFault(`Frame length ${length}: expected ${countedHeadBytes} to ${maxFrameBytes}`);
  }
  return length;
}

function readId(bytes: Uint8Array, pos: number): number {
  return (
    ((bytes[pos] ?? 0) |
      ((bytes[pos + 1] ?? 0) << 8) |
      ((bytes[pos + 2] ?? 0) << 16) |
      ((bytes[pos + 3] ?? 0) << 24)) >>>
    0
  );
}
