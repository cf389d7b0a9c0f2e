import assert from "node:assert/strict";
import { test } from "node:test";
import { decay } from "./decay.ts";
import { negativeLog } from "./logarithm.ts";

test("decay is e^−x to nine digits", () => {
  for (let x = 0; x < 60; x += 0.0137) assert.ok(Math.abs(decay(x) - Math.exp(-x)) < 1e-9, `${x}: ${decay(x)}`);
});

test("decay never rises, and begins at 1", () => {
  let before = 1;
  for (let x = 0; x < 45; x += 0.001) {
    const value = decay(x);
    assert.ok(value <= before + 1e-12, `${x}`);
    before = value;
  }
  assert.equal(decay(0), 1);
  assert.equal(decay(-5), 1);
  assert.equal(decay(Number.POSITIVE_INFINITY), 0);
  assert.equal(decay(Number.NaN), 0);
});

test("the logarithm of a draw is right to nine digits, and never 0", () => {
  for (const draw of [0, 1, 2, 3, 7, 1_000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]) {
    const expected = -Math.log((draw + 0.5) / 2 ** 32);
    assert.ok(Math.abs(negativeLog(draw) - expected) < 1e-9, `${draw}: ${negativeLog(draw)} for ${expected}`);
    assert.ok(negativeLog(draw) > 0, `${draw}`);
  }
});
