import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { AEAD_TAG_BYTES } from "./aead.ts";
import { nodeAead } from "./node-aead.ts";

const key = new Uint8Array(32).fill(9);
const salt = new Uint8Array(16).fill(4);
const associated = new Uint8Array([1, 2, 3]);
const plain = new TextEncoder().encode("a member is alive");

function sealed(counter: number): Uint8Array {
  const out = new Uint8Array(plain.length + AEAD_TAG_BYTES);
  nodeAead().derive(key, salt).seal(counter, associated, plain, out, 0);
  return out;
}

test("what is sealed opens under the same key, salt, counter and associated data, and under no other", () => {
  const opener = nodeAead().derive(key, salt);
  assert.deepEqual(new Uint8Array(opener.open(7, associated, sealed(7)) ?? []), plain);
  assert.equal(opener.open(8, associated, sealed(7)), undefined);
  assert.equal(opener.open(7, new Uint8Array([1, 2, 4]), sealed(7)), undefined);
  assert.equal(nodeAead().derive(key, new Uint8Array(16)).open(7, associated, sealed(7)), undefined);
  assert.equal(opener.open(7, associated, sealed(7).subarray(0, 10)), undefined);
  const bent = sealed(7);
  bent[3] = (bent[3] as number) ^ 1;
  assert.equal(opener.open(7, associated, bent), undefined);
});

test("the seal is AES-256-GCM under HKDF-SHA-256 with the counter in the last eight bytes of the nonce", () => {
  const derived = new Uint8Array(hkdfSync("sha256", key, salt, "pipit gossip sender 1", 32));
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(2n ** 33n, 4);
  const decipher = createDecipheriv("aes-256-gcm", derived, nonce);
  const bytes = sealed(2 ** 33);
  decipher.setAAD(associated);
  decipher.setAuthTag(bytes.subarray(plain.length));
  assert.deepEqual(
    new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(0, plain.length)), decipher.final()])),
    plain,
  );
});

test("key ids differ between keys and are stable", () => {
  const aead = nodeAead();
  assert.equal(aead.keyId(key), aead.keyId(key.slice()));
  assert.notEqual(aead.keyId(key), aead.keyId(new Uint8Array(32)));
});
