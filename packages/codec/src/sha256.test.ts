import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256 } from "./sha256.ts";

test("sha256 gives what node:crypto gives, at every length around a block", () => {
  for (let size = 0; size < 200; size++) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255);
    const words = Array.from(sha256(bytes), (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    assert.equal(words, createHash("sha256").update(bytes).digest("hex"));
  }
});
