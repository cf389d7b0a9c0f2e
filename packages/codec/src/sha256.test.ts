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

test("no constant of sha256 depends on how a machine rounds a root", () => {
  // 32 bits after the point stay the same when the root moves by 64 units in the last place.
  for (let n = 2; n < 312; n++) {
    if (Array.from({ length: n - 2 }, (_, i) => i + 2).some((divisor) => n % divisor === 0)) continue;
    for (const root of [Math.sqrt(n), Math.cbrt(n)]) {
      const slack = root * 2 ** -47;
      assert.equal(Math.floor((root + slack) * 2 ** 32), Math.floor((root - slack) * 2 ** 32));
    }
  }
});
