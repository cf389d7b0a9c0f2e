/** SHA-256 (FIPS 180-4), small and pure: `crypto.subtle` is asynchronous, and `node:crypto` is not everywhere. */

type Words = [number, number, number, number, number, number, number, number];

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** 32 bits after the point of a root. They need 35 of a float's 53 bits, so machines may differ in the last ones. */
const fraction = (root: number): number => ((root % 1) * 2 ** 32) | 0;

/** The digest of `bytes`: eight 32-bit words. */
export function sha256(bytes: Uint8Array): Int32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime > 0)) primes.push(n);
  const k = primes.map((prime) => fraction(Math.cbrt(prime)));
  let state = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const size = bytes.length;
  const padded = new Uint8Array((size + 72) & -64);
  padded.set(bytes);
  padded[size] = 128;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(size) * 8n);
  const w = new Int32Array(64);
  for (let at = 0; at < padded.length; at += 64) {
    const before = state;
    state = state.slice();
    for (let i = 0; i < 64; i++) {
      if (i < 16) w[i] = view.getInt32(at + 4 * i);
      else {
        const x = w[i - 15] as number;
        const y = w[i - 2] as number;
        const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
        const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
        w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
      }
      const [a, b, c, d, e, f, g, h] = state as unknown as Words;
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = h + s1 + ((e & f) ^ (~e & g)) + (k[i] as number) + (w[i] as number);
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      // Each word moves one place on.
      state.copyWithin(1, 0);
      state[0] = t1 + s0 + ((a & b) ^ (a & c) ^ (b & c));
      state[4] = d + t1;
    }
    state = state.map((word, i) => word + (before[i] as number));
  }
  return state;
}
