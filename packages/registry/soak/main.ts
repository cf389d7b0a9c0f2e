/**
 * Runs the goals of the gossip core in virtual time and prints the table.
 *
 *   npm run soak -w packages/registry -- [--goal 2,3-100] [--seeds 20] [--seed 7] [--short] [--no-control] [--json FILE]
 *   npm run soak -w packages/registry -- --ablations     each departure from the papers, with and without
 *
 * A goal that fails prints the command that replays its worst seed.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ablations } from "../test/gossip/goals/ablations.ts";
import { goals } from "../test/gossip/goals/index.ts";
import { type Goal, type Samples, type Verdict, merge } from "../test/gossip/goals/goal.ts";

const { values } = parseArgs({
  options: {
    goal: { type: "string" },
    seeds: { type: "string" },
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    "no-control": { type: "boolean", default: false },
    json: { type: "string" },
    ablations: { type: "boolean", default: false },
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
const short = values.short === true;

interface Row {
  readonly goal: string;
  readonly title: string;
  readonly seeds: number;
  readonly measured: string;
  readonly pass: boolean;
  readonly control: string;
  readonly controlFails: boolean | undefined;
  readonly cpuSeconds: number;
}

function run(goal: Pick<Goal, "measure">, count: number, onSeed: (seed: number, samples: Samples) => void): Samples {
  const first = Number(values.seed ?? 1);
  const all: Samples = {};
  for (let seed = first; seed < first + count; seed++) {
    const samples = goal.measure(seed, short);
    merge(all, samples);
    onSeed(seed, samples);
  }
  return all;
}

function replay(goal: Goal, seed: number): string {
  return `npm run soak -w packages/registry -- --goal ${goal.id} --seeds 1 --seed ${seed}${short ? " --short" : ""} --no-control`;
}

const rows: Row[] = [];
for (const goal of chosen) {
  const cpu = process.cpuUsage();
  const seeds = Number(values.seeds ?? goal.seeds ?? 20);
  const failing: number[] = [];
  const samples = run(goal, seeds, (seed, one) => {
    if (!goal.judge(one, short).pass) failing.push(seed);
  });
  const verdict = goal.judge(samples, short);
  let control: Verdict | undefined;
  if (goal.control !== undefined && !values["no-control"]) {
    const controlSeeds = Math.min(seeds, goal.control.seeds ?? 5);
    control = goal.control.judge(
      run(goal.control, controlSeeds, () => {}),
      samples,
    );
  }
  const row: Row = {
    goal: goal.id,
    title: goal.title,
    seeds,
    measured: verdict.text,
    pass: verdict.pass,
    control: control === undefined ? "" : `${goal.control?.title}: ${control.text}`,
    controlFails: control?.pass,
    cpuSeconds: Math.round(process.cpuUsage(cpu).user / 1e5) / 10,
  };
  rows.push(row);
  console.log(
    `| ${row.goal} | ${row.title} | ${row.pass ? "yes" : "**NO**"} | ${row.measured} (${row.seeds} seeds, ${row.cpuSeconds} s of CPU) | ${row.control}${row.controlFails === false ? " **(should have failed)**" : ""} |`,
  );
  if (!verdict.pass && failing[0] !== undefined) console.log(`  replay: ${replay(goal, failing[0])}`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows, null, 2));
}
const bad = rows.filter((row) => !row.pass || row.controlFails === false);
console.log(`${rows.length - bad.length} passed, ${bad.length} failed`);
process.exitCode = bad.length > 0 ? 1 : 0;
