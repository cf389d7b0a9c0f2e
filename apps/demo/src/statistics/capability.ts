/** Indices of how well a process fits between its specification limits. */
export interface CapabilityIndices {
  /** What the process could do if it were centred: width of the specification over six sigma within subgroups. */
  readonly cp?: number | undefined;
  /** What it does at its present centre: the nearer limit counts. */
  readonly cpk?: number | undefined;
  /** The same over the long run, with the sigma of all measurements. */
  readonly pp?: number | undefined;
  readonly ppk?: number | undefined;
}

/** What the indices are computed from. */
export interface ProcessSpread {
  readonly mean: number;
  /** Standard deviation within subgroups, once it is known. */
  readonly sigmaWithin?: number | undefined;
  /** Sample standard deviation of all measurements. */
  readonly sigmaOverall: number;
  /** Specification limits. With one only, there is no cp and pp. */
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
}

/** Cp, Cpk, Pp, Ppk (NIST/SEMATECH e-Handbook 6.1.6; Montgomery, section 8.3). What cannot be said is absent. */
export function capabilityIndices({ mean, sigmaWithin, sigmaOverall, lower, upper }: ProcessSpread): CapabilityIndices {
  const centred = (sigma: number | undefined): number | undefined =>
    lower === undefined || upper === undefined || !isSpread(sigma) ? undefined : (upper - lower) / (6 * sigma);
  const actual = (sigma: number | undefined): number | undefined => {
    if (!isSpread(sigma) || (lower === undefined && upper === undefined)) return undefined;
    const toLower = lower === undefined ? Number.POSITIVE_INFINITY : mean - lower;
    const toUpper = upper === undefined ? Number.POSITIVE_INFINITY : upper - mean;
    return Math.min(toLower, toUpper) / (3 * sigma);
  };
  return { cp: centred(sigmaWithin), cpk: actual(sigmaWithin), pp: centred(sigmaOverall), ppk: actual(sigmaOverall) };
}

function isSpread(sigma: number | undefined): sigma is number {
  return sigma !== undefined && sigma > 0;
}
