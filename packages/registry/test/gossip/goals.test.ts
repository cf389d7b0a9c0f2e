/** The goals in short: smaller clusters, shorter times, one seed. `npm run soak -w packages/registry` runs them in full. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { goals } from "./goals/index.ts";

/** What only a machine at rest can promise; the soak measures it. */
const TIMED = new Set(["12"]);

for (const goal of goals) {
  if (TIMED.has(goal.id)) continue;
  test(`goal ${goal.id} in short: ${goal.title}`, (t) => {
    const verdict = goal.judge(goal.measure(1, true), true);
    t.diagnostic(verdict.text);
    assert.ok(
      verdict.pass,
      `${verdict.text}; replay: npm run soak -w packages/registry -- --goal ${goal.id} --seeds 1 --seed 1 --short --no-control`,
    );
  });
}

for (const goal of goals.filter((each) => ["3-100", "4"].includes(each.id))) {
  test(`the control of goal ${goal.id} fails: ${goal.control?.title}`, () => {
    const samples = goal.control?.measure(1, true) ?? {};
    assert.ok(goal.control?.judge(samples, goal.measure(1, true)).pass);
  });
}
