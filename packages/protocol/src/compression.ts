/** How a message may be packed on the wire. */
export type CompressionAlgorithm = "deflate" | "zstd";

/**
 * Packs and unpacks messages off the event loop. It comes in as an argument, like clock and randomness: what works in threads
 * answers whenever it likes. Each message is packed by itself, with nothing remembered from others.
 */
export interface Compression {
  /** What it can pack and unpack, best first. */
  readonly algorithms: readonly CompressionAlgorithm[];
  /** Calls `done` once, later, with the packed bytes; with undefined when that failed. `bytes` must not change until then. */
  pack(algorithm: CompressionAlgorithm, bytes: Uint8Array, done: (packed: Uint8Array | undefined) => void): void;
  /**
   * Calls `done` once, later, with exactly `sizeBytes` bytes; with undefined when `packed` is damaged, cut off, or gives more
   * or less. Never takes memory for more than `sizeBytes`, whatever `packed` would unfold to.
   */
  unpack(
    algorithm: CompressionAlgorithm,
    packed: Uint8Array,
    sizeBytes: number,
    done: (bytes: Uint8Array | undefined) => void,
  ): void;
}
