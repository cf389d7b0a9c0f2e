/** A frame is a u32 little-endian length, then that many bytes. */
const frameHeadBytes = 4;

/** A peer declared a frame larger than is taken: not one of ours, or hostile. The connection is of no use any more. */
export class FrameTooLargeError extends RangeError {
  override readonly name: string = "FrameTooLargeError";
}

/** `payload` with its length before it, in one new buffer. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(frameHeadBytes + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length, true);
  frame.set(payload, frameHeadBytes);
  return frame;
}

/**
 * Cuts a byte stream into frames. Holds only bytes that have arrived, never room for what a length promises.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes held for a frame that is not complete yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Takes over the next chunk and returns the payloads that are complete now, some of them views into `chunk`.
   *
   * @throws FrameTooLargeError as soon as a length says so.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    const frames: Uint8Array[] = [];
    while (this.#heldBytes >= frameHeadBytes) {
      const head = this.#joined(frameHeadBytes);
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
      if (length > this.#maxFrameBytes) {
        throw new FrameTooLargeError(`Cannot read a frame of ${length} bytes: the limit is ${this.#maxFrameBytes}`);
      }
      const frameBytes = frameHeadBytes + length;
      if (this.#heldBytes < frameBytes) break;
      const joined = this.#joined(frameBytes);
      frames.push(joined.subarray(frameHeadBytes, frameBytes));
      this.#chunks[0] = joined.subarray(frameBytes);
      this.#heldBytes -= frameBytes;
    }
    return frames;
  }

  /** The first chunk, once it has at least `bytes`. Joins all that is held at most once per frame head and once per frame. */
  #joined(bytes: number): Uint8Array {
    const [first] = this.#chunks as [Uint8Array];
    if (first.length >= bytes) return first;
    const joined = new Uint8Array(this.#heldBytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [joined];
    return joined;
  }
}
