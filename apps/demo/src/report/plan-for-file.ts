import type { Specification } from "../contracts/index.ts";
import type { ControlPlan } from "../control-plan.ts";

/** Limits come from so many points at least; fewer say nothing. */
const leastBaseline = 2;
/** For characteristics that the plan does not know: single values need no subgroups that make sense. */
const unknown = { unit: "", chart: "i-mr", subgroupSize: 1, baselinePoints: 25 } as const;

/**
 * The rows of `plan` for the characteristics of a file, fitted to how many measurements there are. A characteristic that the
 * plan does not know is kept on charts all the same, and not judged.
 */
export function planForFile(plan: ControlPlan, countByCharacteristic: ReadonlyMap<string, number>): ControlPlan {
  return new Map(
    [...countByCharacteristic].map(([characteristic, count]): [string, Specification] => {
      const row = plan.get(characteristic) ?? { characteristic, ...unknown };
      const points = Math.floor(count / row.subgroupSize);
      const baselinePoints = Math.max(leastBaseline, Math.min(row.baselinePoints, points));
      return [characteristic, { ...row, baselinePoints }];
    }),
  );
}
