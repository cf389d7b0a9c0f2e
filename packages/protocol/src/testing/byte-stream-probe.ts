import assert from "node:assert/strict";
import type { ByteStream, ByteStreamHandler } from "../byte-stream.ts";

/**
 * One end of a stream under test: it keeps what it was told, waits for it, and holds the stream to the order of events and to
 * the law that none comes from inside a method.
 */
export class ByteStreamProbe implements ByteStreamHandler {
  readonly stream: ByteStream;
  /** As received, never copied: a stream that rewrites a chunk later is found out. */
  readonly chunks: Uint8Array[] = [];
  receivedBytes = 0;
  drainCount = 0;
  isEnded = false;
  closeCount = 0;
  closeError: Error | undefined;
  /** Set before `start` to take borrowed bytes. */
  onBorrowed?: (chunk: Uint8Array) => void;
  #inMethod = false;
  #waiters: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Attaches the probe: events come from now on. */
  start(): this {
    this.#guarded(() => this.stream.start(this));
    return this;
  }

  write(bytes: Uint8Array): boolean {
    return this.#guarded(() => this.stream.write(bytes));
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    return this.#guarded(() => this.stream.writeAll(parts));
  }

  end(): void {
    this.#guarded(() => this.stream.end());
  }

  destroy(error?: Error): void {
    this.#guarded(() => this.stream.destroy(error));
  }

  pause(): void {
    this.#guarded(() => this.stream.pause());
  }

  resume(): void {
    this.#guarded(() => this.stream.resume());
  }

  /** Resolves once `isMet` holds, asked after each event. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ isMet, resolve });
    });
  }

  received(count: number): Promise<void> {
    return this.until(() => this.receivedBytes >= count);
  }

  ended(): Promise<void> {
    return this.until(() => this.isEnded);
  }

  closed(): Promise<void> {
    return this.until(() => this.closeCount > 0);
  }

  /** Everything received so far, as one array. */
  bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }

  onData(chunk: Uint8Array): void {
    this.#event("onData");
    assert.ok(!this.isEnded, "onData after onEnd");
    assert.ok(chunk.byteLength > 0, "onData with no bytes");
    this.chunks.push(chunk);
    this.receivedBytes += chunk.byteLength;
    this.#wakeWaiters();
  }

  onDrain(): void {
    this.#event("onDrain");
    assert.equal(this.stream.unsentBytes, 0, "unsent bytes at onDrain");
    this.drainCount++;
    this.#wakeWaiters();
  }

  onEnd(): void {
    this.#event("onEnd");
    assert.ok(!this.isEnded, "onEnd twice");
    this.isEnded = true;
    this.#wakeWaiters();
  }

  onClose(error: Error | undefined): void {
    this.#event("onClose");
    this.closeCount++;
    this.closeError = error;
    this.#wakeWaiters();
  }

  #guarded<T>(method: () => T): T {
    this.#inMethod = true;
    try {
      return method();
    } finally {
      this.#inMethod = false;
    }
  }

  #event(name: string): void {
    assert.ok(!this.#inMethod, `${name} came from inside a method of the stream`);
    assert.equal(this.closeCount, 0, `${name} after onClose`);
  }

  #wakeWaiters(): void {
    this.#waiters = this.#waiters.filter(({ isMet, resolve }) => {
      if (!isMet()) return true;
      resolve();
      return false;
    });
  }
}
