import type { Reader, Writer } from "@pipit/codec";
import { codeFromNumber, codeToNumber } from "../code.ts";
import type { Handled, RpcError } from "../rpc-error.ts";
import { cutText, decodeText, encodeText, readByte, writeByte, writeVarint } from "./bytes.ts";
import { endFields, fieldNumber, readFields, writeField, writeNumberField } from "./fields.ts";
import { ReplyField } from "./wire.ts";

/** Longest error message on the wire; longer ones are cut. */
const maxMessageBytes = 4096;

/** Longest data of a declared error. */
export const maxErrorDataBytes: number = 64 * 1024;

const handledOrder: readonly Handled[] = ["no", "maybe", "yes"];

/** The payload of an error or refused frame. */
export interface FailureFrame {
  readonly error: RpcError;
  /** Encoded data of the declared error. */
  readonly data: Uint8Array | undefined;
  readonly trailers: Uint8Array | undefined;
  readonly retriesUsed: number;
}

/** Writes code and fields; what is absent or default takes no bytes. */
export function writeFailure(writer: Writer, failure: FailureFrame): void {
  const { error, data, trailers, retriesUsed } = failure;
  writeByte(writer, codeToNumber(error.code));
  if (error.message !== "") writeField(writer, ReplyField.message, cutText(error.message, maxMessageBytes));
  if (error.error !== undefined) writeField(writer, ReplyField.errorName, encodeText(error.error));
  if (data !== undefined) writeField(writer, ReplyField.errorData, data);
  if (trailers !== undefined) writeField(writer, ReplyField.trailers, trailers);
  if (retriesUsed > 0) writeNumberField(writer, ReplyField.retriesUsed, retriesUsed);
  if (error.handled !== undefined && error.handled !== "yes") {
    writeNumberField(writer, ReplyField.handled, handledOrder.indexOf(error.handled));
  }
  if (error.retryAfterMs !== undefined) {
    writeNumberField(writer, ReplyField.retryAfterMs, wholeMs(error.retryAfterMs));
  }
  endFields(writer);
}

/** Time to wait as it travels: "never again" is the longest that can be said. */
function wholeMs(ms: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(ms)));
}

/** What {@link writeFailure} wrote. */
export interface ReadFailure {
  readonly code: ReturnType<typeof codeFromNumber>;
  readonly message: string;
  readonly errorName: string | undefined;
  readonly errorData: Uint8Array | undefined;
  readonly trailers: Uint8Array | undefined;
  readonly retriesUsed: number;
  readonly handled: Handled;
  readonly retryAfterMs: number | undefined;
}

/** @throws ProtocolFault */
export function readFailure(reader: Reader): ReadFailure {
  const code = codeFromNumber(readByte(reader));
  const fields = new Map<number, Uint8Array>();
  readFields(reader, (id, value) => fields.set(id, value), maxErrorDataBytes);
  const text = (id: number): string | undefined => {
    const value = fields.get(id);
    return value === undefined ? undefined : decodeText(value);
  };
  const number = (id: number): number | undefined => {
    const value = fields.get(id);
    return value === undefined ? undefined : fieldNumber(value);
  };
  return {
    code,
    message: text(ReplyField.message) ?? "",
    errorName: text(ReplyField.errorName),
    errorData: fields.get(ReplyField.errorData),
    trailers: fields.get(ReplyField.trailers),
    retriesUsed: number(ReplyField.retriesUsed) ?? 0,
    handled: handledOrder[number(ReplyField.handled) ?? 2] ?? "maybe",
    retryAfterMs: number(ReplyField.retryAfterMs),
  };
}

/** The payload of a go-away frame: calls accepted so far, and why. */
export function writeGoAway(writer: Writer, acceptedCount: number, error: RpcError): void {
  writeVarint(writer, acceptedCount);
  writeFailure(writer, { error, data: undefined, trailers: undefined, retriesUsed: 0 });
}
