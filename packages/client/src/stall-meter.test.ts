import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { StallMeter } from "./stall-meter.ts";

/** A clock whose timers fire when told, however late. */
function rig(): {
  clock: Clock;
  meter: StallMeter;
  wanted: { is: boolean };
  at(ms: number): void;
  fire(): void;
  timers: number;
} {
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
  const wanted = { is: true };
  return {
    clock,
    meter: new StallMeter(clock, () => wanted.is),
    wanted,
    at: (ms) => void (nowMs = ms),
    fire: () => waiting.shift()?.(),
    get timers() {
      return waiting.length;
    },
  };
}

test("the time by which a timer is late counts, and ordinary lateness does not", () => {
  const { meter, at, fire } = rig();
  meter.watch(0);
  at(12);
  fire();
  assert.equal(meter.totalMs(12), 0);
  at(322);
  fire();
  assert.equal(meter.totalMs(322), 300);
  at(332);
  fire();
  assert.equal(meter.totalMs(332), 300);
});

test("a stall counts before its timer has fired, and once", () => {
  const { meter, at, fire } = rig();
  meter.watch(0);
  assert.equal(meter.totalMs(110), 100);
  at(110);
  fire();
  assert.equal(meter.totalMs(110), 100);
  assert.equal(meter.totalMs(115), 100);
});

test("it sleeps when nothing is timed, and what passes meanwhile is no stall", () => {
  const rigged = rig();
  const { meter, wanted, at, fire } = rigged;
  meter.watch(0);
  meter.watch(1);
  wanted.is = false;
  at(10);
  fire();
  assert.equal(rigged.timers, 0);
  assert.equal(meter.totalMs(60_000), 0);
  wanted.is = true;
  at(60_000);
  meter.watch(60_000);
  at(60_010);
  fire();
  assert.equal(meter.totalMs(60_010), 0);
});
