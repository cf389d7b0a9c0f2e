import type { ByteStream, ByteStreamHandler, StreamPeer } from "@pipit/protocol";
import { RpcError } from "@pipit/protocol";
import { Fifo } from "./fifo.ts";
import type { Packet } from "./simulated-wire.ts";

/** Unsent bytes past which `write` says no: what Node gives a socket since version 22. */
const highWaterMarkBytes = 65_536;
/** Most bytes of one read, as Node reads a socket. */
const maxReadBytes = 65_536;

/** What a stream needs from the host and link around it. */
export interface StreamSurroundings {
  /** Sends a packet to the other end. */
  readonly send: (packet: Packet) => void;
  /** Forgets what was sent and has not arrived. */
  readonly dropSent: () => void;
  /** Runs a callback of the application in a turn of its own; a frozen host keeps it for later. */
  readonly turn: (fn: () => void) => void;
  /** Runs a callback of the application within this turn; a frozen host keeps it for later. */
  readonly run: (fn: () => void) => void;
  readonly isFrozen: () => boolean;
  /** Size of the next piece that the kernel puts on the wire. */
  readonly pieceBytes: () => number;
  /** Whether several pieces that wait may be read as one. */
  readonly joinsReads: boolean;
  /** Bytes that the two kernels hold together before the sender has to keep the rest. */
  readonly windowBytes: number;
  /** The kernel copies what it takes, so that the writer may use the memory again. */
  readonly copiesWrites: boolean;
}

/**
 * One end of a simulated connection: the socket of the application, and the kernel below it. It does what a TCP socket does on
 * Linux, the harsh cases included: closing with unread input resets the connection, and a reset loses what was not read.
 */
export class SimulatedStream implements ByteStream {
  readonly peer: StreamPeer;
  readonly copiesWrites: boolean;
  readonly #around: StreamSurroundings;
  #handler: ByteStreamHandler | undefined;

  // Towards the peer.
  readonly #unsent = new Fifo<Uint8Array>();
  #unsentBytes = 0;
  #inKernelsBytes = 0;
  #owesDrain = false;
  #ending = false;
  #finSent = false;

  // From the peer.
  readonly #inbox = new Fifo<Uint8Array>();
  #unannouncedBytes = 0;
  #finArrived = false;
  #endSeen = false;
  #paused = false;
  #stopped = false;

  #closed = false;
  #closeError: Error | undefined;

