import { readUtf8 } from "./text-encodings.ts";

/** Pairs of slots; a key is kept in one of the two that its hash names. */
const PAIRS = 2048;
/** Words of a slot: a head of one byte and its text. */
const SLOT_WORDS = 6;

let slots: Int32Array | undefined;
const texts: string[] = [];
let victim = 0;

/**
 * The short text at `pos` as the very string of last time, if it was met before: property access by a new string is
 * several times as slow. `undefined` when there is no whole text of 3 to 23 bytes.
 */
export function findKey(bytes: Uint8Array, view: DataView, pos: number, end: number): string | undefined {
  const size = bytes[pos]! - 0x5f;
  // Written so that the NaN behind the last byte fails it.
  if (!(size >= 4 && size <= 4 * SLOT_WORDS && pos + size <= end)) return undefined;
  slots ??= new Int32Array(2 * PAIRS * SLOT_WORDS);
  // Four bytes at once, the last four overlapping those before. The first byte tells the size.
  const last = pos + size - 4;
  const words = (size + 3) >> 2;
  let hash = 0;
  for (let at = pos; at < last; at += 4) hash = Math.imul(hash ^ view.getInt32(at), 0x9e3779b1);
  hash = Math.imul(hash ^ view.getInt32(last), 0x9e3779b1);
  let slot = (hash >>> 21) << 1;
  for (let way = 0; way < 2; way++, slot ^= 1) {
    const from = slot * SLOT_WORDS;
    let same = 0;
    while (same < words && slots[from + same] === view.getInt32(Math.min(pos + 4 * same, last))) same++;
    if (same === words) return texts[slot];
  }
  // Refuses what is not UTF-8 before it changes a slot.
  const text = readUtf8(bytes, pos + 1, pos + size);
  victim ^= 1;
  slot ^= victim;
  for (let i = 0; i < words; i++) slots[slot * SLOT_WORDS + i] = view.getInt32(Math.min(pos + 4 * i, last));
  texts[slot] = text;
  return text;
}
