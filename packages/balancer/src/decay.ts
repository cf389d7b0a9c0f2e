/** Steps in which the exponent is halved once. */
const stepsPerHalving = 64;

/** e^−x is taken as 0 from here on: it is below 10⁻¹⁷. */
const longest = 40;

const stepsPerUnit: number = stepsPerHalving * Math.LOG2E;
const unitsPerStep: number = Math.LN2 / stepsPerHalving;

/** e^−(step × ln 2 ÷ 64) for every step up to `longest`. */
const steps: Float64Array = Float64Array.from({ length: Math.ceil(longest * stepsPerUnit) + 1 }, (_, step) => {
  const halvings = Math.floor(step / stepsPerHalving);
  return series((step % stepsPerHalving) * unitsPerStep) / 2 ** halvings;
});

/**
 * e^−x for x ≥ 0, to within 10⁻⁹ of the true value, by additions and multiplications alone: `Math.exp` may differ in its
 * last bits between engines, and then a seeded run would not replay. A table, and three terms for what is between.
 */
export function decay(x: number): number {
  if (x <= 0) return 1;
  if (!(x < longest)) return 0;
  const step = (x * stepsPerUnit) | 0;
  const rest = x - step * unitsPerStep;
  return (steps[step] as number) * (1 - rest * (1 - rest * (1 / 2 - rest * (1 / 6))));
}

/** Taylor's series to the 18th power, exact to the last bits for 0 ≤ x < ln 2. */
function series(x: number): number {
  let sum = 1;
  for (let power = 18; power >= 1; power -= 1) sum = 1 - (x / power) * sum;
  return sum;
}
