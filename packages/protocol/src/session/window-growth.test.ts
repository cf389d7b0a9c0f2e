import assert from "node:assert/strict";
import { test } from "node:test";
import { WindowGrowth } from "./window-growth.ts";

const kibibyte = 1024;

interface Path {
  readonly roundTripMs: number;
  /** Between two renewals. */
  readonly everyMs: number;
  readonly answered?: boolean;
}

/** Renews the window of one stream so many times; gives its end, and the pings sent. */
function drive(growth: WindowGrowth, renewals: number, { roundTripMs, everyMs, answered = true }: Path) {
  const stream = { windowBytes: growth.windowBytes, renewedAtMs: Number.NEGATIVE_INFINITY };
  let pings = 0;
  let pongAtMs = Infinity;
  for (let nowMs = 0; nowMs < renewals * everyMs; nowMs += everyMs) {
    if (pongAtMs <= nowMs) {
      growth.onPong(pongAtMs);
      pongAtMs = Infinity;
    }
    if (growth.renew(stream, nowMs)) {
      pings++;
      if (answered) pongAtMs = nowMs + roundTripMs;
    }
    stream.windowBytes = growth.windowBytes;
  }
  return { windowBytes: stream.windowBytes, pings };
}

const first = 256 * kibibyte;
const most = 16 * 1024 * kibibyte;

test("a window of which half is used up within a round trip doubles, up to the most", () => {
  assert.equal(drive(new WindowGrowth(first, most), 1000, { roundTripMs: 50, everyMs: 10 }).windowBytes, most);
});

test("a window whose half lasts longer than a round trip stays as it is", () => {
  assert.equal(drive(new WindowGrowth(first, most), 1000, { roundTripMs: 10, everyMs: 11 }).windowBytes, first);
});

test("no window grows before four round trips were measured", () => {
  const growth = new WindowGrowth(first, most);
  const stream = { windowBytes: first, renewedAtMs: 0 };
  for (let measured = 0; measured < 4; measured++) {
    growth.renew(stream, measured * 100);
    growth.renew(stream, measured * 100 + 1);
    assert.equal(growth.windowBytes, first, `${measured} measured`);
    growth.onPong(measured * 100 + 50);
  }
  growth.renew(stream, 351);
  growth.renew(stream, 352);
  assert.equal(growth.windowBytes, 2 * first);
});

test("a stream whose own window has not caught up makes no window larger", () => {
  const growth = new WindowGrowth(first, most);
  drive(growth, 10, { roundTripMs: 5, everyMs: 10 });
  const old = { windowBytes: first / 2, renewedAtMs: 1000 };
  growth.renew(old, 1001);
  assert.equal(growth.windowBytes, first);
  growth.renew({ ...old, windowBytes: first }, 1001);
  assert.equal(growth.windowBytes, 2 * first);
});

test("the shortest round trip counts, and a pong that nobody asked for does not", () => {
  const growth = new WindowGrowth(first, most);
  drive(growth, 5, { roundTripMs: 5, everyMs: 10 });
  growth.onPong(1_000_000);
  growth.renew({ windowBytes: first, renewedAtMs: 100 }, 105);
  assert.equal(growth.windowBytes, first);
  growth.renew({ windowBytes: first, renewedAtMs: 100 }, 104);
  assert.equal(growth.windowBytes, 2 * first);
});

test("pings go one at a time, then with each sixteenth renewal, also where none is answered, and never at the most", () => {
  assert.equal(drive(new WindowGrowth(first, most), 4 + 160, { roundTripMs: 5, everyMs: 10 }).pings, 4 + 10);
  const unanswered = { roundTripMs: 5, everyMs: 10, answered: false };
  assert.equal(drive(new WindowGrowth(first, most), 160, unanswered).pings, 10);
  assert.equal(drive(new WindowGrowth(most, most), 160, { roundTripMs: 5, everyMs: 10 }).pings, 0);
});
