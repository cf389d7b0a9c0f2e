import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "@pipit/simulation";
import { RetryBudget } from "./retry-budget.ts";

function spend(budget: RetryBudget): number {
  let count = 0;
  while (budget.withdraw()) count++;
  return count;
}

test("without a call there are 10 retries for each second of the window, at once", () => {
  assert.equal(spend(new RetryBudget(virtualClock())), 100);
});

test("each five calls of the window allow one more", () => {
  const budget = new RetryBudget(virtualClock());
  for (let index = 0; index < 1000; index++) budget.deposit();
  assert.equal(spend(budget), 300);
});

test("calls and retries leave the window after ten seconds, by tenths", async () => {
  const clock = virtualClock();
  const budget = new RetryBudget(clock);
  for (let index = 0; index < 1000; index++) budget.deposit();
  assert.equal(spend(budget), 300);
  await clock.advance(9000);
  assert.equal(spend(budget), 0);
  await clock.advance(1000);
  assert.equal(spend(budget), 100);
});

test("under a total failure, load grows by a fifth and the reserve, over any ten seconds", async () => {
  const clock = virtualClock();
  const budget = new RetryBudget(clock);
  let retries = 0;
  for (let second = 0; second < 60; second++) {
    for (let call = 0; call < 1000; call++) {
      budget.deposit();
      if (budget.withdraw()) retries++;
    }
    await clock.advance(1000);
  }
  assert.ok(retries <= 60_000 * 0.2 + 60 * 10 + 100, `${retries} retries`);
  assert.ok(retries >= 60_000 * 0.2, `${retries} retries`);
});

test("a budget that makes no sense is refused", () => {
  assert.throws(() => new RetryBudget(virtualClock(), { ratio: -1 }), RangeError);
  assert.throws(() => new RetryBudget(virtualClock(), { windowMs: 1 }), RangeError);
});
