import { allocate } from "./bytes.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { countedHeadBytes, FrameType, frameHeadBytes, maxFrameBytes } from "./wire.ts";

/** Receives whole frames. The payload is `bytes[start … end)`, valid for as long as it is wanted. */
export interface FrameSink {
  onFrame(type: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** No more frames are wanted: the connection ended on the last one. */
  readonly closed: boolean;
}

/** First size of the buffer for a frame that came in parts; it doubles as bytes come, so a false length costs nothing. */
const firstPartBytes = 1024;

/** A frame past this is copied into memory of its own: what it carries may become the value, without another copy. */
const leastOwnBytes = 4096;

/** A frame of which this share is here gets its whole buffer at once. */
const trustedShare = 1 / 16;

/**
 * Cuts bytes into frames. Frames that lie whole in what was received are handed on without a copy; one that spans several
 * receptions is put together in a buffer that grows with what really arrived. Chunk frames, parts of a long message
 * anyway, are handed on in the pieces in which they come.
 */
export class FrameParser {
  #part: Uint8Array | undefined;
  #filled = 0;
  #need = 0;
  #chunkId = 0;
  #chunkLeft = 0;

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.#part !== undefined || this.#chunkLeft > 0;
  }

  /**
   * Takes in what was received. Where that is `borrowed` its memory changes after this returns: then the sink gets copies of all
   * frames but chunks, of which it must keep nothing.
   *
   * @throws ProtocolFault for a length outside 5 … {@link maxFrameBytes}; the connection cannot go on then
   */
  push(bytes: Uint8Array, sink: FrameSink, borrowed = false): void {
    const end = bytes.length;
    let pos = 0;
    if (this.#chunkLeft > 0) pos = this.#continueChunk(bytes, sink);
    else if (this.#part !== undefined) pos = this.#finishPart(bytes, sink);
    while (end - pos >= frameHeadBytes && !sink.closed) {
      const next = pos + 4 + frameLength(bytes, pos);
      const type = bytes[pos + 4] ?? 0;
      if (next > end) {
        if (type !== FrameType.chunk) break;
        return this.#beginChunk(bytes, pos, next, sink);
      }
      if (borrowed && type !== FrameType.chunk) pos = handOnCopies(bytes, pos, sink);
      else {
        sink.onFrame(type, readU32(bytes, pos + 5), bytes, pos + frameHeadBytes, next);
        pos = next;
      }
    }
    if (pos < end && !sink.closed) this.#keep(bytes, pos);
  }

  #beginChunk(bytes: Uint8Array, pos: number, next: number, sink: FrameSink): void {
    this.#chunkId = readU32(bytes, pos + 5);
    this.#chunkLeft = next - bytes.length;
    const start = pos + frameHeadBytes;
    if (start < bytes.length) sink.onFrame(FrameType.chunk, this.#chunkId, bytes, start, bytes.length);
  }

  #continueChunk(bytes: Uint8Array, sink: FrameSink): number {
    const count = Math.min(this.#chunkLeft, bytes.length);
    this.#chunkLeft -= count;
    if (count > 0) sink.onFrame(FrameType.chunk, this.#chunkId, bytes, 0, count);
    return count;
  }

  #finishPart(bytes: Uint8Array, sink: FrameSink): number {
    let pos = 0;
    while (this.#part !== undefined && pos < bytes.length) {
      const count = Math.min(this.#need - this.#filled, bytes.length - pos);
      this.#append(bytes, pos, count);
      pos += count;
      if (this.#filled < this.#need) break;
      const part = this.#part;
      if (this.#need === frameHeadBytes) {
        this.#need = 4 + frameLength(part, 0);
        if (this.#need > frameHeadBytes) continue;
      }
      this.#part = undefined;
      const whole = part.length === this.#need ? part : part.subarray(0, this.#need);
      sink.onFrame(whole[4] ?? 0, readU32(whole, 5), whole, frameHeadBytes, this.#need);
    }
    return pos;
  }

  #keep(bytes: Uint8Array, pos: number): void {
    const count = bytes.length - pos;
    this.#need = count < frameHeadBytes ? frameHeadBytes : 4 + frameLength(bytes, pos);
    const trusted = count >= this.#need * trustedShare;
    this.#part = allocate(trusted ? this.#need : Math.max(firstPartBytes, count * 2));
    this.#filled = 0;
    this.#append(bytes, pos, count);
  }

  #append(bytes: Uint8Array, pos: number, count: number): void {
    let part = this.#part ?? allocate(firstPartBytes);
    const filled = this.#filled + count;
    if (filled > part.length) {
      const trusted = filled >= this.#need * trustedShare;
      const larger = allocate(trusted ? this.#need : Math.max(filled, part.length * 2));
      larger.set(part.subarray(0, this.#filled));
      part = larger;
    }
    part.set(bytes.subarray(pos, pos + count), this.#filled);
    this.#filled = filled;
    this.#part = part;
  }
}

/** Hands on the whole frame at `start`, copied: alone if it is large, else together with the small ones behind it. Returns where they end. */
function handOnCopies(bytes: Uint8Array, start: number, sink: FrameSink): number {
  let end = start;
  while (bytes.length - end >= frameHeadBytes) {
    const size = 4 + readU32(bytes, end);
    const fits = size >= frameHeadBytes && size <= bytes.length - end && bytes[end + 4] !== FrameType.chunk;
    if (!fits || (size >= leastOwnBytes && end > start)) break; // what is wrong with it, the parser says
    end += size;
    if (size >= leastOwnBytes) break;
  }
  const copy = allocate(end - start);
  copy.set(bytes.subarray(start, end));
  for (let pos = 0; pos < copy.length && !sink.closed; ) {
    const next = pos + 4 + readU32(copy, pos);
    sink.onFrame(copy[pos + 4] ?? 0, readU32(copy, pos + 5), copy, pos + frameHeadBytes, next);
    pos = next;
  }
  return end;
}

function frameLength(bytes: Uint8Array, pos: number): number {
  const length = readU32(bytes, pos);
  if (length < countedHeadBytes || length > maxFrameBytes) throw badLength(length);
  return length;
}

function badLength(length: number): ProtocolFault {
  return new ProtocolFault(`Frame length ${length}: expected ${countedHeadBytes} to ${maxFrameBytes}`);
}

function readU32(bytes: Uint8Array, pos: number): number {
  return (
    ((bytes[pos] ?? 0) |
      ((bytes[pos + 1] ?? 0) << 8) |
      ((bytes[pos + 2] ?? 0) << 16) |
      ((bytes[pos + 3] ?? 0) << 24)) >>>
    0
  );
}
