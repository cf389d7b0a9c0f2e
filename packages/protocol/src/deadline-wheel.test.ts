import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "./clock.ts";
import { DeadlineWheel, type WheelEntry, type WheelSlot } from "./deadline-wheel.ts";

/** Time by hand: timers fire in order of their moment, as far as `to` says. */
class HandClock implements Clock {
  nowMs = 0;
  started = 0;
  #timers: { atMs: number; order: number; fn: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, order: this.started++, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(fn: () => void): void {
    fn();
  }

  get pending(): number {
    return this.#timers.length;
  }

  to(atMs: number): void {
    for (;;) {
      const [next] = this.#timers.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      if (next === undefined || next.atMs > atMs) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.#timers = this.#timers.filter((other) => other !== next);
      next.fn();
    }
    this.nowMs = atMs;
  }
}

class Call implements WheelEntry {
  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly deadlineMs: number;
  readonly #clock: Clock;
  endedAtMs: number | undefined;
  ends = 0;

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.deadlineMs = deadlineMs;
  }

  onDeadline(): void {
    this.ends++;
    this.endedAtMs = this.#clock.now();
  }
}

function wheelAt(startMs = 0): { clock: HandClock; wheel: DeadlineWheel; call: (deadlineMs: number) => Call } {
  const clock = new HandClock();
  clock.nowMs = startMs;
  const wheel = new DeadlineWheel({ clock });
  return {
    clock,
    wheel,
    call: (deadlineMs) => {
      const entry = new Call(clock, deadlineMs);
      wheel.add(entry);
      return entry;
    },
  };
}

test("an entry is due within a millisecond, in any ring, and in a process that runs for months", () => {
  for (const startMs of [0, 17.25, 0x1_0000_0000 * 3]) {
    for (const delayMs of [1, 2, 255, 256, 257, 511, 10_000, 65_535, 65_536, 70_001, 16_711_680, 50_000_000]) {
      const { clock, call } = wheelAt(startMs);
      const entry = call(startMs + delayMs);
      clock.to(startMs + delayMs - 1);
      assert.equal(entry.endedAtMs, undefined, `early by 1 of ${delayMs} from ${startMs}`);
      clock.to(startMs + delayMs + 1);
      const lateMs = (entry.endedAtMs ?? Number.NaN) - startMs - delayMs;
      assert.ok(lateMs >= 0 && lateMs <= 1, `${lateMs} late of ${delayMs} from ${startMs}`);
    }
  }
});

test("an entry with a fraction is never early", () => {
  const { clock, call } = wheelAt();
  const entry = call(10.4);
  clock.to(10.9);
  assert.equal(entry.endedAtMs, undefined);
  clock.to(11);
  assert.equal(entry.endedAtMs, 11);
});

test("random entries end once each, in their order, and removed ones never", () => {
  let state = 12345;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state % below;
  };
  const { clock, wheel, call } = wheelAt();
  const live = new Set<Call>();
  const removed: Call[] = [];
  for (let step = 0; step < 5000; step++) {
    const entry = call(clock.now() + 1 + draw(step % 10 === 0 ? 1_000_000 : 3000));
    live.add(entry);
    if (draw(2) === 0) {
      const [victim] = live;
      if (victim !== undefined && victim.ends === 0) {
        wheel.remove(victim);
        removed.push(victim);
      }
      if (victim !== undefined) live.delete(victim);
    }
    if (draw(3) === 0) clock.to(clock.now() + draw(400));
    for (const entry of live) {
      if (entry.ends > 0) assert.equal(entry.endedAtMs, entry.deadlineMs);
      else assert.ok(entry.deadlineMs > clock.now() || clock.now() === 0);
      if (entry.ends > 0) live.delete(entry);
    }
  }
  clock.to(clock.now() + 2_000_000);
  for (const entry of live) assert.deepEqual([entry.ends, entry.endedAtMs], [1, entry.deadlineMs]);
  for (const entry of removed) assert.equal(entry.ends, 0);
  assert.equal(wheel.size, 0);
});

test("equal deadlines under load arm one timer, not one per call", () => {
  const { clock, wheel } = wheelAt();
  for (let turn = 0; turn < 1000; turn++) {
    const entry = new Call(clock, clock.now() + 10_000);
    wheel.add(entry);
    wheel.remove(entry);
    clock.to(clock.now() + 1);
  }
  assert.equal(clock.started, 1);
});

test("after a stall a reply that arrives in the next turn wins over the deadline", () => {
  const { clock, wheel, call } = wheelAt();
  const entry = call(100);
  clock.nowMs = 5000; // the process stood still
  clock.after(0, () => wheel.remove(entry)); // what the sockets bring once they are read
  clock.to(5000);
  assert.equal(entry.ends, 0);
});

test("after a stall what the kernel hands on a few milliseconds late wins, too; without one nothing waits for it", () => {
  const stalled = wheelAt();
  const won = stalled.call(100);
  stalled.clock.nowMs = 5000;
  stalled.clock.after(4, () => stalled.wheel.remove(won));
  stalled.clock.to(5010);
  assert.equal(won.ends, 0);
  const lost = stalled.call(5020);
  stalled.clock.to(5020);
  assert.equal(lost.endedAtMs, 5020);
});

test("Infinity is never due and takes no place", () => {
  const { clock, wheel, call } = wheelAt();
  call(Number.POSITIVE_INFINITY);
  assert.deepEqual([wheel.size, clock.pending], [0, 0]);
});

test("clear forgets entries and timer", () => {
  const { clock, wheel, call } = wheelAt();
  const entry = call(50);
  wheel.clear();
  clock.to(100);
  assert.deepEqual([entry.ends, wheel.size, clock.pending], [0, 0, 0]);
});

test("a wheel made at a fraction of a millisecond ends at the right one, and does not spin", () => {
  for (let start = 0; start < 100; start++) {
    const startMs = start * 1.1 + 0.3;
    const { clock, call } = wheelAt(startMs);
    const entry = call(startMs + 5);
    const before = clock.started;
    clock.to(startMs + 7);
    assert.ok(entry.endedAtMs !== undefined && entry.endedAtMs >= startMs + 5);
    assert.ok(clock.started - before <= 3, `${clock.started - before} timers`);
  }
});

test("an entry with the deadline of one long gone is due at its time, however far the wheel has turned since", () => {
  for (const leftMs of [1, 2, 200, 256, 300, 5000, 65_000, 65_536, 70_000]) {
    const { clock, wheel, call } = wheelAt();
    const deadlineMs = 140_000;
    const gone = call(deadlineMs);
    wheel.remove(gone);
    clock.to(deadlineMs - leftMs);
    const entry = call(deadlineMs);
    clock.to(deadlineMs - 1);
    assert.equal(entry.ends, 0);
    clock.to(deadlineMs);
    assert.deepEqual([gone.ends, entry.ends, entry.endedAtMs], [0, 1, deadlineMs]);
  }
});
