/** Values counted in bins of equal width. */
export interface Histogram {
  readonly from: number;
  readonly to: number;
  /** The last bin includes `to`. */
  readonly counts: readonly number[];
}

/** Enough bins to see a shape in 500 values, few enough to see it on a phone. */
const maxBins = 24;

/** A histogram with about √n bins. */
export function histogram(values: readonly number[]): Histogram {
  if (values.length === 0) return { from: 0, to: 0, counts: [] };
  // Not Math.min(...values): a file may have more values than a call may have arguments.
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  if (from === to) return { from, to, counts: [values.length] };
  const bins = Math.max(1, Math.min(maxBins, Math.ceil(Math.sqrt(values.length))));
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(((value - from) / (to - from)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { from, to, counts };
}
