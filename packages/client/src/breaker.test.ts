import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker } from "./breaker.ts";

function rig(failures: number): {
  breaker: Breaker;
  ejected: string[];
  pool: { eject(id: string, forMs?: number): boolean };
} {
  const ejected: string[] = [];
  const pool = { eject: (id: string, forMs?: number) => ejected.push(`${id} ${forMs}`) > 0 };
  return { breaker: new Breaker({ failures, openMs: 50 }), ejected, pool };
}

test("a breaker opens at so many failures in a row, and again at the first one after its time", () => {
  const { breaker, ejected, pool } = rig(3);
  for (let count = 0; count < 2; count++) breaker.record("a", "failed", pool);
  assert.deepEqual(ejected, []);
  breaker.record("a", "failed", pool);
  assert.deepEqual(ejected, ["a 50"]);
  breaker.record("a", "failed", pool);
  assert.deepEqual(ejected, ["a 50", "a 50"]);
});

test("an answer in between begins the row anew; refused and cancelled say nothing", () => {
  const { breaker, ejected, pool } = rig(2);
  breaker.record("a", "failed", pool);
  breaker.record("a", "refused", pool);
  breaker.record("a", "cancelled", pool);
  breaker.record("a", "ok", pool);
  breaker.record("a", "failed", pool);
  assert.deepEqual(ejected, []);
});

test("endpoints that left are forgotten", () => {
  const { breaker, ejected, pool } = rig(2);
  breaker.record("a", "failed", pool);
  breaker.keep(new Set(["b"]));
  breaker.record("a", "failed", pool);
  assert.deepEqual(ejected, []);
});

test("options out of range are refused", () => {
  assert.throws(() => new Breaker({ failures: 0 }), RangeError);
  assert.throws(() => new Breaker({ openMs: 0 }), RangeError);
});
