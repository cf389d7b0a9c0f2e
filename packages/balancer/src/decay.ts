/** Steps in which the exponent is halved once. */
const stepsPerHalving = 64;

/** e^−x is taken as 0 from here on: it is below 10⁻¹⁷. */
const longest = 40;

const stepsPerUnit: number = stepsPerHalving * Math.LOG2E;
const unitsPerStep: number = Math.LN2 / stepsPerHalving;

/** e^−(step × ln 2 ÷ 64) for every step up to `longest`; 0 until a step is first asked for, so that no start pays for all. */
const steps: Float64Array = new Float64Array(Math.ceil(longest * stepsPerUnit) + 1);

const scratch: Float64Array = new Float64Array(1);

/**
 * e^−x for x ≥ 0, to within 10⁻⁹ of the true value, by additions and multiplications alone: `Math.exp` may differ in its
 * last bits between engines, and then a seeded run would not replay. A table, and three terms for what is between.
 */
export function decay(x: number): number {
  scratch[0] = x;
  decayAt(scratch, 0);
  return scratch[0];
}

/** Replaces the x at an index by e^−x. For picks: numbers that cross a call may be boxed, and these do not. */
export function decayAt(values: Float64Array, index: number): void {
  const x = values[index] as number;
  if (x <= 0) {
    values[index] = 1;
  } else if (x < longest) {
    const step = (x * stepsPerUnit) | 0;
    if (steps[step] === 0) fill(step);
    const rest = x - step * unitsPerStep;
    values[index] = (steps[step] as number) * (1 - rest * (1 - rest * (1 / 2 - rest * (1 / 6))));
  } else {
    values[index] = 0;
  }
}

/** Computes a step. Returns nothing, since a number that is returned may be boxed. */
function fill(step: number): void {
  const halvings = Math.floor(step / stepsPerHalving);
  steps[step] = series((step % stepsPerHalving) * unitsPerStep) / 2 ** halvings;
}

/** Taylor's series to the 18th power, exact to the last bits for 0 ≤ x < ln 2. */
function series(x: number): number {
  let sum = 1;
  for (let power = 18; power >= 1; power -= 1) sum = 1 - (x / power) * sum;
  return sum;
}
