import { type BytePool, HeldBytes } from "./held-bytes.ts";
import type { SessionLimits } from "./limits.ts";

/** Bytes of unfinished messages that one connection holds: parts that have come, and packed messages that are being unpacked. */
export class Reassembly extends HeldBytes {
  readonly #limits: SessionLimits;

  constructor(pool: BytePool, limits: SessionLimits) {
    super(pool);
    this.#limits = limits;
  }

  /** Why a message of `totalBytes` cannot be taken that needs `bytes` until it is whole; undefined when it can. */
  excess(totalBytes: number, bytes: number): string | undefined {
    const { maxMessageBytes, maxReassemblyBytes, maxProcessReassemblyBytes } = this.#limits;
    if (totalBytes > maxMessageBytes) return `Message of ${totalBytes} bytes: at most ${maxMessageBytes} are accepted`;
    if (this.heldBytes + bytes > maxReassemblyBytes)
      return `Message of ${totalBytes} bytes beside ${this.heldBytes} bytes of unfinished ones: at most ${maxReassemblyBytes} are held`;
    if (this.pool.heldBytes + bytes > maxProcessReassemblyBytes)
      return `Message of ${totalBytes} bytes beside ${this.pool.heldBytes} bytes of unfinished ones of all connections: at most ${maxProcessReassemblyBytes} are held`;
    return undefined;
  }
}
