/** First size of a writer's buffer: a slab that many small messages share. */
const FIRST_BYTES = 1024;

interface BufferLike {
  allocUnsafeSlow(size: number): Uint8Array;
}

const NodeBuffer = (globalThis as { readonly Buffer?: BufferLike }).Buffer;

/** New bytes with unspecified content: a `Buffer` where there is a global one, since it reads and writes text natively. */
export function allocate(size: number): Uint8Array {
  return NodeBuffer !== undefined ? NodeBuffer.allocUnsafeSlow(size) : new Uint8Array(size);
}

/**
 * A growing output buffer. Write `bytes` from `pos` on after {@link Writer.reserve}; what lies before `pos` is finished
 * output and is never touched again. Growing replaces `bytes` and `view`, so read them again after `reserve`.
 */
export class Writer {
  declare bytes: Uint8Array;
  declare view: DataView;
  declare pos: number;
  /** The memory of `bytes`, from its first byte on: asking `bytes` for it each time would cost a tenth of a small message. */
  declare buffer: ArrayBufferLike;

  constructor(size: number = FIRST_BYTES) {
    renew(this, size);
  }

  /** Makes sure that `size` bytes are free after `pos`, at least doubling the buffer when they are not. */
  reserve(size: number): void {
    if (this.bytes.length - this.pos < size) grow(this, size);
  }

  /** A copy of everything written so far. */
  take(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(0, this.pos));
  }
}

// Functions and not private methods, since writers of two copies of the package must be of one type.

/** Starts anew, with memory of its own. */
export function renew(writer: Writer, size: number): void {
  writer.pos = 0;
  use(writer, allocate(size));
}

function grow(writer: Writer, size: number): void {
  const bytes = allocate(Math.max(writer.bytes.length * 2, writer.pos + size));
  bytes.set(writer.bytes.subarray(0, writer.pos));
  use(writer, bytes);
}

function use(writer: Writer, bytes: Uint8Array): void {
  writer.bytes = bytes;
  writer.buffer = bytes.buffer;
  writer.view = new DataView(writer.buffer);
}
