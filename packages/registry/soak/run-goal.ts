/** One goal over its seeds, then its control, and what to type to see a failure again. */
import { type Goal, type Samples, judgeControl, merge } from "../test/gossip/goals/goal.ts";
import type { SeedBook } from "./seed-book.ts";

export interface RunOptions {
  /** Seeds of each goal; default: as many as the goal says, or 20. */
  readonly seeds: number | undefined;
  readonly firstSeed: number;
  readonly short: boolean;
  readonly control: boolean;
  /** Take what the book has, and run nothing. */
  readonly onlyNoted: boolean;
  readonly book: SeedBook;
}

/** A line of the table. */
export interface GoalRow {
  readonly goal: string;
  readonly title: string;
  readonly seeds: number;
  readonly measured: string;
  readonly pass: boolean;
  readonly control: string;
  readonly controlFails: boolean | undefined;
  readonly cpuSeconds: number;
  /** The command that shows the failure again; undefined when there is none. */
  readonly replay: string | undefined;
}

interface Outcome {
  readonly samples: Samples;
  readonly seeds: number;
  readonly cpuSeconds: number;
  /** The first seed that by itself misses the goal, or throws, and then what it threw. */
  readonly failing: number | undefined;
  readonly error: Error | undefined;
}

/** Undefined when no seed of the goal is noted and nothing may be run. */
export function runGoal(goal: Goal, options: RunOptions): GoalRow | undefined {
  const { short } = options;
  const wantedSeeds = options.seeds ?? goal.seeds ?? 20;
  const own = runSeeds(goal.id, goal, wantedSeeds, options, (samples) => goal.judge(samples, short).pass);
  if (own.seeds === 0 && own.failing === undefined) return undefined;
  const head = { goal: goal.id, title: goal.title, seeds: own.seeds, cpuSeconds: Math.round(own.cpuSeconds) };
  if (own.error !== undefined) {
    const measured = `seed ${own.failing} threw: ${own.error.message}`;
    return {
      ...head,
      measured,
      pass: false,
      control: "",
      controlFails: undefined,
      replay: replayOf(goal, own, options),
    };
  }
  const { pass, text } = goal.judge(own.samples, short);
  const control = runControl(goal, own.samples, wantedSeeds, options);
  return {
    ...head,
    measured: text,
    pass,
    control: control?.text ?? "",
    controlFails: control?.fails,
    replay: pass && control?.fails !== false ? undefined : replayOf(goal, pass ? undefined : own, options),
  };
}

function runSeeds(
  name: string,
  measured: Pick<Goal, "measure">,
  count: number,
  { firstSeed, short, onlyNoted, book }: RunOptions,
  passes: (samples: Samples) => boolean,
): Outcome {
  const samples: Samples = {};
  let seeds = 0;
  let cpuSeconds = 0;
  let failing: number | undefined;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const key = `${name} ${short ? "short " : ""}${seed}`;
    if (onlyNoted && !book.has(key)) continue;
    try {
      const entry = book.samplesOf(key, () => measured.measure(seed, short));
      merge(samples, entry.samples);
      if (failing === undefined && !passes(entry.samples)) failing = seed;
      seeds++;
      cpuSeconds += entry.cpuSeconds;
    } catch (error) {
      return { samples, seeds, cpuSeconds, failing: seed, error: error as Error };
    }
  }
  return { samples, seeds, cpuSeconds, failing, error: undefined };
}

function runControl(
  goal: Goal,
  samples: Samples,
  wantedSeeds: number,
  options: RunOptions,
): { readonly text: string; readonly fails: boolean } | undefined {
  const { control } = goal;
  if (control === undefined || !options.control) return undefined;
  const seeds = Math.min(wantedSeeds, control.seeds ?? 5);
  const without = runSeeds(`${goal.id} control`, control, seeds, options, () => true);
  if (without.error !== undefined) throw without.error;
  if (without.seeds === 0) return undefined;
  const { pass, text } = judgeControl(goal, without.samples, samples, options.short);
  return { text: `${control.title}: ${text} (${count(without.seeds)})`, fails: pass };
}

/** One seed where one fails by itself; else all of them, with the control when it is that which should have failed. */
function replayOf(goal: Goal, failed: Outcome | undefined, { short, firstSeed, seeds }: RunOptions): string {
  const range =
    failed?.failing === undefined
      ? `--seeds ${seeds ?? goal.seeds ?? 20} --seed ${firstSeed}`
      : `--seeds 1 --seed ${failed.failing}`;
  const command = `npm run soak -w packages/registry -- --goal ${goal.id} ${range}`;
  return `${command}${short ? " --short" : ""}${failed === undefined ? "" : " --no-control"}`;
}

/** "1 seed", "20 seeds". */
export function count(seeds: number): string {
  return seeds === 1 ? "1 seed" : `${seeds} seeds`;
}
