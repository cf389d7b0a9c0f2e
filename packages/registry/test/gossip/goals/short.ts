/** Goals in short, as tests: smaller clusters, shorter times, one seed. `npm run soak -w packages/registry` runs them in full. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Goal, judgeControl } from "./goal.ts";

export function testInShort(goals: readonly Goal[]): void {
  for (const goal of goals)
    test(`goal ${goal.id} in short: ${goal.title}`, (t) => {
      const verdict = goal.judge(goal.measure(1, true), true);
      t.diagnostic(verdict.text);
      const replay = `npm run soak -w packages/registry -- --goal ${goal.id} --seeds 1 --seed 1 --short --no-control`;
      assert.ok(verdict.pass, `${verdict.text}; replay: ${replay}`);
    });
}

export function testControlInShort(goal: Goal): void {
  const { control } = goal;
  test(`the control of goal ${goal.id} fails: ${control?.title}`, (t) => {
    const own = control?.judge === undefined ? {} : goal.measure(1, true);
    const verdict = judgeControl(goal, control?.measure(1, true) ?? {}, own, true);
    t.diagnostic(verdict.text);
    assert.ok(verdict.pass, verdict.text);
  });
}
