import { readFileSync } from "node:fs";

/** Limits of one characteristic; a value equal to a limit is inside. */
export interface Limits {
  readonly unit: string;
  readonly lower: number;
  readonly upper: number;
}

/** Limits by characteristic. */
export type Specification = ReadonlyMap<string, Limits>;

/** @throws Error that names the file, and the characteristic whose limits are wrong */
export function readSpecification(path: string): Specification {
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof parsed !== "object" || parsed === null) throw new Error(`${path}: expected an object of characteristics`);
  return new Map(
    Object.entries(parsed).map(([characteristic, limits]) => {
      if (!isLimits(limits)) {
        throw new Error(`${path}: limits of "${characteristic}": expected unit, lower and upper, with lower < upper`);
      }
      return [characteristic, limits];
    }),
  );
}

function isLimits(value: unknown): value is Limits {
  if (typeof value !== "object" || value === null) return false;
  const { unit, lower, upper } = value as Record<string, unknown>;
  return typeof unit === "string" && typeof lower === "number" && typeof upper === "number" && lower < upper;
}

/** Where `value` lies. */
export function judge(value: number, { lower, upper }: Limits): "ok" | "below" | "above" {
  if (value < lower) return "below";
  return value > upper ? "above" : "ok";
}
