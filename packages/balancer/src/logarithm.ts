/**
 * −ln u for the number u = (draw + ½) ÷ 2³² between 0 and 1, to within 10⁻⁹, by the four operations alone: `Math.log` may
 * differ in its last bits between engines, and then two clients could disagree about a key.
 */
export function negativeLog(draw: number): number {
  const value = draw + 0.5;
  // value = m · 2^exponent with m in [0.5, 1): a draw below 2³² has its topmost bit at 31 − clz32.
  const exponent = draw === 0 ? 0 : 32 - Math.clz32(draw);
  const mantissa = value / 2 ** exponent;
  // ln m = 2 · artanh((m − 1) ÷ (m + 1)), a series that converges fast here.
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let odd = 19; odd >= 1; odd -= 2) sum = sum * square + 1 / odd;
  return (32 - exponent) * Math.LN2 - 2 * ratio * sum;
}
