import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { StallMeter } from "./stall-meter.ts";

/** A clock whose timers fire when told, however late. */
function rig(): { meter: StallMeter; at(ms: number): void; fireAt(ms: number): void; readonly timers: number } {
  let nowMs = 0;
  const waiting: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    after(_, fn) {
      waiting.push(fn);
      return () => undefined;
    },
    soon: () => undefined,
  };
  return {
    meter: new StallMeter(clock),
    at: (ms) => void (nowMs = ms),
    fireAt(ms) {
      nowMs = ms;
      waiting.shift()?.();
    },
    get timers() {
      return waiting.length;
    },
  };
}

test("the time by which a timer is late counts, and ordinary lateness does not", () => {
  const { meter, fireAt } = rig();
  for (let count = 0; count < 3; count++) assert.equal(meter.begin(0), 0);
  fireAt(12);
  assert.equal(meter.end(12), 0);
  fireAt(322);
  assert.equal(meter.end(322), 300);
  fireAt(332);
  assert.equal(meter.end(332), 300);
});

test("a stall counts before its timer has fired, and once", () => {
  const { meter, fireAt } = rig();
  for (let count = 0; count < 3; count++) meter.begin(0);
  assert.equal(meter.end(110), 100);
  fireAt(110);
  assert.equal(meter.end(110), 100);
  assert.equal(meter.end(115), 100);
});

test("it sleeps when nothing is timed, and what passes meanwhile is no stall", () => {
  const rigged = rig();
  const { meter, at, fireAt } = rigged;
  meter.begin(0);
  meter.begin(1);
  assert.equal(rigged.timers, 1);
  meter.end(2);
  meter.end(2);
  fireAt(10);
  assert.equal(rigged.timers, 0);
  at(60_000);
  assert.equal(meter.begin(60_000), 0);
  fireAt(60_010);
  assert.equal(meter.end(60_010), 0);
});
