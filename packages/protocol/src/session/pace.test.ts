import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const atZero = { nowMs: (): number => 0 };

/** Sends all that the pace allows, in parts, as a path does that takes `bytesPerMs` and `roundTripMs`; gives the most that was on the way. */
function drive(pace: Pace, path: { bytesPerMs: number; roundTripMs: number; ms: number; small: boolean }): number {
  const marks: { number: number; atMs: number }[] = [];
  let freeAtMs = 0;
  let sentBytes = 0;
  let arrivedBytes = 0;
  let mostBytes = 0;
  const atOf = new Map<number, number>();
  for (let nowMs = 0; nowMs < path.ms; nowMs += 0.25) {
    for (let mark = marks[0]; mark !== undefined && mark.atMs <= nowMs; mark = marks[0]) {
      marks.shift();
      arrivedBytes = atOf.get(mark.number) ?? 0;
      pace.returned(mark.number, nowMs);
    }
    if (path.small) pace.small();
    while (pace.roomBytes > 0) {
      const part = 64 * kibibyte;
      sentBytes += part;
      pace.sent(part, { nowMs: () => nowMs });
      freeAtMs = Math.max(freeAtMs, nowMs) + part / path.bytesPerMs;
      if (!pace.isMarkDue) continue;
      const number = pace.mark(nowMs);
      atOf.set(number, sentBytes);
      marks.push({ number, atMs: freeAtMs + path.roundTripMs });
    }
    if (nowMs > path.ms / 2) mostBytes = Math.max(mostBytes, sentBytes - arrivedBytes);
  }
  return mostBytes;
}

test("beside small messages little is on the way of a short path, however much it takes", () => {
  const pace = new Pace();
  assert.ok(drive(pace, { bytesPerMs: 100_000, roundTripMs: 0.1, ms: 200, small: true }) <= 512 * kibibyte);
});

test("a turn that writes for longer than its mark takes makes no path look faster than it is", () => {
  const pace = new Pace();
  pace.small();
  let nowMs = 0;
  for (let turn = 0; turn < 50; turn++) {
    // 2 MB/ms are written and read at the same time, and the mark is back soon after the last of them.
    for (let part = 0; part < 8; part++) {
      pace.sent(64 * kibibyte, { nowMs: () => nowMs });
      nowMs += 0.03;
    }
    const mark = pace.mark(nowMs);
    nowMs += 0.1;
    pace.returned(mark, nowMs);
  }
  // Twice what 2 MB/ms carry in 0.1 ms.
  assert.ok(pace.roomBytes <= 400 * kibibyte, `${pace.roomBytes} bytes`);
});

test("a path within one machine holds no more than its few microseconds take", () => {
  const pace = new Pace();
  pace.small();
  for (let nowMs = 0; nowMs < 3; nowMs += 0.06) {
    const mark = pace.mark(nowMs);
    pace.sent(256 * kibibyte, { nowMs: () => nowMs });
    const behind = pace.mark(nowMs);
    pace.returned(mark, nowMs + 0.02);
    pace.returned(behind, nowMs + 0.06);
  }
  // 4.4 MB/ms over 0.02 ms hold 87 KB, and no less than 256 KiB may be on the way.
  assert.equal(pace.roomBytes, 256 * kibibyte);
});

test("a long path is filled all the same", () => {
  // 100 MB/s over 50 ms hold 5 MB.
  const most = drive(new Pace(), { bytesPerMs: 100_000, roundTripMs: 50, ms: 2000, small: true });
  assert.ok(most >= 5_000_000, `${most} bytes`);
  assert.ok(most <= 16 * mebibyte + 64 * kibibyte, `${most} bytes`);
});

test("where nothing small is sent, four mebibytes are on the way", () => {
  const pace = new Pace();
  pace.sent(mebibyte, atZero);
  assert.equal(pace.roomBytes, 3 * mebibyte);
});

test("where nothing small is sent 1 MiB goes in one piece, else 256 KiB", () => {
  const pace = new Pace();
  assert.equal(pace.mostAtOnceBytes, mebibyte);
  pace.small();
  assert.equal(pace.mostAtOnceBytes, 256 * kibibyte);
});

test("the first small message narrows the path, and 64 MiB without one widen it", () => {
  const pace = new Pace();
  pace.small();
  assert.equal(pace.roomBytes, 256 * kibibyte);
  for (let i = 0; i <= 64; i++) {
    pace.sent(mebibyte, atZero);
    pace.returned(pace.mark(i), i + 1000);
  }
  assert.ok(pace.roomBytes >= 4 * mebibyte);
});

test("a mark stands for those before it, and a number that is not on the way for nothing", () => {
  const pace = new Pace();
  pace.small();
  pace.sent(128 * kibibyte, atZero);
  assert.ok(pace.isMarkDue);
  pace.mark(0);
  pace.sent(128 * kibibyte, atZero);
  const second = pace.mark(0);
  assert.equal(pace.roomBytes, 0);
  pace.returned(77, 2);
  assert.equal(pace.roomBytes, 0);
  pace.returned(second, 1000);
  assert.equal(pace.roomBytes, 512 * kibibyte);
  pace.returned(second, 1001);
  assert.equal(pace.roomBytes, 512 * kibibyte);
});

test("whatever changes the bound, where there is no room a mark is on the way or due", () => {
  const pace = new Pace();
  let random = 7;
  const below = (most: number): number => (random = (random * 48_271) % 0x7fff_ffff) % most;
  const marks: number[] = [];
  let nowMs = 0;
  const look = (): void => {
    if (pace.isMarkDue) marks.push(pace.mark(nowMs));
    assert.ok(pace.roomBytes > 0 || marks.length > 0);
  };
  for (let i = 0; i < 20_000; i++) {
    nowMs += below(1000) / 500;
    const what = below(5);
    if (what === 0) pace.small();
    else if (what < 4 && pace.roomBytes > 0) pace.sent(below(300_000), { nowMs: () => nowMs });
    else if (marks.length > 0) pace.returned(marks.splice(0, 1 + below(marks.length)).at(-1) ?? 0, nowMs);
    look();
  }
});
