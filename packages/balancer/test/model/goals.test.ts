import assert from "node:assert/strict";
import { test } from "node:test";
import { goals } from "./goals.ts";

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

for (const [name, goal] of Object.entries(goals)) {
  test(`over 20 seeds: ${name.toLowerCase()}`, () => {
    for (const { what, measured, bound, isMet } of goal({ seeds, endMs: 4_000, compares: false }))
      assert.ok(isMet, `${what}: ${measured}, expected ${bound}`);
  });
}
