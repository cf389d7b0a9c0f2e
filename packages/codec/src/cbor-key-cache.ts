import { utf8Slice } from "./cbor-text.ts";

/** Keys that are found again by their bytes; each is kept in the one slot that its hash names. */
const SLOTS = 4096;
/** Bytes of a slot: a head of one byte and its text. */
const SLOT_BYTES = 24;

let slots: Uint8Array | undefined;
const texts: string[] = [];

/**
 * The short text at `pos` as the very string of last time, if it was met before: property access by a new string is
 * several times as slow. `undefined` when there is no whole text of 1 to 23 bytes.
 */
export function findKey(bytes: Uint8Array, pos: number, end: number): string | undefined {
  const size = bytes[pos]! - 0x5f;
  if (size < 2 || size > SLOT_BYTES || pos + size > end) return undefined;
  let hash = 0;
  for (let i = pos; i < pos + size; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  const slot = (hash ^ (hash >> 12)) & (SLOTS - 1);
  const from = slot * SLOT_BYTES;
  slots ??= new Uint8Array(SLOTS * SLOT_BYTES);
  let same = 0;
  while (same < size && slots[from + same] === bytes[pos + same]) same++;
  if (same < size) {
    // Refuses what is not UTF-8 before it changes the slot.
    const text = utf8Slice(bytes, pos + 1, pos + size);
    for (let i = 0; i < size; i++) slots[from + i] = bytes[pos + i]!;
    texts[slot] = text;
  }
  return texts[slot];
}
