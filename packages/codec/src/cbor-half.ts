/** Half-precision numbers (IEEE 754 binary16), as CBOR's shortest floats and in typed arrays. */

/** The number with these 16 bits. */
export function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  let magnitude = exponent === 0 ? fraction * 2 ** -24 : (fraction + 0x400) * 2 ** (exponent - 25);
  if (exponent === 31) magnitude = fraction === 0 ? Infinity : NaN;
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** The 16 bits of a number, or -1 where they cannot hold it exactly. `single` has its bits as a float32. */
export function toHalf(value: number, single: number): number {
  if (value !== value) return 0x7e00;
  const magnitude = Math.abs(value);
  // Below the normal range a half counts units of 2^-24; within it is a single of another bias and shorter fraction.
  const bits = magnitude < 2 ** -14 ? magnitude * 2 ** 24 : Math.min(((single & 0x7fffffff) >> 13) - 0x1c000, 0x7c00);
  return fromHalf(bits) === magnitude ? bits | ((single >>> 16) & 0x8000) : -1;
}
