/** What the contents of tags become (RFC 8949 section 3.4, RFC 8746). */
import { fromHalf } from "./cbor-half.ts";
import { elementBytes, orderBytes, TYPED_ARRAYS } from "./cbor-tags.ts";

/** A date and time with zone, of RFC 3339. */
const DATE = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** Float16Array, big endian, among the typed arrays. */
const HALF_ARRAY = 16;

/** The date of a text; nothing where it is none. */
export function parseDate(text: string): Date | undefined {
  const upper = text.toUpperCase();
  const day = DATE.exec(upper)?.[1];
  // `Date` rolls the 30th of February over to March.
  return day && new Date(day).toJSON()?.startsWith(day) ? new Date(upper) : undefined;
}

/** The date so many seconds after 1970; nothing where `Date` cannot hold it. */
export function dateOf(seconds: unknown): Date | undefined {
  if (typeof seconds !== "number") return undefined;
  // Whole and broken seconds apart: their sum in milliseconds would be rounded twice.
  const whole = Math.trunc(seconds);
  const date = new Date(whole * 1000 + Math.round((seconds - whole) * 1000));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The integer of these digits to the base 256: a number where that is safe. */
export function toInteger(digits: Uint8Array, negative: boolean): number | bigint {
  let hex = "0x0";
  for (const byte of digits) hex += (byte + 0x100).toString(16).slice(1);
  const value = negative ? -1n - BigInt(hex) : BigInt(hex);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Whether a tag, less the first of them, is that of a typed array. */
export function isTypedArray(kind: number): boolean {
  return TYPED_ARRAYS[kind] !== undefined || (kind & ~4) === HALF_ARRAY;
}

/** A typed array over `elements`, or over a copy of them; nothing where they are not whole. */
export function toTypedArray(elements: Uint8Array, kind: number, copy: boolean): unknown {
  if (elements.length % elementBytes(kind) !== 0) return undefined;
  if (kind === 0) return elements;
  const own = copy ? new Uint8Array(elements) : elements;
  orderBytes(own, kind);
  const type = TYPED_ARRAYS[kind];
  return type ? new type(own.buffer) : Float32Array.from(new Uint16Array(own.buffer), fromHalf);
}
