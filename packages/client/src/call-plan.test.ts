import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "@pipit/protocol";
import { checkedTimeout, criticalityNumber, mergeOptions } from "./call-plan.ts";

test("what is given over wins, what is undefined does not count, metadata merge by name", () => {
  const merged = mergeOptions(
    { timeoutMs: 1, hashKey: "under", metadata: { a: "under", b: "under" } },
    { timeoutMs: undefined, hashKey: "over", metadata: new Metadata({ b: "over" }) },
  );
  assert.deepEqual(merged, { timeoutMs: 1, hashKey: "over", metadata: { a: "under", b: "over" } });
});

test("one side alone is handed on as it is", () => {
  const options = { timeoutMs: 1 };
  assert.equal(mergeOptions(options, undefined), options);
  assert.equal(mergeOptions(undefined, options), options);
});

test("a timeout that is no number and a criticality that is none are named", () => {
  assert.throws(() => checkedTimeout(Number.NaN), /timeoutMs/);
  assert.throws(() => criticalityNumber("urgent" as never), /criticality/);
});
