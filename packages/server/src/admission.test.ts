import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallSource } from "@pipit/protocol";
import { seededRandom } from "@pipit/simulation";
import { Admission, type Decision, type Waiting } from "./admission.ts";

interface Call extends Waiting {
  readonly name: string;
}

function rig(options: { max?: number; queue?: number; waitMs?: number } = {}): {
  admission: Admission<Call>;
  log: string[];
  /** A call of the one connection that there is. */
  call(name: string, criticality?: 0 | 1 | 2, answerByMs?: number): Call;
  free(): void;
  set(nowMs: number): void;
} {
  let nowMs = 0;
  const log: string[] = [];
  const source = { running: 0 };
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
    call: (name, criticality = 1, answerByMs = Number.POSITIVE_INFINITY) => ({ name, source, criticality, answerByMs }),
    free: () => admission.free(source),
    set: (ms) => void (nowMs = ms),
  };
}

test("calls run up to the cap, wait in their order beyond it, and are refused beyond the queue", () => {
  const { admission, log, call, free } = rig({ max: 2, queue: 2 });
  assert.deepEqual(
    ["a", "b", "c", "d", "e"].map((name) => admission.enter(call(name))),
    ["run", "run", "wait", "wait", "full"],
  );
  free();
  free();
  assert.deepEqual(log, ["run c", "run d"]);
  assert.deepEqual([admission.running, admission.queued], [2, 0]);
  free();
  free();
  assert.equal(admission.running, 0);
});

test("a more critical call takes the place of the youngest of the least critical, and runs first", () => {
  const { admission, log, call, free } = rig({ queue: 3 });
  admission.enter(call("running"));
  for (const name of ["s1", "s2"]) admission.enter(call(name, 0));
  admission.enter(call("d"));
  assert.equal(admission.enter(call("c", 2)), "wait");
  assert.equal(admission.enter(call("s3", 0)), "full");
  for (let count = 0; count < 3; count++) free();
  assert.deepEqual(log, ["evict s2", "run c", "run d", "run s1"]);
});

test("a call whose predicted wait is longer than its time left is refused at once", () => {
  const { admission, call, set, free } = rig({ queue: 100, waitMs: 10_000 });
  admission.enter(call("running"));
  for (let index = 0; index < 20; index++) admission.enter(call(`w${index}`));
  // A place gets free each 100 ms.
  for (let at = 100; at <= 1000; at += 100) {
    set(at);
    free();
  }
  assert.equal(admission.queued, 10);
  assert.equal(admission.enter(call("hurried", 1, 1500)), "too late");
  assert.equal(admission.enter(call("patient", 1, 3000)), "wait");
  assert.equal(admission.enter(call("critical", 2, 1500)), "wait");
  assert.ok(admission.retryAfterMs() >= 1000);
});

test("the time that the call itself takes counts: six at a time, each 300 ms, one free each 50 ms", () => {
  const { admission, call, set, free } = rig({ max: 6, queue: 100, waitMs: 10_000 });
  for (let index = 0; index < 30; index++) admission.enter(call(`c${index}`));
  for (let at = 50; at <= 1000; at += 50) {
    set(at);
    free();
  }
  // Four wait: it would run in 250 ms, and be answered in 550, or in 850 if it takes twice the mean.
  assert.equal(admission.queued, 4);
  assert.equal(admission.enter(call("hurried", 1, 1000 + 840)), "too late");
  assert.equal(admission.enter(call("patient", 1, 1000 + 860)), "wait");
});

