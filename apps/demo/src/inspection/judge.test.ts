import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./judge.ts";

test("a value on a limit is inside", () => {
  const verdicts = [0.999, 1, 1.5, 2, 2.001].map((value) => judge(value, { lower: 1, upper: 2 }));
  assert.deepEqual(verdicts, ["below", "ok", "ok", "ok", "above"]);
});

test("a limit that is not there is not passed, and without any there is no verdict", () => {
  assert.deepEqual([judge(-9, { upper: 2 }), judge(9, { upper: 2 }), judge(9, { lower: 2 })], ["ok", "above", "ok"]);
  assert.equal(judge(1, {}), "unspecified");
});
