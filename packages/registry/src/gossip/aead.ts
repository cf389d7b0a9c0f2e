/**
 * The crypto seam. The core decides what is sealed, under which nonce and with which associated data; how bytes are
 * sealed is the driver's (`node-aead.ts`), so that the core stays free of `node:`.
 */

/** Bytes that sealing adds. */
export const AEAD_TAG_BYTES = 16;

/** A key derived for one sender: AES-256-GCM in production. */
export interface PacketKey {
  /**
   * Seals `plain` into `out` at `offset`: ciphertext of the same length, then {@link AEAD_TAG_BYTES} of tag.
   * The 96-bit nonce is zero but for `counter` in its last 8 bytes (big-endian).
   */
  seal(counter: number, associated: Uint8Array, plain: Uint8Array, out: Uint8Array, offset: number): void;
  /** Opens `sealed` (ciphertext and tag). Undefined when it is not authentic. The result may be a reused buffer. */
  open(counter: number, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** Key derivation. */
export interface Aead {
  /** HKDF-SHA-256 of the cluster key with the sender's 128-bit salt. */
  derive(clusterKey: Uint8Array, salt: Uint8Array): PacketKey;
  /** A public 32-bit name of a cluster key, the same on every node; reveals nothing of it. */
  keyId(clusterKey: Uint8Array): number;
}
