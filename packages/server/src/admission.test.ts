import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, type Waiting } from "./admission.ts";

interface Call extends Waiting {
  readonly name: string;
}

function rig(options: { max?: number; queue?: number; waitMs?: number } = {}): {
  admission: Admission<Call>;
  log: string[];
  call(name: string, criticality?: 0 | 1 | 2, answerByMs?: number): Call;
  set(nowMs: number): void;
} {
  let nowMs = 0;
  const log: string[] = [];
  const admission = new Admission<Call>({
    maxConcurrentCalls: options.max ?? 1,
    maxQueuedCalls: options.queue ?? 2,
    maxQueueWaitMs: options.waitMs ?? 1000,
    now: () => nowMs,
    onAdmitted: ({ name }) => log.push(`run ${name}`),
    onEvicted: ({ name }) => log.push(`evict ${name}`),
  });
  return {
    admission,
    log,
    call: (name, criticality = 1, answerByMs = Number.POSITIVE_INFINITY) => ({ name, criticality, answerByMs }),
    set: (ms) => void (nowMs = ms),
  };
}

test("calls run up to the cap, wait in their order beyond it, and are refused beyond the queue", () => {
  const { admission, log, call } = rig({ max: 2, queue: 2 });
  assert.deepEqual(
    ["a", "b", "c", "d", "e"].map((name) => admission.enter(call(name))),
    ["run", "run", "wait", "wait", "full"],
  );
  admission.free();
  admission.free();
  assert.deepEqual(log, ["run c", "run d"]);
  assert.deepEqual([admission.running, admission.queued], [2, 0]);
  admission.free();
  admission.free();
  assert.equal(admission.running, 0);
});

test("a more critical call takes the place of the youngest of the least critical, and runs first", () => {
  const { admission, log, call } = rig({ queue: 3 });
  admission.enter(call("running"));
  for (const name of ["s1", "s2"]) admission.enter(call(name, 0));
  admission.enter(call("d"));
  assert.equal(admission.enter(call("c", 2)), "wait");
  assert.equal(admission.enter(call("s3", 0)), "full");
  for (let count = 0; count < 3; count++) admission.free();
  assert.deepEqual(log, ["evict s2", "run c", "run d", "run s1"]);
});

test("a call whose predicted wait is longer than its time left is refused at once", () => {
  const { admission, call, set } = rig({ queue: 100, waitMs: 10_000 });
  admission.enter(call("running"));
  for (let index = 0; index < 20; index++) admission.enter(call(`w${index}`));
  // A place gets free each 100 ms.
  for (let at = 100; at <= 1000; at += 100) {
    set(at);
    admission.free();
  }
  assert.equal(admission.queued, 10);
  assert.equal(admission.enter(call("hurried", 1, 1500)), "too late");
  assert.equal(admission.enter(call("patient", 1, 3000)), "wait");
  assert.equal(admission.enter(call("critical", 2, 1500)), "wait");
  assert.ok(admission.retryAfterMs() >= 1000);
});

test("the time that the call itself takes counts: six at a time, each 300 ms, one free each 50 ms", () => {
  const { admission, call, set } = rig({ max: 6, queue: 100, waitMs: 10_000 });
  for (let index = 0; index < 30; index++) admission.enter(call(`c${index}`));
  for (let at = 50; at <= 1000; at += 50) {
    set(at);
    admission.free();
  }
  // Four wait: it would run in 250 ms, and be answered in 550, or in 850 if it takes twice the mean.
  assert.equal(admission.queued, 4);
  assert.equal(admission.enter(call("hurried", 1, 1000 + 840)), "too late");
  assert.equal(admission.enter(call("patient", 1, 1000 + 860)), "wait");
});

test("a slow time long past does not keep the queue shut", () => {
  const { admission, call, set } = rig({ queue: 100, waitMs: 500 });
  const atOnce = (at: number): void => {
    set(at);
    admission.free();
  };
  for (const name of ["running", "b", "c"]) admission.enter(call(name));
  atOnce(100);
  atOnce(1100);
  assert.equal(admission.enter(call("first in line")), "wait");
  assert.equal(admission.enter(call("second")), "too late");
  atOnce(1200);
  atOnce(1201);
  assert.equal(admission.running, 0);
  assert.equal(admission.enter(call("later")), "run");
  assert.equal(admission.enter(call("behind it", 1, 10_000)), "wait");
});

test("one that left while it waited is passed over", () => {
  const { admission, log, call } = rig();
  admission.enter(call("running"));
  const gone = call("gone");
  admission.enter(gone);
  admission.enter(call("next"));
  admission.leave(gone);
  admission.leave(gone);
  admission.free();
  assert.deepEqual([log, admission.queued], [["run next"], 0]);
});
