import { CodecError, type CodecErrorCode, describe, isCodecError } from "./codec-error.ts";

const BRAND: symbol = /* @__PURE__ */ Symbol.for("@pipit/codec.Fault");

/**
 * A refusal on its way out: collects the path from the inside outwards, and becomes a {@link CodecError} at the top.
 * Not an `Error`, because taking a stack trace per level would make refusals of deep values slow.
 */
export class Fault {
  declare readonly code: CodecErrorCode;
  declare readonly detail: string;
  readonly path: string[] = [];
  declare cause: unknown;

  constructor(code: CodecErrorCode, detail: string) {
    this.code = code;
    this.detail = detail;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether another copy of this package may have thrown it, too. */
function isFault(error: unknown): error is Fault {
  return typeof error === "object" && error !== null && BRAND in error;
}

export function fail(code: CodecErrorCode, detail: string): never {
  // oxlint-disable-next-line typescript/only-throw-error -- becomes a CodecError at the top; see above
  throw new Fault(code, detail);
}

export function expected(what: string, value: unknown, code: CodecErrorCode = "type"): never {
  fail(value === undefined ? "missing" : code, `expected ${what}, got ${describe(value)}`);
}

/** A number where another was wanted is out of range; anything else is of the wrong type. */
export function expectedNumber(what: string, value: unknown): never {
  expected(what, value, typeof value === "number" || typeof value === "bigint" ? "range" : "type");
}

/** Refuses bytes that end too soon: where they do says as much as which part of the value is missing. */
export function truncated(): never {
  fail("truncated", "the bytes end inside the value");
}

/** The same error, one level further out. */
export function within(error: unknown, segment: string): unknown {
  const fault = isFault(error) ? error : toFault(error);
  fault.path.push(segment);
  return fault;
}

/** The public form of whatever coding threw. */
export function toCodecError(error: unknown, offset?: number): CodecError {
  const { code, detail, path, cause } = isFault(error) ? error : toFault(error);
  const where = `$${path.reverse().join("")}`;
  return new CodecError(code, detail, where, offset, cause === undefined ? undefined : { cause });
}

function toFault(error: unknown): Fault {
  if (isCodecError(error)) {
    const fault = new Fault(error.code, error.detail);
    fault.path.push(error.path.slice(1));
    return fault;
  }
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new Fault("depth", "nested deeper than the stack allows");
  }
  const fault = new Fault("getter", "the value threw while it was read");
  fault.cause = error;
  return fault;
}

/** Refuses head bits of an absent value: they must be zero. */
export function absent(head: number): void {
  if (head !== 0) fail("malformed", "bits of an absent value are not zero");
}
