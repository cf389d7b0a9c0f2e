/** SHA-256 (FIPS 180-4), small and pure: `crypto.subtle` is asynchronous, and `node:crypto` is not everywhere. */

let constants: Int32Array | undefined;

/** The first 32 bits of the fractional parts of the roots of the first primes: square roots, then cube roots. */
function roots(): Int32Array {
  const table = new Int32Array(72);
  for (let n = 2, count = 0; count < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (count < 8) table[64 + count] = fraction(BigInt(n), 2n);
    table[count++] = fraction(BigInt(n), 3n);
  }
  return table;
}

/** 32 bits after the point of the `k`-th root of `n`, by whole numbers: floats differ between machines. */
function fraction(n: bigint, k: bigint): number {
  const target = n << (32n * k);
  let root = 0n;
  for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) if ((root | bit) ** k <= target) root |= bit;
  return Number(BigInt.asIntN(32, root));
}

/** The digest of `bytes`: eight 32-bit words. */
export function sha256(bytes: Uint8Array): Int32Array {
  constants ??= roots();
  const k = constants;
  const size = bytes.length;
  const padded = new Uint8Array((((size + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[size] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(size / 0x20000000));
  view.setUint32(padded.length - 4, (size << 3) >>> 0);
  const state = k.slice(64);
  const w = new Int32Array(64);
  const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) w[i] = view.getInt32(at + 4 * i);
      else {
        const x = w[i - 15] as number;
        const y = w[i - 2] as number;
        const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
        const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
        w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
      }
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (k[i] as number) + (w[i] as number)) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] = (state[i] as number) + word;
    });
  }
  return state;
}
