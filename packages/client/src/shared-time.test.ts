import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "@pipit/simulation";
import { sharedTime } from "./shared-time.ts";

test("clients on one clock share its time, and those on another do not", () => {
  const clock = virtualClock();
  assert.equal(sharedTime(clock), sharedTime(clock));
  assert.notEqual(sharedTime(clock), sharedTime(virtualClock()));
});
