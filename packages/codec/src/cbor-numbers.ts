/** Runs of numbers in an array, read with no call and no object for each. */
import { bytes, end, pos, seek, view } from "./cbor-input.ts";

/** Whether an item with this head may be one that {@link numbers} reads: -1 to -24 are seldom many. */
export function isNumber(head: number): boolean {
  return head <= 0x3b || head >= 0xfa;
}

/** Whether a double comes next, or an integer that takes one to hold it. */
export function isWide(): boolean {
  const head = bytes[pos];
  if (head === 0x1b || head === 0x3b) return pos + 2 < end && bytes[pos + 1] === 0 && bytes[pos + 2]! < 0x20;
  return head === 0xfb;
}

/** Reads numbers up to another item or `to`, with no call and no object for each. Gives the index that is next. */
export function numbers(items: unknown[], from: number, to: number): number {
  const most = end - 9;
  let at = pos;
  let i = from;
  for (; i < to && at <= most; i++) {
    const head = bytes[at]!;
    if (head === 0xfb) {
      items[i] = view.getFloat64(at + 1);
      at += 9;
    } else if (head < 24) {
      items[i] = head;
      at++;
    } else if (head === 0x19 || head === 0x39) {
      const argument = view.getUint16(at + 1);
      items[i] = head === 0x19 ? argument : ~argument;
      at += 3;
    } else if (head === 0x18 || head === 0x38) {
      const argument = bytes[at + 1]!;
      items[i] = head === 0x18 ? argument : ~argument;
      at += 2;
    } else if (head === 0x1b || head === 0x3b) {
      const high = view.getUint32(at + 1);
      if (high === 0x1fffff) break;
      if (high > 0x1fffff) {
        const argument = view.getBigUint64(at + 1);
        items[i] = head === 0x1b ? argument : ~argument;
      } else {
        const argument = high * 0x100000000 + view.getUint32(at + 5);
        items[i] = head === 0x1b ? argument : -1 - argument;
      }
      at += 9;
    } else if (head === 0x1a) {
      items[i] = view.getUint32(at + 1);
      at += 5;
    } else if (head === 0x3a) {
      items[i] = -1 - view.getUint32(at + 1);
      at += 5;
    } else break;
  }
  seek(at);
  return i;
}
