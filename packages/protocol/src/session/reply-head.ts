import { Reader, type Writer } from "@pipit/codec";
import type { Metadata } from "../metadata.ts";
import { readMetadata } from "./bytes.ts";
import { endFields, fieldNumber, readFields, writeField, writeNumberField } from "./fields.ts";
import { ReplyField } from "./wire.ts";

/** What the fields of a reply's head say. */
export interface ReplyHead {
  readonly trailers: Metadata | undefined;
  /** Of the retries lent with the call, those that it has used. */
  readonly retriesUsed: number;
}

/** Writes the fields of a reply's head. */
export function writeReplyFields(writer: Writer, trailers: Uint8Array | undefined, retriesUsed: number): void {
  if (trailers !== undefined) writeField(writer, ReplyField.trailers, trailers);
  if (retriesUsed > 0) writeNumberField(writer, ReplyField.retriesUsed, retriesUsed);
  endFields(writer);
}

/** What {@link writeReplyFields} wrote. @throws ProtocolFault */
export function readReplyFields(reader: Reader): ReplyHead {
  let trailers: Metadata | undefined;
  let retriesUsed = 0;
  readFields(reader, (id, value) => {
    if (id === ReplyField.trailers) trailers = readMetadata(new Reader(value));
    if (id === ReplyField.retriesUsed) retriesUsed = fieldNumber(value);
  });
  return { trailers, retriesUsed };
}
