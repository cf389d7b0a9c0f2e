import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenPromises, type RunResult } from "./verdict.ts";

const crash = { fault: "crash", instance: "charts-2", detectedMs: 300, recoveredMs: 900 };
const well: RunResult = { failedCalls: 0, lost: 0, doubled: 0, alarms: 3, tickets: 3, outcomes: [crash] };

test("a run that kept every promise has nothing to say", () => {
  assert.deepEqual(brokenPromises(well), []);
  assert.deepEqual(brokenPromises({ ...well, outcomes: [{ ...crash, detectedMs: undefined }] }), []);
});

test("each broken promise is named, so that the exit code 1 has its reason on the screen", () => {
  const cases: readonly (readonly [Partial<RunResult>, string])[] = [
    [{ failedCalls: 2 }, "Broken promise: 2 calls failed at their callers"],
    [{ lost: 1 }, "Broken promise: 1 measurements lost"],
    [{ doubled: 4 }, "Broken promise: 4 measurements recorded twice"],
    [{ tickets: 2 }, "Broken promise: 3 alarms, but 2 tickets"],
    [{ tickets: 4 }, "Broken promise: 3 alarms, but 4 tickets"],
    [{ outcomes: [crash, { ...crash, recoveredMs: undefined }] }, "Not recovered from: crash of charts-2"],
  ];
  for (const [change, said] of cases) assert.deepEqual(brokenPromises({ ...well, ...change }), [said]);
});