test("a slow time long past does not keep the queue shut", () => {
  const { admission, call, set, free } = rig({ queue: 100, waitMs: 500 });
  const atOnce = (at: number): void => {
    set(at);
    free();
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
  const { admission, log, call, free } = rig();
  admission.enter(call("running"));
  const gone = call("gone");
  admission.enter(gone);
  admission.enter(call("next"));
  admission.leave(gone);
  admission.leave(gone);
  free();
  assert.deepEqual([log, admission.queued], [["run next"], 0]);
});

/** Connections that call without end, each of whose calls ends only when the test says so. */
function crowd(options: { max: number; queue?: number }): {
  admission: Admission<Call>;
  arrive(source: CallSource, criticality?: 0 | 1 | 2): Decision;
  end(source: CallSource): void;
  evicted: CallSource[];
} {
  const evicted: CallSource[] = [];
  const admission = new Admission<Call>({
    maxConcurrentCalls: options.max,
    maxQueuedCalls: options.queue ?? 1024,
    maxQueueWaitMs: 500,
    now: () => 0,
    onAdmitted: () => undefined,
    onEvicted: ({ source }) => void evicted.push(source),
  });
  return {
    admission,
    evicted,
    arrive: (source, criticality = 1) =>
      admission.enter({ name: "", source, criticality, answerByMs: Number.POSITIVE_INFINITY }),
    end: (source) => admission.free(source),
  };
}

test("two connections with 4,096 endless calls each leave others their share at once", () => {
  for (const order of ["together", "one after the other"]) {
    const { arrive } = crowd({ max: 8192 });
    const one = { running: 0 };
    const two = { running: 0 };
    for (let count = 0; count < 8192; count++)
      arrive((order === "together" ? count % 2 === 0 : count < 4096) ? one : two);
    assert.ok(one.running <= 4096 && two.running <= 3919, `${order}: ${one.running}, ${two.running}`);
    const modest = { running: 0 };
    const ends = Array.from({ length: 145 }, () => arrive(modest));
    assert.ok(
      ends.every((end) => end === "run"),
      `${order}: ${modest.running}`,
    );
  }
});

test("what greedy connections give back goes to those who hold less, until all have about the same", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const { arrive, end } = crowd({ max: 200 });
    const sources = Array.from({ length: 4 }, (): CallSource => ({ running: 0 }));
    const [first, ...rest] = sources as [CallSource, ...CallSource[]];
    for (let count = 0; count < 300; count++) arrive(first);
    for (const source of rest) for (let count = 0; count < 100; count++) arrive(source);
    for (let turn = 0; turn < 3000; turn++) {
      const running = sources.filter((source) => source.running > 0);
      const ending = running[random.u32() % running.length] as CallSource;
      end(ending);
      arrive(ending);
    }
    const held = sources.map((source) => source.running);
    // With 5 places free each may have 32, with 6 it may have 46, with 7 it may have 62.
    assert.ok(Math.max(...held) - Math.min(...held) < 16 && Math.min(...held) >= 42, `seed ${seed}: ${held.join()}`);
  }
});

test("all that may run does, and none beyond the cap, whatever comes and goes", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const max = 1 + (random.u32() % 60);
    const { admission, arrive, end } = crowd({ max, queue: 20 });
    const sources = Array.from({ length: 1 + (random.u32() % 6) }, (): CallSource => ({ running: 0 }));
    for (let step = 0; step < 500; step++) {
      const source = sources[random.u32() % sources.length] as CallSource;
      if (random.u32() % 2 === 0) arrive(source, (random.u32() % 3) as 0 | 1 | 2);
      else if (source.running > 0) end(source);
      assert.ok(admission.running <= max && admission.queued <= 20);
      assert.equal(
        sources.reduce((sum, { running }) => sum + running, 0),
        admission.running,
      );
      // Whoever waits holds more than its share.
      if (admission.queued > 0)
        assert.ok(Math.max(...sources.map(({ running }) => running)) >= max - admission.running);
    }
    while (admission.running > 0) end(sources.find(({ running }) => running > 0) as CallSource);
    assert.equal(admission.queued, 0, `seed ${seed}`);
  }
});

test("a full queue makes room for whoever waits with less, and connections leave it in turn", () => {
  const { admission, arrive, end, evicted } = crowd({ max: 2, queue: 6 });
  const greedy = { running: 0 };
  const modest = { running: 0 };
  for (let count = 0; count < 8; count++) arrive(greedy);
  assert.equal(arrive(greedy), "full");
  assert.deepEqual(
    [1, 2, 3].map(() => arrive(modest)),
    ["wait", "wait", "wait"],
  );
  assert.equal(arrive(modest), "full");
  assert.deepEqual(evicted, [greedy, greedy, greedy]);
  end(greedy);
  end(greedy);
  assert.deepEqual([greedy.running, modest.running, admission.queued], [1, 1, 4]);
});

test("a call waits behind no more of another connection's calls than of its own", () => {
  const { arrive, end, admission } = crowd({ max: 1, queue: 1000 });
  const greedy = { running: 0 };
  const modest = { running: 0 };
  for (let count = 0; count < 900; count++) arrive(greedy);
  arrive(modest);
  end(greedy);
  end(greedy);
  assert.deepEqual([modest.running, admission.queued], [1, 898]);
});
