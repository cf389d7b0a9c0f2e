import type { Socket } from "node:net";
import { type ByteStream, type ByteStreamHandler, type StreamPeer, systemClock } from "@pipit/protocol";
import { isNode } from "./builtin.ts";
import { freeMemory } from "./free-memory.ts";
import { streamError } from "./node-error.ts";
import type { SharedReads } from "./shared-reads.ts";

/** Unsent bytes past which `write` says no. Above Node 20's own mark of 16 KiB, so that a burst of small flushes passes. */
const highWaterMarkBytes = 65_536;

/** Reads of at least so many bytes are freed once they were handed on: to copy what must be kept costs less than the collector's work. */
const leastFreedBytes = 16_384;

/** A connected socket (TCP, TLS or Unix) as a {@link ByteStream}. The socket belongs to the stream from now on. */
export class TcpStream implements ByteStream {
  readonly peer: StreamPeer;
  /** The kernel has its own copy of what it took; a TLS layer may still be at it. */
  readonly copiesWrites: boolean;
  readonly #socket: Socket;
  readonly #reads: SharedReads | undefined;
  #handler: ByteStreamHandler | undefined;
  #owesDrain = false;
  /** Writing is over: half-closed, destroyed or broken. */
  #writesDropped = false;
  #isClosed = false;
  /** What `destroy` was given, which comes back as it is. */
  #ownError: Error | undefined;
  #broken: Error | undefined;

  /** @param reads How the socket reads, where it was made so; it is paused then. */
  constructor(socket: Socket, peer: StreamPeer, reads?: SharedReads) {
    this.#socket = socket;
    this.#reads = reads;
    this.peer = peer;
    this.copiesWrites = !("encrypted" in socket);
    // The error is told by `onClose`. A TLS socket that got an alert tells the error and stays open: the end is ours to make.
    socket.on("error", (error) => {
      this.#broken ??= error;
      socket.destroy();
    });
    if (socket.closed) this.#onSocketClose();
    else socket.on("close", () => this.#onSocketClose());
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: ByteStreamHandler): void {
    if (this.#handler !== undefined) throw new Error(`The stream to ${this.peer.address} was started already`);
    this.#handler = handler;
    if (this.#isClosed) {
      systemClock.soon(() => this.#tellClosed(handler));
      return;
    }
    const socket = this.#socket;
    socket.on("drain", () => this.#onSocketDrain());
    socket.on("end", () => handler.onEnd());
    if (this.#reads === undefined) socket.on("data", (chunk: Uint8Array<ArrayBuffer>) => handOn(chunk, handler));
    else {
      this.#reads.take = (bytes) => {
        if (handler.onBorrowed === undefined) handler.onData(Buffer.copyBytesFrom(bytes));
        else handler.onBorrowed(bytes);
      };
      socket.resume();
    }
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writesDropped || this.#socket.destroyed) return true;
    return this.#socket.write(bytes) || this.#hasRoom();
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#writesDropped || socket.destroyed) return true;
    let accepted = true;
    socket.cork();
    for (const part of parts) accepted = socket.write(part);
    socket.uncork();
    return accepted || this.#hasRoom();
  }

  end(): void {
    this.#writesDropped = true;
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#writesDropped = true;
    if (this.#socket.destroyed) return;
    this.#ownError = error;
    this.#socket.destroy(error);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The socket said no by its own mark, before the kernel took what it could. By our mark: */
  #hasRoom(): boolean {
    if (this.#socket.writableLength < highWaterMarkBytes) return true;
    this.#owesDrain = true;
    return false;
  }

  #onSocketDrain(): void {
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.#handler?.onDrain();
  }

  #onSocketClose(): void {
    this.#isClosed = true;
    this.#writesDropped = true;
    if (this.#handler !== undefined) this.#tellClosed(this.#handler);
  }

  #tellClosed(handler: ByteStreamHandler): void {
    const broken = this.#broken ?? this.#socket.errored;
    handler.onClose(this.#ownError ?? (broken ? streamError(this.peer.address, broken) : undefined));
  }
}

/** Hands on what the socket read into memory that nobody else has. */
function handOn(chunk: Uint8Array<ArrayBuffer>, handler: ByteStreamHandler): void {
  const frees = isNode && chunk.length >= leastFreedBytes && chunk.length === chunk.buffer.byteLength;
  if (!frees || handler.onBorrowed === undefined) return handler.onData(chunk);
  handler.onBorrowed(chunk);
  freeMemory(chunk);
}
