import assert from "node:assert/strict";
import { test } from "node:test";
import { type Method, service, systemClock, unary } from "@pipit/protocol";
import { LackingMethods } from "./lacking-methods.ts";

const methodOf = (index: number): Method => service(`lacking.S${index}`, { go: unary<string, string>() }).methods.go;

test("a lack is believed for ten seconds, or until another process may be there", () => {
  let nowMs = 5;
  const lacking = new LackingMethods({ ...systemClock, now: () => nowMs });
  const [one, other] = [methodOf(1), methodOf(2)];
  assert.equal(lacking.any, false);
  assert.equal(lacking.add(one), true);
  assert.deepEqual([lacking.any, lacking.has(one), lacking.has(other)], [true, true, false]);
  nowMs += 10_000;
  assert.equal(lacking.has(one), false);
  lacking.add(one);
  lacking.clear();
  assert.deepEqual([lacking.any, lacking.has(one)], [false, false]);
});

test("no more than 1,024 methods are remembered, and those are renewed all the same", () => {
  const lacking = new LackingMethods(systemClock);
  const methods = Array.from({ length: 1025 }, (_, index) => methodOf(index));
  assert.deepEqual(
    methods.map((method) => lacking.add(method)).filter((added) => !added),
    [false],
  );
  assert.deepEqual([lacking.add(methods[0] as Method), lacking.has(methods[1024] as Method)], [true, false]);
});
