import type { Specification, Verdict } from "../contracts/index.ts";

/** Where `value` lies. */
export function judge(value: number, { lower, upper }: Pick<Specification, "lower" | "upper">): Verdict {
  if (lower === undefined && upper === undefined) return "unspecified";
  if (lower !== undefined && value < lower) return "below";
  return upper !== undefined && value > upper ? "above" : "ok";
}
