/** 2⁰, 2⁻¹ … exact, by halving. Beyond these e^−x is too small to matter: below 10⁻³⁸. */
const halvings = Float64Array.from({ length: 128 }, (_, index) => 2 ** -index);

/**
 * e^−x for x ≥ 0, to within 10⁻⁹ of the true value, by additions and multiplications alone: `Math.exp` may differ in its
 * last bits between engines, and then a seeded run would not replay.
 */
export function decay(x: number): number {
  if (x <= 0) return 1;
  const halvingCount = Math.floor(x * Math.LOG2E);
  if (!(halvingCount < halvings.length)) return 0;
  const rest = x - halvingCount * Math.LN2;
  return series(rest) * (halvings[halvingCount] ?? 0);
}

/** Taylor's series to the tenth power, for 0 ≤ x < ln 2. */
function series(x: number): number {
  let sum = 1;
  for (let power = 10; power >= 1; power -= 1) sum = 1 - (x / power) * sum;
  return sum;
}
