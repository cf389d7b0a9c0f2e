import assert from "node:assert/strict";
import { test } from "node:test";
import { HintGate } from "./hint-gate.ts";

test("one hint per id and second passes", () => {
  const gate = new HintGate();
  const passed = (["a", "a", "b"] as const).map((id) => gate.passes(id, 0));
  assert.deepEqual(passed, [true, false, true]);
  assert.deepEqual([gate.passes("a", 999), gate.passes("a", 1_000), gate.passes("a", 1_500)], [false, true, false]);
});

test("a gate remembers a bounded number of ids, and starts over past it", () => {
  const gate = new HintGate();
  for (let index = 0; index < 1_024; index += 1) assert.equal(gate.passes(`${index}`, 0), true);
  assert.deepEqual([gate.passes("one more", 0), gate.passes("0", 0)], [true, true]);
});
