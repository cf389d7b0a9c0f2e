/** AES-256-GCM and HKDF-SHA-256 from `node:crypto`, behind the core's crypto seam. */
import { builtin } from "../builtin.ts";
import { AEAD_TAG_BYTES, type Aead, type PacketKey } from "./aead.ts";

const NONCE_BYTES = 12;

/** The crypto of production. */
export function nodeAead(): Aead {
  return {
    derive(clusterKey, salt) {
      const { hkdfSync } = builtin("node:crypto");
      const key = new Uint8Array(hkdfSync("sha256", clusterKey, salt, "pipit gossip sender 1", 32));
      return aesGcmKey(key);
    },
    keyId(clusterKey) {
      const { createHash } = builtin("node:crypto");
      const digest = createHash("sha256").update("pipit gossip key id 1").update(clusterKey).digest();
      return digest.readUInt32LE(0);
    },
  };
}

function aesGcmKey(key: Uint8Array): PacketKey {
  const { createCipheriv, createDecipheriv } = builtin("node:crypto");
  const nonce = Buffer.alloc(NONCE_BYTES);
  return {
    seal(counter, associated, plain, out, offset) {
      nonce.writeBigUInt64BE(BigInt(counter), 4);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(associated);
      out.set(cipher.update(plain), offset);
      cipher.final();
      out.set(cipher.getAuthTag(), offset + plain.length);
    },
    open(counter, associated, sealed) {
      if (sealed.length < AEAD_TAG_BYTES) return undefined;
      nonce.writeBigUInt64BE(BigInt(counter), 4);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: AEAD_TAG_BYTES });
      decipher.setAAD(associated);
      decipher.setAuthTag(sealed.subarray(sealed.length - AEAD_TAG_BYTES));
      const plain = decipher.update(sealed.subarray(0, sealed.length - AEAD_TAG_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return plain;
    },
  };
}
