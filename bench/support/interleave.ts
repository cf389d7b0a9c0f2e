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
 */
export async function interleave(contestants: readonly Contestant[], pace: Pace): Promise<Map<string, number>> {
  const lanes = await Promise.all(
    contestants.map(async ({ name, work, input }, i) => {
      const { loop } = (await import(`./loop.ts?lane=${laneCount + i}`)) as { loop: Loop };
      const run = (count: number): number => loop(count, work as (input: unknown) => unknown, input);
      return { name, run, count: calibrate(run, pace.sampleMs), samples: [] as number[] };
    }),
  );
  laneCount += contestants.length;
  for (let round = -pace.warmUpRounds; round < pace.rounds; round++) {
    for (let turn = 0; turn < lanes.length; turn++) {
      const lane = lanes[(turn + Math.max(round, 0)) % lanes.length];
      if (lane === undefined) continue;
      pace.settle?.();
      const perSecond = (lane.count / lane.run(lane.count)) * 1000;
      if (round >= 0) lane.samples.push(perSecond);
      // The first guess was made of code that was still cold.
      else lane.count = Math.max(1, Math.round((perSecond * pace.sampleMs) / 1000));
    }
  }
  return new Map(lanes.map(({ name, samples }) => [name, median(samples)]));
}

let laneCount = 0;

/** How many runs fill a sample. */
function calibrate(run: (count: number) => number, sampleMs: number): number {
  for (let count = 1; ; count *= 4) {
    const tookMs = run(count);
    if (tookMs > sampleMs / 4) return Math.max(1, Math.round((count * sampleMs) / tookMs));
  }
}
