/** What there is: names of types, and sizes that follow from them. */

/** Names and element sizes of the typed arrays that have a schema. */
export const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  Int8Array: 1,
  Uint8Array: 1,
  Uint8ClampedArray: 1,
  Int16Array: 2,
  Uint16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  Float32Array: 4,
  Float64Array: 8,
  BigInt64Array: 8,
  BigUint64Array: 8,
};

/** Up to this many choices an index is head bits; past it, a body of its own. Also the most cases of a union. */
export const MOST_CHOICES = 256;

/** Bits of an index into `count` choices, 0 where it is a body instead. */
export function indexBits(count: number): number {
  return count <= 1 || count > MOST_CHOICES ? 0 : 32 - Math.clz32(count - 1);
}
