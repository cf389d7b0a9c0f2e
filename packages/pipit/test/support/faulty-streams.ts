import {
  type ByteConnectOptions,
  type ByteListener,
  type ByteListenOptions,
  type ByteStream,
  type ByteStreamHandler,
  type ByteTransport,
  type ListenAddress,
  RpcError,
  type StreamPeer,
} from "@pipit/protocol";

/** What befalls the connections of {@link FaultyStreams}, as their clients see it. */
export interface Faults {
  /** Resets open connections, to one address or all. */
  reset(address?: string): void;
  /** Nothing passes any more, either way, and nobody is told. */
  freeze(): void;
  /** Connects to this address fail, until `allow`. */
  refuse(address: string): void;
  allow(address: string): void;
  /** The next connection is reset once it has passed so many bytes in the direction. */
  resetNextAfter(direction: "sent" | "received", byteCount: number): void;
  /** Connections opened so far. */
  readonly connectCount: number;
  /** Bytes that the clients' connections have passed so far. */
  readonly passedBytes: Readonly<Record<"sent" | "received", number>>;
}

/** A byte transport that misbehaves on order: the same faults over memory, the simulated network and TCP. */
export class FaultyStreams implements ByteTransport, Faults {
  readonly name: string;
  readonly #inner: ByteTransport;
  readonly #open = new Set<FaultyStream>();
  readonly #refused = new Set<string>();
  #next: { direction: "sent" | "received"; byteCount: number } | undefined;
  connectCount = 0;
  readonly passedBytes = { sent: 0, received: 0 };

  constructor(inner: ByteTransport) {
    this.#inner = inner;
    this.name = inner.name;
  }

  async connect(address: string, options: ByteConnectOptions): Promise<ByteStream> {
    if (this.#refused.has(address))
      throw new RpcError("unavailable", `Cannot connect to ${address}: refused by the test`);
    const stream = new FaultyStream(await this.#inner.connect(address, options), address, this.passedBytes);
    this.connectCount++;
    stream.budget = this.#next;
    this.#next = undefined;
    this.#open.add(stream);
    return stream;
  }

  listen(
    where: ListenAddress,
    accept: (stream: ByteStream) => void,
    options?: ByteListenOptions,
  ): Promise<ByteListener> {
    return this.#inner.listen(where, accept, options);
  }

  reset(address?: string): void {
    for (const stream of this.#open) {
      if (address !== undefined && stream.address !== address) continue;
      this.#open.delete(stream);
      stream.reset();
    }
  }

  freeze(): void {
    for (const stream of this.#open) stream.frozen = true;
  }

  refuse(address: string): void {
    this.#refused.add(address);
  }

  allow(address: string): void {
    this.#refused.delete(address);
  }

  resetNextAfter(direction: "sent" | "received", byteCount: number): void {
    this.#next = { direction, byteCount };
  }
}

class FaultyStream implements ByteStream, ByteStreamHandler {
  readonly address: string;
  readonly #inner: ByteStream;
  readonly #passedBytes: Record<"sent" | "received", number>;
  #handler: ByteStreamHandler | undefined;
  budget: { direction: "sent" | "received"; byteCount: number } | undefined;
  frozen = false;

  constructor(inner: ByteStream, address: string, passedBytes: Record<"sent" | "received", number>) {
    this.#inner = inner;
    this.address = address;
    this.#passedBytes = passedBytes;
  }

  get peer(): StreamPeer {
    return this.#inner.peer;
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes;
  }

  reset(): void {
    this.#inner.destroy(new Error("reset by the test"));
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler;
    this.#inner.start(this);
  }

  write(bytes: Uint8Array): boolean {
    const passed = this.#pass("sent", bytes);
    return passed === undefined ? true : this.#inner.write(passed);
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    return parts.reduce((_, part) => this.write(part), true);
  }

  end(): void {
    if (!this.frozen) this.#inner.end();
  }

  destroy(error?: Error): void {
    this.#inner.destroy(error);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  onData(chunk: Uint8Array): void {
    const passed = this.#pass("received", chunk);
    if (passed !== undefined) this.#handler?.onData(passed);
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onEnd(): void {
    if (!this.frozen) this.#handler?.onEnd();
  }

  onClose(error: Error | undefined): void {
    this.#handler?.onClose(error);
  }

  /** What of the bytes still passes. The reset comes with the byte that would be one too many. */
  #pass(direction: "sent" | "received", bytes: Uint8Array): Uint8Array | undefined {
    if (this.frozen) return undefined;
    this.#passedBytes[direction] += bytes.length;
    const { budget } = this;
    if (budget?.direction !== direction) return bytes;
    if (bytes.length <= budget.byteCount) {
      budget.byteCount -= bytes.length;
      return bytes;
    }
    const kept = bytes.slice(0, budget.byteCount);
    this.budget = { direction, byteCount: 0 };
    this.frozen = true;
    if (direction === "sent" && kept.length > 0) this.#inner.write(kept);
    if (direction === "received" && kept.length > 0) this.#handler?.onData(kept);
    // What was just written must reach the peer: the reset follows in a later turn.
    setImmediate(() => setImmediate(() => this.reset()));
    return undefined;
  }
}
