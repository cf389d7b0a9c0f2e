/**
 * Runs the goals of the gossip core in virtual time and prints the table.
 *
 *   npm run soak -w packages/registry -- [--goal 2,3-100] [--seeds 20] [--seed 7] [--short] [--no-control] [--json FILE]
 *                                        [--book FILE] [--only-noted]
 *   npm run soak -w packages/registry -- --ablations     each departure from the papers, with and without
 *
 * A goal that fails prints the command that replays its first failing seed. With `--book`, what each seed measured is
 * kept in a file and not run again, so that a long soak may be stopped and go on; `--only-noted` runs nothing and prints
 * the table of what is there.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ablations } from "../test/gossip/goals/ablations.ts";
import { goals } from "../test/gossip/goals/index.ts";
import { type Goal, type Samples, type Verdict, merge } from "../test/gossip/goals/goal.ts";
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

interface Outcome {
  readonly samples: Samples;
  readonly seeds: number;
  readonly cpuSeconds: number;
}

const book = new SeedBook(values.book);

function run(
  name: string,
  goal: Pick<Goal, "measure">,
  count: number,
  onSeed: (seed: number, samples: Samples) => void,
): Outcome {
  const first = Number(values.seed ?? 1);
  const all: Samples = {};
  let seeds = 0;
  let cpuSeconds = 0;
  for (let seed = first; seed < first + count; seed++) {
    const key = `${name} ${short ? "short " : ""}${seed}`;
    if (values["only-noted"] === true && !book.has(key)) continue;
    const entry = book.samplesOf(key, () => goal.measure(seed, short));
    merge(all, entry.samples);
    onSeed(seed, entry.samples);
    seeds++;
    cpuSeconds += entry.cpuSeconds;
  }
  return { samples: all, seeds, cpuSeconds };
}

function count(seeds: number): string {
  return seeds === 1 ? "1 seed" : `${seeds} seeds`;
}

function replay(goal: Goal, seed: number): string {
  return `npm run soak -w packages/registry -- --goal ${goal.id} --seeds 1 --seed ${seed}${short ? " --short" : ""} --no-control`;
}

const rows: Row[] = [];
for (const goal of chosen) {
  const wantedSeeds = Number(values.seeds ?? goal.seeds ?? 20);
  const failing: number[] = [];
  const { samples, seeds, cpuSeconds } = run(goal.id, goal, wantedSeeds, (seed, one) => {
    if (!goal.judge(one, short).pass) failing.push(seed);
  });
  if (seeds === 0) continue;
  const verdict = goal.judge(samples, short);
  let control: (Verdict & { readonly seeds: number }) | undefined;
  if (goal.control !== undefined && !values["no-control"]) {
    const controlSeeds = Math.min(wantedSeeds, goal.control.seeds ?? 5);
    const without = run(`${goal.id} control`, goal.control, controlSeeds, () => {});
    if (without.seeds > 0) control = { ...goal.control.judge(without.samples, samples), seeds: without.seeds };
  }
  const row: Row = {
    goal: goal.id,
    title: goal.title,
    seeds,
    measured: verdict.text,
    pass: verdict.pass,
    control: control === undefined ? "" : `${goal.control?.title}: ${control.text} (${count(control.seeds)})`,
    controlFails: control?.pass,
    cpuSeconds: Math.round(cpuSeconds),
  };
  rows.push(row);
  console.log(
    `| ${row.goal} | ${row.title} | ${row.pass ? "yes" : "**NO**"} | ${row.measured} (${count(row.seeds)}, ${row.cpuSeconds} s of CPU) | ${row.control}${row.controlFails === false ? " **(should have failed)**" : ""} |`,
  );
  if (!verdict.pass && failing[0] !== undefined) console.log(`  replay: ${replay(goal, failing[0])}`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows, null, 2));
}
const bad = rows.filter((row) => !row.pass || row.controlFails === false);
console.log(`${rows.length - bad.length} passed, ${bad.length} failed`);
process.exitCode = bad.length > 0 ? 1 : 0;
