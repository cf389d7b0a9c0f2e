import { median } from "./statistics.ts";

/** One thing to measure: `work(input)` over and over. */
export interface Contestant {
  readonly name: string;
  readonly work: (input: never) => unknown;
  readonly input: unknown;
}

/** How long and how often. */
export interface Pace {
  /** Length of one sample. */
  readonly sampleMs: number;
  /** Samples per contestant; the median counts. */
  readonly rounds: number;
  /** Samples thrown away first. */
  readonly warmUpRounds: number;
  /** Called before each sample, off the clock. */
  readonly settle?: () => void;
}

type Loop = (count: number, work: (input: unknown) => unknown, input: unknown) => number;

/**
 * Runs per second of each contestant, by name. All take turns within each round, so that what the machine does meanwhile
 * hits them alike, and each runs in a loop of its own: a shared one would see many functions and inline none of them.
 *
 * Each round has an order of its own. V8 marks the whole heap once per so many megabytes, which may be once per round: in a fixed
 * order the same contestant then pays for the garbage of all in each of its samples.
 */
export async function interleave(contestants: readonly Contestant[], pace: Pace): Promise<Map<string, number>> {
  const lanes = await Promise.all(
    contestants.map(async ({ name, work, input }, i) => {
      const { loop } = (await import(`./loop.ts?lane=${laneCount + i}`)) as { loop: Loop };
      const run = (count: number): number => loop(count, work as (input: unknown) => unknown, input);
      return { name, run, count: calibrate(run, pace.sampleMs), best: 0, samples: [] as number[] };
    }),
  );
  laneCount += contestants.length;
  const shuffle = shuffler();
  for (let round = -pace.warmUpRounds; round < pace.rounds; round++) {
    shuffle(lanes);
    for (const lane of lanes) {
      pace.settle?.();
      const perSecond = (lane.count / lane.run(lane.count)) * 1000;
      if (round >= 0) {
        lane.samples.push(perSecond);
        continue;
      }
      // The first guess was made of code that was still cold, and a later one may have met the collector.
      lane.best = Math.max(lane.best, perSecond);
      lane.count = Math.max(1, Math.round((lane.best * pace.sampleMs) / 1000));
    }
  }
  return new Map(lanes.map(({ name, samples }) => [name, median(samples)]));
}

let laneCount = 0;

/** Puts lists into one random order after the other: the same ones in each process. */
function shuffler(): (list: unknown[]) => void {
  let state = 1;
  return (list) => {
    for (let i = list.length - 1; i > 0; i--) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const k = Math.floor((state / 2 ** 32) * (i + 1));
      [list[i], list[k]] = [list[k], list[i]];
    }
  };
}

/** How many runs fill a sample. */
function calibrate(run: (count: number) => number, sampleMs: number): number {
  for (let count = 1; ; count *= 4) {
    const tookMs = run(count);
    if (tookMs > sampleMs / 4) return Math.max(1, Math.round((count * sampleMs) / tookMs));
  }
}
