import { Reader, type Writer } from "@pipit/codec";
import type { Metadata } from "../metadata.ts";
import type { OutgoingCall } from "../transport.ts";
import { decodeText, encodeText, metadataBytes, readMetadata } from "./bytes.ts";
import { endFields, fieldNumber, readFields, writeField, writeNumberField } from "./fields.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { isTraceparent } from "./traceparent.ts";
import { defaultRetriesLent, RequestField } from "./wire.ts";

/** Longest idempotency key and trace context. */
const maxTextBytes = 256;

/** What the fields of a request's head say, with what holds where they are absent. */
export class RequestHead {
  metadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  attempt = 1;
  retriesLent: number = defaultRetriesLent;
  criticality: 0 | 1 | 2 = 1;
  traceparent: string | undefined = undefined;
}

/** That of a request without fields, which most are: one for all. */
export const plainHead: RequestHead = Object.freeze(new RequestHead());

/** What a call says of itself in its head. */
export type DescribedCall = Pick<OutgoingCall, keyof RequestHead>;

/** Whether the head of a call's request has fields. */
export function hasRequestFields(call: DescribedCall): boolean {
  return (
    call.metadata !== undefined ||
    call.idempotencyKey !== undefined ||
    call.attempt !== 1 ||
    call.retriesLent !== defaultRetriesLent ||
    call.criticality !== 1 ||
    call.traceparent !== undefined
  );
}

/** Writes the fields of a request's head; what is absent or default takes no bytes. @throws RpcError when metadata do not fit */
export function writeRequestFields(writer: Writer, call: DescribedCall): void {
  const { metadata, idempotencyKey, attempt, retriesLent, criticality, traceparent } = call;
  if (idempotencyKey !== undefined) writeField(writer, RequestField.idempotencyKey, encodeText(idempotencyKey));
  if (attempt !== 1) writeNumberField(writer, RequestField.attempt, attempt);
  if (retriesLent !== defaultRetriesLent) writeNumberField(writer, RequestField.retriesLent, retriesLent);
  if (criticality !== 1) writeNumberField(writer, RequestField.criticality, criticality);
  if (traceparent !== undefined) writeField(writer, RequestField.traceparent, encodeText(traceparent));
  if (metadata !== undefined && metadata.size > 0) writeField(writer, RequestField.metadata, metadataBytes(metadata));
  endFields(writer);
}

/** What {@link writeRequestFields} wrote. @throws ProtocolFault */
export function readRequestFields(reader: Reader): RequestHead {
  const head = new RequestHead();
  readFields(reader, (id, value) => readRequestField(head, id, value));
  return head;
}

function readRequestField(head: RequestHead, id: number, value: Uint8Array): void {
  switch (id) {
    case RequestField.idempotencyKey:
      head.idempotencyKey = text(value, "Idempotency key");
      return;
    case RequestField.attempt:
      head.attempt = bounded(value, 1, 0xffff);
      return;
    case RequestField.retriesLent:
      head.retriesLent = bounded(value, 0, 0xff);
      return;
    case RequestField.criticality:
      head.criticality = bounded(value, 0, 2) as 0 | 1 | 2;
      return;
    case RequestField.traceparent: {
      const traceparent = text(value, "Trace context");
      if (isTraceparent(traceparent)) head.traceparent = traceparent;
      return;
    }
    case RequestField.metadata:
      head.metadata = readMetadata(new Reader(value));
      break;
    default:
    // A field of a later version.
  }
}

function text(value: Uint8Array, what: string): string {
  if (value.length > maxTextBytes) throw new ProtocolFault(`${what} of ${value.length} bytes`);
  return decodeText(value);
}

function bounded(value: Uint8Array, least: number, most: number): number {
  const number = fieldNumber(value);
  if (!(number >= least && number <= most))
    throw new ProtocolFault(`Field value ${number}: expected ${least} to ${most}`);
  return number;
}
