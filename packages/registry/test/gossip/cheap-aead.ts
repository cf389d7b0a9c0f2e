/**
 * A stand-in for AES-GCM with the same sizes, so that the cost of encrypted clusters can be simulated at speed. It binds
 * key, counter, associated data and length, not content: hostile-input tests use the real one.
 */
import { AEAD_TAG_BYTES, type Aead, type PacketKey } from "../../src/gossip/aead.ts";

export function cheapAead(): Aead {
  return {
    derive: (clusterKey, salt) => cheapKey(digest(digest(0x9e3779b9, clusterKey), salt)),
    keyId: (clusterKey) => digest(0x1234567, clusterKey) >>> 0,
  };
}

const plain = new Uint8Array(1 << 20);

function cheapKey(key: number): PacketKey {
  return {
    seal(counter, associated, text, out, offset) {
      out.set(text, offset);
      const at = offset + text.length;
      put(out, at, digest(key ^ counter ^ text.length, associated));
      put(out, at + 4, counter);
      for (let i = 8; i < AEAD_TAG_BYTES; i++) out[at + i] = 0;
    },
    open(counter, associated, sealed) {
      const length = sealed.length - AEAD_TAG_BYTES;
      if (length < 0) return undefined;
      const tag = digest(key ^ counter ^ length, associated);
      for (let i = 0; i < 4; i++) if (sealed[length + i] !== ((tag >>> (8 * i)) & 255)) return undefined;
      plain.set(sealed.subarray(0, length));
      return plain.subarray(0, length);
    },
  };
}

function digest(seed: number, bytes: Uint8Array): number {
  let h = seed | 0;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  return h ^ (h >>> 15);
}

function put(out: Uint8Array, at: number, v: number): void {
  for (let i = 0; i < 4; i++) out[at + i] = v >>> (8 * i);
}
