import type { Infer } from "@pipit/codec";
import type { CallRecord } from "./call-record.ts";
import { Code, isCode } from "./code.ts";
import type { Metadata } from "./metadata.ts";

/** Whether the handler ran: `"no"` for certain, `"yes"` for certain, or `"maybe"`. */
export type Handled = "no" | "maybe" | "yes";

/** What an {@link RpcError} can carry beside its code and message. */
export interface RpcErrorOptions {
  readonly cause?: unknown;
  /** Name of the declared error, when it is one. */
  readonly error?: string | undefined;
  /** Data of the declared error. */
  readonly data?: unknown;
  readonly metadata?: Metadata | undefined;
  readonly target?: string | undefined;
  readonly service?: string | undefined;
  readonly method?: string | undefined;
  readonly attempt?: number | undefined;
  readonly elapsedMs?: number | undefined;
  readonly handled?: Handled | undefined;
  readonly record?: CallRecord | undefined;
  /** The peer asks to be left alone this long before another try. */
  readonly retryAfterMs?: number | undefined;
}

const brand: symbol = Symbol.for("@pipit/protocol.RpcError");

/**
 * The one error of a call. At the caller it says which target, service, method, attempt and how long; a handler throws
 * it to answer with a code. `instanceof` and {@link isRpcError} also hold for errors of another copy of this package.
 *
 * @example
 * ```ts
 * throw new RpcError("not_found", `No order ${id}`);
 * ```
 */
export class RpcError<Name extends string | undefined = string | undefined, Data = unknown> extends Error {
  readonly code: Code;
  /** Name of the declared error that was thrown, or undefined. */
  readonly error: Name;
  /** Data of the declared error; decoded with the contract's codec. */
  readonly data: Data;
  /** Trailers that came with the error. */
  readonly metadata: Metadata | undefined;
  /** Where the last attempt went, `host:port`, or what the client was to reach. */
  readonly target: string | undefined;
  readonly service: string | undefined;
  readonly method: string | undefined;
  /** Number of the last attempt, from 1; 0 when none was made. */
  readonly attempt: number | undefined;
  /** From the call to its end, in milliseconds. */
  readonly elapsedMs: number | undefined;
  /** Whether the handler ran. Law 4: nothing is sent twice unless this is "no" or the method allows it. */
  readonly handled: Handled | undefined;
  /** What happened on the way: endpoints tried, why, waits. */
  readonly record: CallRecord | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, options: RpcErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    if (!isCode(code)) throw new TypeError(`RpcError code: expected one of Code, got ${String(code)}`);
    this.code = code;
    this.error = options.error as Name;
    this.data = options.data as Data;
    this.metadata = options.metadata;
    this.target = options.target;
    this.service = options.service;
    this.method = options.method;
    this.attempt = options.attempt;
    this.elapsedMs = options.elapsedMs;
    this.handled = options.handled;
    this.record = options.record;
    this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The one door for what was thrown by code we do not know: an `RpcError` passes, anything else becomes `code`. */
  static from(thrown: unknown, code: Code = Code.internal): RpcError {
    if (isRpcError(thrown)) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new RpcError(code, message, { cause: thrown });
  }

  /** The same error with more said about it; what `options` leaves out stays. */
  static with(error: RpcError, message: string, options: RpcErrorOptions): RpcError {
    return new RpcError(error.code, message, { ...options, ...kept(error, options) });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isRpcError(value);
  }
}
Object.defineProperty(RpcError.prototype, "name", { value: "RpcError", configurable: true, writable: true });

function kept(error: RpcError, options: RpcErrorOptions): RpcErrorOptions {
  return {
    error: error.error ?? options.error,
    data: error.data ?? options.data,
    metadata: error.metadata ?? options.metadata,
    handled: error.handled ?? options.handled,
    retryAfterMs: error.retryAfterMs ?? options.retryAfterMs,
    ...("cause" in error ? { cause: error.cause } : {}),
  };
}

/** A union over the declared errors `E` of a method: narrow on `error` to get the type of `data`. */
export type DeclaredError<E> = { [N in keyof E & string]: RpcError<N, Infer<E[N]>> }[keyof E & string];

/** Whether `value` is an {@link RpcError}, of this or another copy of the package. */
export function isRpcError(value: unknown): value is RpcError;
/** Whether `value` is an error that `method` declares: then `error` is its name and `data` is typed. */
export function isRpcError<E>(value: unknown, method: { readonly errors: E }): value is DeclaredError<E>;
export function isRpcError(value: unknown, method?: { readonly errors?: object }): boolean {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  if (method === undefined) return true;
  const { error } = value as RpcError;
  return error !== undefined && Object.hasOwn(method.errors ?? {}, error);
}
