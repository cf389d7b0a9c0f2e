import type { Source } from "../contracts/index.ts";
import { numberOf } from "../processes/settings.ts";
import { stationsOf } from "../stations/simulated-line.ts";

/** What became of the simulated measurements. */
export interface Audit {
  readonly recorded: number;
  /** Not recorded, though a later one of the same station and characteristic is. */
  readonly lost: number;
  /** Recorded more than once. */
  readonly doubled: number;
  /** Sent again after a loss, known, and dropped. */
  readonly repeated: number;
}

/** Counts what was recorded against what the stations measured: characteristics take turns, so the sequences tell how many. */
export function audit(sources: readonly Source[]): Audit {
  let [recorded, lost, doubled, repeated] = [0, 0, 0, 0];
  for (const source of sources) {
    const expected = measuredUpTo(source);
    recorded += source.recorded;
    lost += Math.max(0, expected - source.recorded);
    doubled += Math.max(0, source.recorded - expected);
    repeated += source.duplicates;
  }
  return { recorded, lost, doubled, repeated };
}

/** How many measurements of its characteristic a station made up to the last one recorded. */
function measuredUpTo({ station, characteristic, lastSequence }: Source): number {
  const simulated = stationsOf(numberOf(station)).find(({ name }) => name === station);
  const names = simulated?.characteristics.map((each) => each.characteristic) ?? [characteristic];
  return Math.floor((lastSequence - 1 - names.indexOf(characteristic)) / names.length) + 1;
}
