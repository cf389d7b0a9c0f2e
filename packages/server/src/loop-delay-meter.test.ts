import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { LoopDelayMeter } from "./loop-delay-meter.ts";

test("the mean lateness of the last second is told, and the meter sleeps when nobody asks", () => {
  let nowMs = 0;
  let timer: { atMs: number; fn: () => void } | undefined;
  const clock: Clock = {
    now: () => nowMs,
    after(delayMs, fn) {
      timer = { atMs: nowMs + delayMs, fn };
      return () => undefined;
    },
    soon: (fn) => fn(),
  };
  const fire = (lateMs: number): void => {
    const due = timer;
    timer = undefined;
    nowMs = (due?.atMs ?? 0) + lateMs;
    due?.fn();
  };
  const meter = new LoopDelayMeter(clock);
  assert.equal(meter.meanMs(), 0);
  for (let count = 0; count < 10; count++) fire(20);
  assert.equal(meter.meanMs(), 20);
  for (let count = 0; count < 5; count++) fire(0);
  assert.equal(meter.meanMs(), 10);
  let fired = 0;
  const runs = (): boolean => timer !== undefined;
  while (runs() && fired++ < 100) fire(0);
  assert.ok(fired <= 31, `${fired} samples after the last question`);
  assert.equal(meter.meanMs(), 0);
});
