/**
 * Why a codec refused: the closed set of {@link CodecError.code}.
 *
 * - `type`: a value of another type than the schema wants (encode)
 * - `range`: a number, length or date outside what its type holds (both)
 * - `missing`: a required field is absent (encode)
 * - `variant`: no such enum value or union tag (both)
 * - `text`: a lone surrogate, which UTF-8 cannot carry (encode), or bytes that are not UTF-8 (decode)
 * - `cycle`: the value contains itself (encode)
 * - `depth`: nested deeper than the limit (both)
 * - `truncated`: the bytes end inside the value (decode)
 * - `trailing`: bytes are left over after the value (decode)
 * - `malformed`: bytes that no encoder writes: unused bits set, over-long integers, duplicate keys, reserved values (decode)
 * - `limit`: a value that would cost more memory than its bytes justify, or a limit set by an option (both)
 * - `schema`: not a valid schema, or one past the limits for schemas
 * - `incompatible`: a writer's schema that this reader cannot resolve
 * - `invalid`: decoded well, but refused by the validator of `checked`
 * - `getter`: code of the value itself (a getter, a proxy, an iterator) threw while it was encoded; see `cause`
 */
export type CodecErrorCode =
  | "type"
  | "range"
  | "missing"
  | "variant"
  | "text"
  | "cycle"
  | "depth"
  | "truncated"
  | "trailing"
  | "malformed"
  | "limit"
  | "schema"
  | "incompatible"
  | "invalid"
  | "getter";

const BRAND: symbol = Symbol.for("@pipit/codec.CodecError");

/**
 * The one error of this package for values, bytes and schemas. Its message is `path: detail`, such as
 * `$.orders[3].price: expected f64, got string "x"`. After it nothing is half done: a writer is back at its position.
 *
 * `instanceof` also holds for errors of another copy of this package.
 */
export class CodecError extends Error {
  /** What kind of refusal, for programs. */
  declare readonly code: CodecErrorCode;
  /** Where in the value: `$` is the root, then `.field`, `["odd field"]`, `[index]`. */
  declare readonly path: string;
  /** Where in the bytes decoding met the fault, counted from the start of the message; absent when encoding. */
  declare readonly offset: number | undefined;
  /** The message without the path. */
  declare readonly detail: string;

  constructor(code: CodecErrorCode, detail: string, path = "$", offset?: number, options?: { cause?: unknown }) {
    super(`${path}: ${detail}`, options);
    Object.assign(this, { code, path, offset, detail });
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isCodecError(value);
  }
}
Object.defineProperty(CodecError.prototype, "name", { value: "CodecError", configurable: true, writable: true });

/** Whether `value` is a {@link CodecError} of this or another copy of the package. */
export function isCodecError(value: unknown): value is CodecError {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** `.name`, or `["name"]` where the name is not an identifier. Cut at 64 characters. */
export function fieldSegment(name: string): string {
  return /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? `.${name}` : `[${quote(name, 64)}]`;
}

/** What an object says that it is: `Object`, `Map`, `Date`, … Also right for objects of another realm. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A value in an error message: its type, and itself when that is short. */
export function describe(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `string ${quote(value, 40)}`;
  if (typeof value === "bigint" && BigInt.asIntN(128, value) !== value) return "a bigint past 128 bits";
  if (typeof value === "number" || typeof value === "bigint")
    return `${typeof value} ${Object.is(value, -0) ? "-0" : value}`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  const name = tagOf(value);
  return typeof value === "object" && name !== "Object" ? name : typeof value;
}

function quote(text: string, most: number): string {
  return JSON.stringify(text.length > most ? `${text.slice(0, most)}…` : text);
}
