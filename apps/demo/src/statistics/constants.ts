/*
 * How ranges and standard deviations of small normal samples relate to the standard deviation of what they are drawn from:
 * the one table that every control chart rests on. D. C. Montgomery, Introduction to Statistical Quality Control, appendix VI;
 * more digits after H. L. Harter, Tables of Range and Studentized Range, Annals of Mathematical Statistics 31 (1960).
 */

/** Mean of the range of n standard normal values, for n from 2 to 10. */
const d2Table = [1.128379, 1.692569, 2.058751, 2.325929, 2.534413, 2.704357, 2.847201, 2.970026, 3.077505];

/** Standard deviation of that range. */
const d3Table = [0.852502, 0.888368, 0.879808, 0.864082, 0.84804, 0.833205, 0.819831, 0.807834, 0.797051];

/** Largest subgroup for a range chart. Beyond 10 the range wastes what the values say: use standard deviations. */
export const maxRangeSubgroup = 10;

/** Mean range of `n` values in standard deviations. @throws RangeError unless n is 2 to 10 */
export function d2(n: number): number {
  return lookUp(d2Table, n);
}

/** Standard deviation of the range of `n` values, in standard deviations. @throws RangeError unless n is 2 to 10 */
export function d3(n: number): number {
  return lookUp(d3Table, n);
}

/**
 * Mean sample standard deviation of `n` values, in standard deviations: √(2/(n−1)) · Γ(n/2) / Γ((n−1)/2), here as the product
 * it comes to, since Γ(x+1) = xΓ(x), Γ(1/2) = √π and Γ(1) = 1. (NIST/SEMATECH e-Handbook, 6.3.2.)
 *
 * @throws RangeError unless n is a whole number from 2
 */
export function c4(n: number): number {
  if (!Number.isInteger(n) || n < 2) throw new RangeError(`Subgroup size: expected a whole number from 2, got ${n}`);
  // Γ(n/2) / Γ((n−1)/2) for n = 2 is 1/√π and for n = 3 is √π/2; each step of 2 in n multiplies by (n/2)/((n−1)/2).
  let ratio = n % 2 === 0 ? 1 / Math.sqrt(Math.PI) : Math.sqrt(Math.PI) / 2;
  for (let k = n % 2 === 0 ? 2 : 3; k < n; k += 2) ratio *= k / (k - 1);
  return Math.sqrt(2 / (n - 1)) * ratio;
}

function lookUp(table: readonly number[], n: number): number {
  const value = table[n - 2];
  if (value === undefined) {
    throw new RangeError(`Subgroup size of a range chart: expected 2 to ${maxRangeSubgroup}, got ${n}`);
  }
  return value;
}
