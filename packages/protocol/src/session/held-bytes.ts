/** Bytes that all connections of a process hold together. */
export class BytePool {
  heldBytes = 0;
}

/** Bytes that one connection holds. They count for the process too, so that many connections hold no more than one limit of it. */
export class HeldBytes {
  readonly pool: BytePool;
  #heldBytes = 0;
  #closed = false;

  constructor(pool: BytePool) {
    this.pool = pool;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  take(bytes: number): void {
    this.#heldBytes += bytes;
    this.pool.heldBytes += bytes;
  }

  /** Harmless once closed: what was under way then ends later. */
  giveBack(bytes: number): void {
    if (this.#closed) return;
    this.#heldBytes -= bytes;
    this.pool.heldBytes -= bytes;
  }

  /** The connection has ended: nothing of it is held any more. */
  close(): void {
    this.giveBack(this.#heldBytes);
    this.#closed = true;
  }
}
