import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../clock.ts";
import { PartialGuard } from "./partial-guard.ts";
import type { Session } from "./session.ts";

/** A guard over a session of which a frame has begun; its timers are run by hand. */
function guarded(): { session: { partial: boolean; frames: number }; runTimer: () => void; faults: string[] } {
  const timers: (() => void)[] = [];
  const clock: Clock = { now: () => 0, after: (_, fn) => (timers.push(fn), () => undefined), soon: () => undefined };
  const faults: string[] = [];
  const session = {
    partial: true,
    unfinished: false,
    frames: 3,
    chunks: 0,
    get closed() {
      return faults.length > 0;
    },
    fault: (text: string) => void faults.push(text),
  };
  new PartialGuard(clock, 10_000, session as unknown as Session).check();
  return { session, runTimer: () => timers.shift()?.(), faults };
}

test("after a stall the rest of a frame that arrives in the next turn wins over the guard", () => {
  const { session, runTimer, faults } = guarded();
  runTimer();
  session.partial = false; // the sockets are read
  session.frames++;
  runTimer();
  assert.deepEqual(faults, []);
});

test("a frame whose rest does not come ends the connection", () => {
  const { runTimer, faults } = guarded();
  runTimer();
  assert.deepEqual(faults, []);
  runTimer();
  assert.deepEqual(faults, ["No whole frame for 10000 ms after its first byte"]);
});
