import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instance } from "./events.ts";
import { advanceTour, beginTour, chooseTarget, type TourRun, type TourView } from "./tour.ts";

function instance(id: string, changes: Partial<Instance> = {}): Instance {
  const service = id.slice(0, id.lastIndexOf("-"));
  const healthy = { condition: "running", seen: "up", callsPerSecond: 100, failed: 0, share: 0.5 } as const;
  return { id, service, address: "", ...healthy, ...changes };
}

const healthy = [instance("inspection-1"), instance("inspection-2"), instance("stations-1", { callsPerSecond: 900 })];

function view(
  nowMs: number,
  changes: Partial<Instance> = {},
  others: Partial<Instance> = {},
  failedCalls = 0,
): TourView {
  return { nowMs, failedCalls, instances: [instance("inspection-1", changes), instance("inspection-2", others)] };
}

function steps(run: TourRun): readonly string[] {
  return run.tour.steps.map(({ id, state, elapsedMs }) =>
    [id, state, elapsedMs].filter((part) => part !== undefined).join(" "),
  );
}

test("the victim is one that others can stand in for", () => {
  assert.equal(chooseTarget(healthy)?.id, "inspection-1");
  assert.equal(chooseTarget([instance("charts-1"), instance("charts-2", { seen: "suspect" })]), undefined);
});

test("each step is measured from the deed that caused it, and its failed calls are counted", () => {
  const dead = { condition: "crashed", callsPerSecond: 0, share: 0 } as const;
  let run = beginTour(healthy[0] as Instance, 200, view(1000, {}, {}, 7));
  assert.deepEqual(run.wish, { type: "crash", instance: "inspection-1" });
  run = advanceTour(run, view(1010, {}, {}, 7));
  assert.deepEqual(steps(run), ["crash active", "detect waiting", "rebalance waiting", "revive waiting"]);
  run = advanceTour(run, view(1020, dead, {}, 7));
  assert.deepEqual(steps(run), ["crash done 20", "detect active", "rebalance waiting", "revive waiting"]);
  run = advanceTour(run, view(1300, { ...dead, seen: "suspect" }, {}, 7));
  assert.equal(steps(run)[1], "detect active");
  run = advanceTour(run, view(1620, { ...dead, seen: "gone" }, {}, 7));
  assert.equal(steps(run)[1], "detect done 620");
  run = advanceTour(run, view(1700, { ...dead, seen: "gone" }, { callsPerSecond: 140 }, 7));
  assert.equal(steps(run)[2], "rebalance active");
  run = advanceTour(run, view(1900, { ...dead, seen: "gone" }, { callsPerSecond: 170 }, 8));
  assert.equal(steps(run)[2], "rebalance done 900");
  assert.equal(run.wish, undefined);

  assert.equal(advanceTour(run, view(2000, { ...dead, seen: "gone" })), run, "it waits, so that a person can follow");
  run = advanceTour(run, view(3400, { ...dead, seen: "gone" }));
  assert.deepEqual(run.wish, { type: "revive", instance: "inspection-1" });
  run = advanceTour(run, view(4400, { seen: "up", callsPerSecond: 0 }, {}, 8));
  assert.equal(steps(run)[3], "revive active");
  run = advanceTour(run, view(4600, { seen: "up", callsPerSecond: 5 }, {}, 8));
  assert.equal(steps(run)[3], "revive done 1200");
  assert.deepEqual([run.tour.state, run.tour.failedCalls], ["done", 1]);
  assert.equal(advanceTour(run, view(9000)), run);
});

test("a step that does not come is said to have failed", () => {
  const run = advanceTour(beginTour(healthy[0] as Instance, 200, view(0)), view(60_001));
  assert.equal(run.tour.state, "failed");
  assert.match(run.tour.steps[0]?.text ?? "", /^Not seen within 60 s/);
});
