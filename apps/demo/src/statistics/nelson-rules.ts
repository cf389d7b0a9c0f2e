import type { Limits } from "./control-limits.ts";

/*
 * The eight tests for special causes of L. S. Nelson, The Shewhart Control Chart – Tests for Special Causes, Journal of Quality
 * Technology 16 (1984). Each looks at the latest points and asks whether the newest one completes its pattern. Zones: C within
 * one sigma of the centre line, B within two, A within three.
 */

/** The rules in words, for people. */
export const ruleDescriptions: Readonly<Record<number, string>> = {
  1: "one point beyond three sigma",
  2: "nine points in a row on one side of the centre line",
  3: "six points in a row steadily rising or falling",
  4: "fourteen points in a row alternating up and down",
  5: "two of three points beyond two sigma on one side",
  6: "four of five points beyond one sigma on one side",
  7: "fifteen points in a row within one sigma",
  8: "eight points in a row beyond one sigma, on both sides",
};

/** How many points the longest pattern takes: what a chart has to remember. */
export const longestPattern = 15;

type Rule = (z: readonly number[]) => boolean;

/** Each takes distances from the centre line in sigmas, the newest last. */
const rules: readonly Rule[] = [
  (z) => Math.abs(newest(z)) > 3,
  (z) => lastOf(z, 9, (tail) => oneSide(tail, (value, side) => value * side > 0)),
  (z) => lastOf(z, 6, (tail) => steps(tail).every((step) => step > 0) || steps(tail).every((step) => step < 0)),
  (z) => lastOf(z, 14, (tail) => steps(tail).every((step, i, all) => i === 0 || step * (all[i - 1] ?? 0) < 0)),
  (z) => countBeyond(z.slice(-3), 2) >= 2,
  (z) => countBeyond(z.slice(-5), 1) >= 4,
  (z) => lastOf(z, 15, (tail) => tail.every((value) => Math.abs(value) < 1)),
  (z) =>
    lastOf(z, 8, (tail) => tail.every((value) => Math.abs(value) > 1)) &&
    // On one side only it is rule 6, over and over: this one is for a mixture of two processes.
    z.slice(-8).some((value) => value > 0) &&
    z.slice(-8).some((value) => value < 0),
];

/** The rules that the newest of `values` violates, in order. Of a spread chart only the first is asked: it is not symmetric. */
export function violatedRules(
  values: readonly number[],
  { lower, centre, upper }: Limits,
  chart: "location" | "spread",
): readonly number[] {
  const value = values.at(-1);
  if (value === undefined) return [];
  // On limits cut off at 0 a sigma cannot be read: compare with the limits themselves.
  if (chart === "spread") return value > upper || value < lower ? [1] : [];
  const sigma = (upper - centre) / 3;
  if (!(sigma > 0)) return value === centre ? [] : [1];
  const z = values.slice(-longestPattern).map((each) => (each - centre) / sigma);
  return rules.flatMap((violated, index) => (violated(z) ? [index + 1] : []));
}

function newest(z: readonly number[]): number {
  return z.at(-1) ?? 0;
}

function lastOf(z: readonly number[], count: number, holds: (tail: readonly number[]) => boolean): boolean {
  return z.length >= count && holds(z.slice(-count));
}

function oneSide(z: readonly number[], holds: (value: number, side: 1 | -1) => boolean): boolean {
  return z.every((value) => holds(value, 1)) || z.every((value) => holds(value, -1));
}

function steps(z: readonly number[]): number[] {
  return z.slice(1).map((value, i) => value - (z[i] ?? 0));
}

/** How many lie beyond `zone` on the side of the newest; none if the newest itself does not. */
function countBeyond(z: readonly number[], zone: number): number {
  const side = Math.sign(newest(z));
  if (newest(z) * side <= zone) return 0;
  return z.filter((value) => value * side > zone).length;
}
