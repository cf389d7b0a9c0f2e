/** Fast, seedless 32-bit mixing (MurmurHash3's finaliser and FNV-1a). For tables and checksums, never for security. */

/** FNV-1a over the characters, then mixed. As a signed 32-bit integer. */
export function hashName(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** Murmur3's 32-bit finaliser. */
export function mix(h: number): number {
  let x = h | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Folds `value` into `h`. */
export function fold(h: number, value: number): number {
  return mix(Math.imul(h, 31) + value + 0x9e3779b9);
}