  constructor(peer: StreamPeer, around: StreamSurroundings) {
    this.peer = peer;
    this.copiesWrites = around.copiesWrites;
    this.#around = around;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Whether the application, or the network, has closed this end. */
  get isClosed(): boolean {
    return this.#closed;
  }

  start(handler: ByteStreamHandler): void {
    if (this.#handler !== undefined) throw new Error("The stream was started already");
    this.#handler = handler;
    if (this.#closed) this.#tellClosed();
    else this.wake();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending || bytes.byteLength === 0) return true;
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.byteLength;
    return this.#afterWrite();
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    if (this.#closed || this.#ending) return true;
    for (const part of parts) {
      this.#unsent.push(part);
      this.#unsentBytes += part.byteLength;
    }
    return this.#afterWrite();
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#fillWire();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    if (this.#inbox.length > 0) {
      this.#around.dropSent();
      this.#around.send({ type: "reset" });
    } else if (!this.#finSent) {
      this.#around.send({ type: "fin" });
    }
    this.#close(error);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.wake();
  }

  /** The application reads no more, whatever it believes; a later call with false lets it read again. */
  stopReading(stopped: boolean): void {
    this.#stopped = stopped;
    if (!stopped) this.wake();
  }

  /** Reads what waits, in a turn of its own. */
  wake(): void {
    if (this.#inbox.length > 0 || this.#finArrived) this.#around.turn(() => this.#read());
  }

  /** The kernel got a packet. */
  receive(packet: Packet): void {
    if (packet.type === "reset") return this.reset();
    if (this.#closed) {
      if (packet.type === "data") this.#around.send({ type: "reset" });
      return;
    }
    switch (packet.type) {
      case "data":
        this.#inbox.push(packet.bytes);
        this.#around.run(() => this.#read());
        break;
      case "fin":
        this.#finArrived = true;
        this.#around.run(() => this.#read());
        break;
      case "read":
        this.#inKernelsBytes -= packet.count;
        this.#fillWire();
        break;
      default:
        packet satisfies never;
    }
  }

  /** The connection is reset from outside: what was not read is lost. */
  reset(): void {
    if (this.#closed) return;
    this.#inbox.clear();
    this.#close(new RpcError("unavailable", `The connection to ${this.peer.address} was reset by the peer`));
  }

  #afterWrite(): boolean {
    this.#fillWire();
    if (this.#unsentBytes < highWaterMarkBytes) return true;
    this.#owesDrain = true;
    return false;
  }

  /** The kernel takes what the window has room for. */
  #fillWire(): void {
    const { pieceBytes, windowBytes, send } = this.#around;
    for (let first = this.#unsent.first; first !== undefined; first = this.#unsent.first) {
      const roomBytes = windowBytes - this.#inKernelsBytes;
      if (roomBytes <= 0 && first.byteLength > 0) return;
      const count = Math.min(first.byteLength, roomBytes, pieceBytes());
      if (count === first.byteLength) this.#unsent.shift();
      else this.#unsent.replaceFirst(first.subarray(count));
      if (count === 0) continue;
      this.#unsentBytes -= count;
      this.#inKernelsBytes += count;
      send({ type: "data", bytes: this.copiesWrites ? first.slice(0, count) : first.subarray(0, count) });
    }
    if (this.#owesDrain) this.#around.turn(() => this.#tellDrained());
    if (this.#ending && !this.#finSent) {
      this.#finSent = true;
      send({ type: "fin" });
      this.#closeIfBothEnded();
    }
  }

  #read(): void {
    while (this.#mayRead() && this.#inbox.length > 0) {
      const chunk = this.#takeChunk();
      this.#announceRead(chunk.byteLength);
      this.#handler?.onData(chunk);
    }
    if (this.#finArrived && !this.#endSeen && this.#inbox.length === 0 && this.#mayRead()) {
      this.#endSeen = true;
      this.#handler?.onEnd();
      this.#closeIfBothEnded();
    }
  }

  /** Tells the sender of new room, but not of crumbs: it would send crumbs (the silly window of RFC 813). */
  #announceRead(count: number): void {
    this.#unannouncedBytes += count;
    if (this.#unannouncedBytes * 4 < this.#around.windowBytes) return;
    this.#around.send({ type: "read", count: this.#unannouncedBytes });
    this.#unannouncedBytes = 0;
  }

  #mayRead(): boolean {
    if (this.#handler === undefined || this.#closed) return false;
    return !this.#paused && !this.#stopped && !this.#around.isFrozen();
  }

  #takeChunk(): Uint8Array {
    const first = this.#inbox.shift() as Uint8Array;
    if (!this.#around.joinsReads || this.#inbox.length === 0) return first;
    const pieces = [first];
    let sizeBytes = first.byteLength;
    for (let next = this.#inbox.first; next !== undefined; next = this.#inbox.first) {
      if (sizeBytes + next.byteLength > maxReadBytes) break;
      pieces.push(next);
      sizeBytes += next.byteLength;
      this.#inbox.shift();
    }
    return pieces.length === 1 ? first : joined(pieces, sizeBytes);
  }

  #tellDrained(): void {
    if (this.#closed || !this.#owesDrain || this.#unsentBytes > 0) return;
    this.#owesDrain = false;
    this.#handler?.onDrain();
  }

  #closeIfBothEnded(): void {
    if (this.#endSeen && this.#finSent) this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeError = error;
    this.#unsent.clear();
    this.#unsentBytes = 0;
    if (this.#handler !== undefined) this.#tellClosed();
  }

  #tellClosed(): void {
    this.#around.turn(() => this.#handler?.onClose(this.#closeError));
  }
}

function joined(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
