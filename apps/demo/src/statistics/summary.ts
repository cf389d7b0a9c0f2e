/** Arithmetic mean. NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Greatest less least value. */
export function range(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

/** Sample standard deviation, with n − 1 below. 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  // From the differences to the mean, in two passes: Σx² − n·x̄² loses all digits where values are large and close.
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
