import type { Inspected } from "../contracts/index.ts";
import type { ControlPlan } from "../control-plan.ts";
import { type ChartHappening, takeIn } from "./chart.ts";
import type { ChartStore, HeldChart } from "./chart-store.ts";

/** Batches between two prunings of a characteristic's old measurements. */
const pruneEvery = 200;

/** Take-overs within one call before it is left to the caller to try again: two owners could pass the ball for ever. */
const maxTakeOvers = 3;

/** Options of {@link ChartKeeper}. */
export interface ChartKeeperOptions {
  /** Name of this instance. */
  readonly owner: string;
  readonly store: ChartStore;
  readonly plan: ControlPlan;
  readonly now: () => Date;
  /** Something happened on a chart. */
  readonly onHappening: (characteristic: string) => void;
}

/** What became of a batch. */
export interface Recorded {
  readonly recorded: number;
  readonly duplicates: number;
  readonly version: number;
}

/**
 * The characteristics that one instance holds. Which ones, the callers decide by their consistent hash; whether it still
 * holds them, the store decides at each commit.
 */
export class ChartKeeper {
  readonly #options: ChartKeeperOptions;
  readonly #held = new Map<string, HeldChart>();
  #batches = 0;

  constructor(options: ChartKeeperOptions) {
    this.#options = options;
  }

  /**
   * Records a batch and all that follows from it, in one transaction.
   *
   * @returns `unknown` for a characteristic that is not in the plan, `contended` when others took it over again and again
   */
  record(characteristic: string, measurements: readonly Inspected[]): Recorded | "unknown" | "contended" {
    const { plan, store, now, onHappening, owner } = this.#options;
    const specification = plan.get(characteristic);
    if (specification === undefined) return "unknown";
    for (let attempt = 0; attempt <= maxTakeOvers; attempt++) {
      const held = this.#held.get(characteristic) ?? store.takeOver(characteristic, owner, now());
      // From here to the commit the state runs ahead of the store. Should anything throw, it is read again.
      this.#held.delete(characteristic);
      const taken: Inspected[] = [];
      const happenings: ChartHappening[] = [];
      for (const measurement of measurements) {
        const happened = takeIn(held.state, specification, measurement);
        if (happened === undefined) continue;
        taken.push(measurement);
        happenings.push(...happened);
      }
      const kept = store.commit({ characteristic, ...held, measurements: taken, happenings, time: now() });
      if (!kept) continue;
      this.#held.set(characteristic, held);
      if (happenings.length > 0) onHappening(characteristic);
      if (++this.#batches % pruneEvery === 0) store.prune(characteristic);
      return { recorded: taken.length, duplicates: measurements.length - taken.length, version: held.version };
    }
    return "contended";
  }
}
