/**
 * A standard normal value that depends on its arguments alone: a gauge that is started again measures what it would have
 * measured. Twelve uniform values summed (Irwin and Hall): near enough to normal, and the same on every machine.
 */
export function normalAt(seed: number, stream: string, index: number): number {
  let state = (seed ^ hash(stream) ^ Math.imul(index, 0x9e3779b1)) >>> 0;
  let sum = 0;
  for (let i = 0; i < 12; i++) {
    // splitmix32: a counter through a mixer, so that any place can be had without the ones before it.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    sum += ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  }
  return sum - 6;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
