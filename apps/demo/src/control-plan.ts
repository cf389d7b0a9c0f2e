import { readFileSync } from "node:fs";
import { Specification } from "./contracts/index.ts";
import { maxRangeSubgroup } from "./statistics/constants.ts";

/** What a plan's row is when it says no more than unit and limits: Montgomery's five per subgroup, and 25 subgroups to begin with. */
const defaults = { chart: "xbar-r", subgroupSize: 5, baselinePoints: 25 } as const;

/** By characteristic. */
export type ControlPlan = ReadonlyMap<string, Specification>;

/** @throws Error that names the file, and the characteristic whose row is wrong */
export function readControlPlan(path: string): ControlPlan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`Cannot read the control plan ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null) throw new Error(`${path}: expected an object of characteristics`);
  return new Map(
    Object.entries(parsed).map(([characteristic, row]) => [characteristic, readRow(path, characteristic, row)]),
  );
}

/** The plan as a file has it. */
export function formatControlPlan(plan: ControlPlan): string {
  // A row's own name in it is ignored when it is read.
  return JSON.stringify(Object.fromEntries(plan));
}

function readRow(path: string, characteristic: string, row: unknown): Specification {
  const wrong = (wanted: string): Error => new Error(`${path}: row "${characteristic}": expected ${wanted}`);
  const specification: unknown = { ...defaults, ...(row as object), characteristic };
  if (!Specification.is(specification)) {
    throw wrong("unit, lower and upper, and perhaps chart (xbar-r, xbar-s or i-mr), subgroupSize and baselinePoints");
  }
  const { chart, lower, upper, baselinePoints } = specification;
  const subgroupSize = chart === "i-mr" ? 1 : specification.subgroupSize;
  if (lower !== undefined && upper !== undefined && !(lower < upper)) throw wrong("lower < upper");
  const mostPerGroup = chart === "xbar-r" ? maxRangeSubgroup : 25;
  if (chart !== "i-mr" && !(subgroupSize >= 2 && subgroupSize <= mostPerGroup)) {
    throw wrong(`a subgroupSize from 2 to ${mostPerGroup}`);
  }
  if (!(baselinePoints >= 2)) throw wrong("baselinePoints of at least 2");
  return { ...specification, subgroupSize };
}
