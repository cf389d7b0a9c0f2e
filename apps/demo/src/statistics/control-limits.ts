import { c4, d2, d3 } from "./constants.ts";
import { mean } from "./summary.ts";

/** Centre line and limits of one chart, three standard deviations of what is plotted to either side. */
export interface Limits {
  readonly lower: number;
  readonly centre: number;
  readonly upper: number;
}

/** Limits of a pair of charts, estimated from a baseline in which the process is taken to be in control. */
export interface PairOfLimits {
  readonly location: Limits;
  readonly spread: Limits;
  /** Standard deviation of single measurements within subgroups. */
  readonly sigmaWithin: number;
}

/** Shewhart's three: rare enough on a process at rest, 1 point in 370, and soon enough on one that moved. */
const widthInSigmas = 3;

/** X̄ and R charts: from the means and ranges of subgroups of `n` values (Montgomery, section 6.2). */
export function xbarRLimits(means: readonly number[], ranges: readonly number[], n: number): PairOfLimits {
  const meanRange = mean(ranges);
  const sigmaWithin = meanRange / d2(n);
  return {
    location: limits(mean(means), sigmaWithin / Math.sqrt(n)),
    spread: spreadLimits(meanRange, d3(n) * sigmaWithin),
    sigmaWithin,
  };
}

/** X̄ and s charts: from the means and standard deviations of subgroups of `n` values (Montgomery, section 6.3). */
export function xbarSLimits(means: readonly number[], deviations: readonly number[], n: number): PairOfLimits {
  const meanDeviation = mean(deviations);
  const sigmaWithin = meanDeviation / c4(n);
  return {
    location: limits(mean(means), sigmaWithin / Math.sqrt(n)),
    spread: spreadLimits(meanDeviation, sigmaWithin * Math.sqrt(1 - c4(n) ** 2)),
    sigmaWithin,
  };
}

/** Individuals and moving range charts: from single values and the steps between neighbours (NIST e-Handbook 6.3.2.2). */
export function individualsLimits(values: readonly number[], movingRanges: readonly number[]): PairOfLimits {
  const meanRange = mean(movingRanges);
  const sigmaWithin = meanRange / d2(2);
  return {
    location: limits(mean(values), sigmaWithin),
    spread: spreadLimits(meanRange, d3(2) * sigmaWithin),
    sigmaWithin,
  };
}

function limits(centre: number, sigma: number): Limits {
  return { lower: centre - widthInSigmas * sigma, centre, upper: centre + widthInSigmas * sigma };
}

/** A spread cannot be negative, so neither can its lower limit. */
function spreadLimits(centre: number, sigma: number): Limits {
  const { lower, upper } = limits(centre, sigma);
  return { lower: Math.max(0, lower), centre, upper };
}
