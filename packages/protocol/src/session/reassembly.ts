import type { SessionLimits } from "./limits.ts";

/** Bytes of unfinished messages that all connections of a process hold together. */
export class ReassemblyPool {
  heldBytes = 0;
}

/**
 * Bytes of unfinished messages that one connection holds: parts that have come, and packed messages that are being unpacked. They
 * count for the connection and for the process, so that many connections hold no more than their number would allow.
 */
export class Reassembly {
  readonly #pool: ReassemblyPool;
  readonly #limits: SessionLimits;
  #heldBytes = 0;
  #closed = false;

  constructor(pool: ReassemblyPool, limits: SessionLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Why a message of `totalBytes` cannot be taken that needs `bytes` until it is whole; undefined when it can. */
  excess(totalBytes: number, bytes: number): string | undefined {
    const { maxMessageBytes, maxReassemblyBytes, maxProcessReassemblyBytes } = this.#limits;
    if (totalBytes > maxMessageBytes) return `Message of ${totalBytes} bytes: at most ${maxMessageBytes} are accepted`;
    if (this.#heldBytes + bytes > maxReassemblyBytes)
      return `Message of ${totalBytes} bytes beside ${this.#heldBytes} bytes of unfinished ones: at most ${maxReassemblyBytes} are held`;
    if (this.#pool.heldBytes + bytes > maxProcessReassemblyBytes)
      return `Message of ${totalBytes} bytes beside ${this.#pool.heldBytes} bytes of unfinished ones of all connections: at most ${maxProcessReassemblyBytes} are held`;
    return undefined;
  }

  take(bytes: number): void {
    this.#heldBytes += bytes;
    this.#pool.heldBytes += bytes;
  }

  /** Harmless once closed: what was being unpacked then ends later. */
  giveBack(bytes: number): void {
    if (this.#closed) return;
    this.#heldBytes -= bytes;
    this.#pool.heldBytes -= bytes;
  }

  /** The connection has ended: nothing of it is held any more. */
  close(): void {
    this.giveBack(this.#heldBytes);
    this.#closed = true;
  }
}
