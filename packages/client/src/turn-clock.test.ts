import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@pipit/protocol";
import { TurnClock } from "./turn-clock.ts";

/** A clock whose turns end when told. */
function handClock(): { clock: Clock; readings: () => number; set(nowMs: number): void; endTurn(): void } {
  let nowMs = 0;
  let readings = 0;
  const soon: (() => void)[] = [];
  const now = (): number => {
    readings++;
    return nowMs;
  };
  return {
    clock: { now, after: () => () => undefined, soon: (fn) => void soon.push(fn) },
    readings: () => readings,
    set: (ms) => void (nowMs = ms),
    endTurn: () => soon.splice(0).forEach((fn) => fn()),
  };
}

test("the clock is read once in a turn, and anew in the next", () => {
  const { clock, readings, set, endTurn } = handClock();
  const turn = new TurnClock(clock);
  assert.deepEqual([turn.now(), turn.now(), readings()], [0, 0, 1]);
  endTurn();
  set(5);
  assert.equal(turn.now(), 5);
});

test("a long turn is remembered by its time, a short one is not, and neither are all for ever", () => {
  const { clock, set, endTurn } = handClock();
  const turn = new TurnClock(clock);
  const first = turn.now();
  set(100);
  endTurn();
  assert.equal(turn.lateBy(first), 100);
  const short = turn.now();
  set(105);
  endTurn();
  assert.equal(turn.lateBy(short), 0);
  for (let index = 0; index < 100; index++) {
    turn.now();
    set(200 + index * 50);
    endTurn();
  }
  assert.equal(turn.lateBy(first), 0);
});
