import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { judge, readSpecification } from "./specification.ts";

test("a value on a limit is inside", () => {
  const limits = { unit: "mm", lower: 1, upper: 2 };
  const verdicts = [0.999, 1, 1.5, 2, 2.001].map((value) => judge(value, limits));
  assert.deepEqual(verdicts, ["below", "ok", "ok", "ok", "above"]);
});

test("wrong limits are refused with the characteristic's name", () => {
  const path = join(mkdtempSync(join(tmpdir(), "pipit-demo-")), "limits.json");
  writeFileSync(path, JSON.stringify({ width: { unit: "mm", lower: 2, upper: 1 } }));
  assert.throws(() => readSpecification(path), /limits of "width": expected unit, lower and upper, with lower < upper/);
});
