import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "./virtual-clock.ts";

test("time stands still until told, and advance lets due timers fire in order", async () => {
  const clock = virtualClock(100);
  const fired: string[] = [];
  clock.after(20, () => fired.push(`b at ${clock.now()}`));
  clock.after(10, () => fired.push(`a at ${clock.now()}`));
  clock.after(10, () => fired.push(`a2 at ${clock.now()}`));
  clock.after(31, () => fired.push("late"));
  assert.equal(clock.now(), 100);
  await clock.advance(30);
  assert.deepEqual(fired, ["a at 110", "a2 at 110", "b at 120"]);
  assert.equal(clock.now(), 130);
  assert.equal(clock.waitingCount, 1);
});

test("every promise settles before the next event, however long its chain", async () => {
  const clock = virtualClock();
  const order: string[] = [];
  clock.after(1, () => {
    void (async () => {
      for (let i = 0; i < 1_000; i++) await Promise.resolve();
      order.push("chain of the first");
    })();
  });
  clock.after(1, () => order.push("second"));
  await clock.advance(1);
  assert.deepEqual(order, ["chain of the first", "second"]);
});

test("soon runs before the next event of the same moment", async () => {
  const clock = virtualClock();
  const order: string[] = [];
  clock.after(1, () => {
    clock.soon(() => order.push("flush"));
    void Promise.resolve().then(() => clock.soon(() => order.push("flush from a continuation")));
  });
  clock.after(1, () => order.push("next event"));
  await clock.run();
  assert.deepEqual(order, ["flush", "flush from a continuation", "next event"]);
});

test("work due at the present moment runs by itself, the future does not", async () => {
  const clock = virtualClock();
  let turns = 0;
  await new Promise<void>((resolve) => {
    clock.after(5, () => assert.fail("time moved"));
    clock.turn(() => {
      turns++;
      clock.after(0, () => {
        turns++;
        resolve();
      });
    });
  });
  assert.deepEqual([turns, clock.now()], [2, 0]);
});

test("a cancelled timer never fires; cancelling twice or late changes nothing", async () => {
  const clock = virtualClock();
  const cancel = clock.after(1, () => assert.fail("cancelled"));
  cancel();
  cancel();
  const late = clock.after(2, () => undefined);
  await clock.run();
  late();
  assert.equal(clock.now(), 2);
  assert.equal(clock.waitingCount, 0);
});

test("an infinite delay never fires, and no run waits for it", async () => {
  const clock = virtualClock();
  clock.after(Number.POSITIVE_INFINITY, () => assert.fail("fired"));
  await clock.run();
  assert.equal(clock.now(), 0);
});

test("run ends when only background timers are left", async () => {
  const clock = virtualClock();
  let beats = 0;
  const beat = (): void => {
    beats++;
    clock.after(10, beat, { background: true });
  };
  beat();
  clock.after(35, () => undefined);
  await clock.run();
  assert.deepEqual([beats, clock.now()], [4, 35]);
});

test("runUntil gives the promise's value or error, and moves time no further than needed", async () => {
  const clock = virtualClock();
  const wait = (ms: number) => new Promise<string>((resolve) => clock.after(ms, () => resolve(`after ${ms}`)));
  assert.equal(await clock.runUntil(wait(7)), "after 7");
  assert.equal(clock.now(), 7);
  await assert.rejects(clock.runUntil(wait(3).then(() => Promise.reject(new Error("no")))), { message: "no" });
  assert.equal(clock.now(), 10);
});

test("runUntil says when nothing is left that could settle the promise, or when its time is over", async () => {
  const clock = virtualClock();
  const stuck = new Promise<never>(() => undefined);
  await assert.rejects(clock.runUntil(stuck), {
    message: "The promise is still pending at 0 ms of virtual time, and nothing is left to happen",
  });
  const tick = (): void => void clock.after(1, tick);
  tick();
  await assert.rejects(clock.runUntil(stuck, { withinMs: 50 }), {
    message: "The promise is still pending after 50 ms of virtual time",
  });
  assert.equal(clock.now(), 50);
});

test("an error thrown by an event rejects the run that met it, and the clock stays usable", async () => {
  const clock = virtualClock();
  clock.after(1, () => {
    throw new Error("from an event");
  });
  await assert.rejects(clock.advance(5), { message: "from an event" });
  await clock.advance(5);
  assert.equal(clock.now(), 6);
});

test("a second run at the same time, a run into the past and a delay of NaN are refused", async () => {
  const clock = virtualClock(10);
  const first = clock.advance(1);
  await assert.rejects(clock.run(), { message: "The virtual clock is already being run" });
  await first;
  await assert.rejects(clock.run(5), { name: "RangeError", message: "Virtual time: cannot go from 11 ms to 5 ms" });
  assert.throws(() => clock.after(Number.NaN, () => undefined), RangeError);
});
