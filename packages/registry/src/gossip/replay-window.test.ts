import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ReplayWindow } from "./replay-window.ts";

test("a counter is accepted once, and never when it is 64 or more behind the highest", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 400 }), (counters) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const counter of counters) {
        const wanted = !seen.has(counter) && counter > highest - 64;
        assert.equal(window.accept(counter), wanted, `counter ${counter} after ${highest}`);
        if (wanted) seen.add(counter);
        highest = Math.max(highest, counter);
      }
    }),
    { numRuns: 500 },
  );
});

test("counters beyond 32 bits work", () => {
  const window = new ReplayWindow();
  assert.ok(window.accept(2 ** 40));
  assert.ok(window.accept(2 ** 40 - 1));
  assert.ok(!window.accept(2 ** 40));
  assert.ok(window.accept(2 ** 47));
});
