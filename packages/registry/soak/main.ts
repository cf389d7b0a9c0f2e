/**
 * Runs the goals of the gossip core in virtual time and prints the table.
 *
 *   npm run soak -w packages/registry -- [--goal 2,3-100] [--seeds 20] [--seed 7] [--short] [--no-control] [--json FILE]
 *                                        [--book FILE] [--only-noted]
 *   npm run soak -w packages/registry -- --ablations     each departure from the papers, with and without
 *
 * A goal that fails, or throws, prints the command that replays its first failing seed. With `--book`, what each seed measured is
 * kept in a file and not run again, so that a long soak may be stopped and go on; `--only-noted` runs nothing and prints
 * the table of what is there.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ablations } from "../test/gossip/goals/ablations.ts";
import { goals } from "../test/gossip/goals/index.ts";
import { count, type GoalRow, runGoal, type RunOptions } from "./run-goal.ts";
import { SeedBook } from "./seed-book.ts";

const { values } = parseArgs({
  options: {
    goal: { type: "string" },
    seeds: { type: "string" },
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    "no-control": { type: "boolean", default: false },
    json: { type: "string" },
    ablations: { type: "boolean", default: false },
    book: { type: "string" },
    "only-noted": { type: "boolean", default: false },
  },
});

if (values.ablations) {
  console.log("| departure | with | without |\n|---|---|---|");
  for (const each of ablations)
    console.log(`| ${each.title} | ${each.measure(1, {})} | ${each.measure(1, each.without)} |`);
  process.exit(0);
}

const wanted = values.goal?.split(",");
const chosen = goals.filter(
  (goal) => wanted === undefined || wanted.some((w) => goal.id === w || goal.id.startsWith(`${w}-`)),
);
if (chosen.length === 0) {
  console.error(`No goal is called "${values.goal}": there are ${goals.map(({ id }) => id).join(", ")}`);
  process.exit(2);
}
const options: RunOptions = {
  seeds: values.seeds === undefined ? undefined : Number(values.seeds),
  firstSeed: Number(values.seed ?? 1),
  short: values.short,
  control: !values["no-control"],
  onlyNoted: values["only-noted"],
  book: new SeedBook(values.book),
};

const rows: GoalRow[] = [];
for (const goal of chosen) {
  const row = runGoal(goal, options);
  if (row === undefined) continue;
  rows.push(row);
  const missed = row.controlFails === false ? " **(should have failed)**" : "";
  console.log(
    `| ${row.goal} | ${row.title} | ${row.pass ? "yes" : "**NO**"} | ${row.measured} (${count(row.seeds)}, ${row.cpuSeconds} s of CPU) | ${row.control}${missed} |`,
  );
  if (row.replay !== undefined) console.log(`  replay: ${row.replay}`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows, null, 2));
}
const bad = rows.filter((row) => row.replay !== undefined);
console.log(`${rows.length - bad.length} passed, ${bad.length} failed`);
process.exitCode = bad.length > 0 ? 1 : 0;
