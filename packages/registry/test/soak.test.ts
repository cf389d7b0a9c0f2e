import assert from "node:assert/strict";
import { test } from "node:test";
import { type GoalRow, type RunOptions, runGoal } from "../soak/run-goal.ts";
import { SeedBook } from "../soak/seed-book.ts";
import { type Goal, max, of } from "./gossip/goals/goal.ts";
import { goal2Ten } from "./gossip/goals/detection.ts";

/** Three seeds from 4 on, with nothing noted. */
function run(goal: Goal, options: Partial<RunOptions> = {}): GoalRow | undefined {
  const book = new SeedBook(undefined);
  return runGoal(goal, { seeds: 3, firstSeed: 4, short: false, control: true, onlyNoted: false, book, ...options });
}

const command = "npm run soak -w packages/registry -- --goal";

/** A goal whose seeds measure their own number, and may not pass `limit`. Its control measures ten times as much. */
function numbers(limit: number, controlFactor: number = 10): Goal {
  return {
    id: "n",
    title: "numbers",
    measure: (seed) => ({ value: [seed] }),
    judge: (samples) => ({ pass: max(of(samples, "value")) <= limit, text: of(samples, "value").join() }),
    control: { title: "more", measure: (seed) => ({ value: [controlFactor * seed] }) },
  };
}

test("a goal that holds, with a control that fails, has nothing to replay", () => {
  const row = run(numbers(6));
  assert.deepEqual(
    [row?.pass, row?.measured, row?.controlFails, row?.control, row?.replay],
    [true, "4,5,6", true, "more: 40,50,60 (3 seeds)", undefined],
  );
});

test("a failing seed names the command that replays it", () => {
  const row = run(numbers(4));
  assert.deepEqual([row?.pass, row?.replay], [false, `${command} n --seeds 1 --seed 5 --no-control`]);
});

test("so does a seed that throws", () => {
  const goal: Goal = {
    ...numbers(9),
    measure(seed) {
      if (seed === 6) throw new Error("a datagram of 1,300 bytes");
      return { value: [seed] };
    },
  };
  const row = run(goal, { short: true });
  assert.deepEqual(
    [row?.pass, row?.measured, row?.replay],
    [false, "seed 6 threw: a datagram of 1,300 bytes", `${command} n --seeds 1 --seed 6 --short --no-control`],
  );
});

test("a goal that only all seeds together miss replays all, and a control that holds is replayed with its goal", () => {
  const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
  const together: Goal = {
    ...numbers(0),
    judge: (samples) => ({ pass: total(of(samples, "value")) < 10, text: "" }),
  };
  assert.equal(run(together)?.replay, `${command} n --seeds 3 --seed 4 --no-control`);
  const row = run(numbers(9, 1));
  assert.deepEqual([row?.pass, row?.controlFails, row?.replay], [true, false, `${command} n --seeds 3 --seed 4`]);
});

test("a real goal under a bound it cannot meet fails at its first seed, and that command fails in the same way", () => {
  const strict: Goal = {
    ...goal2Ten,
    judge: (samples, short) => ({ ...goal2Ten.judge(samples, short), pass: max(of(samples, "tookMs")) <= 1_000 }),
  };
  const all = run(strict, { short: true, control: false });
  const [, seed] = /--seed (\d+)/.exec(all?.replay ?? "") ?? [];
  const again = run(strict, { short: true, control: false, seeds: 1, firstSeed: Number(seed) });
  const first = run(strict, { short: true, control: false, seeds: 1 });
  assert.equal(all?.pass, false);
  assert.deepEqual([again?.pass, again?.measured], [false, first?.measured]);
});
