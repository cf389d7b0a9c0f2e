import { any, type Reader, type Schema, type Writer } from "@pipit/codec";
import type { MethodKind } from "../contract.ts";
import {
  copyOf,
  readBlock,
  readByte,
  readText,
  readVarint,
  writeBlock,
  writeByte,
  writeText,
  writeVarint,
} from "./bytes.ts";
import type { MessageType } from "./message-type.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { TypeForm } from "./wire.ts";

/*
 * How a method's first use on a connection describes its messages (wire protocol, section "Binding").
 */

/** Longest schema of one message, encoded (design: schemas from strangers). */
const maxSchemaBytes = 64 * 1024;

/** Declared errors of one method. */
const maxErrors = 256;

const kinds: readonly MethodKind[] = ["unary", "server_stream", "client_stream", "bidi", "oneway"];

/** How one message is described. `schema` is the encoded form: equal bytes are the same schema. */
export type TypeDescription =
  | { readonly form: "any" }
  | { readonly form: "fingerprint"; readonly fingerprint: string }
  | { readonly form: "schema"; readonly bytes: Uint8Array };

/** Descriptions of everything that the peer will read or write beside requests. */
export interface ReplyDescriptions {
  readonly response: TypeDescription;
  readonly errors: ReadonlyMap<string, TypeDescription>;
}

/** The payload of a bind frame. */
export interface BindFrame extends ReplyDescriptions {
  readonly number: number;
  readonly service: string;
  readonly method: string;
  readonly kind: MethodKind;
  readonly request: TypeDescription;
}

const encodedSchemas = new WeakMap<MessageType, Uint8Array>();

/** A type as this side declares it, by its schema or, where the peer is known to have the same one, by its fingerprint. */
export function describeType(type: MessageType, known: boolean): TypeDescription {
  const { schema } = type;
  if (schema === undefined) return { form: "any" };
  if (known) return { form: "fingerprint", fingerprint: type.fingerprint as string };
  return { form: "schema", bytes: schemaBytes(type, schema) };
}

/** The schema of a type as it travels: CBOR, made once. */
export function schemaBytes(type: MessageType, schema: Schema): Uint8Array {
  const known = encodedSchemas.get(type);
  if (known !== undefined) return known;
  const bytes = any.encode(schema, { copy: true });
  encodedSchemas.set(type, bytes);
  return bytes;
}

export function writeBind(writer: Writer, frame: BindFrame): void {
  writeVarint(writer, frame.number);
  writeText(writer, frame.service);
  writeText(writer, frame.method);
  writeByte(writer, kinds.indexOf(frame.kind));
  writeType(writer, frame.request);
  writeReplyDescriptions(writer, frame);
}

/** @throws ProtocolFault */
export function readBind(reader: Reader): BindFrame {
  const number = readVarint(reader);
  const service = readText(reader, 1024);
  const method = readText(reader, 1024);
  const kind = kinds[readByte(reader)];
  if (kind === undefined) throw new ProtocolFault(`Method ${service}/${method} of an unknown kind`);
  return { number, service, method, kind, request: readType(reader), ...readReplyDescriptions(reader) };
}

export function writeReplyDescriptions(writer: Writer, { response, errors }: ReplyDescriptions): void {
  writeType(writer, response);
  writeVarint(writer, errors.size);
  for (const [name, type] of errors) {
    writeText(writer, name);
    writeType(writer, type);
  }
}

/** @throws ProtocolFault */
export function readReplyDescriptions(reader: Reader): ReplyDescriptions {
  const response = readType(reader);
  const count = readVarint(reader);
  if (count > maxErrors) throw new ProtocolFault(`${count} declared errors: at most ${maxErrors} are accepted`);
  const errors = new Map<string, TypeDescription>();
  for (let i = 0; i < count; i++) errors.set(readText(reader, 1024), readType(reader));
  return { response, errors };
}

function writeType(writer: Writer, description: TypeDescription): void {
  switch (description.form) {
    case "any":
      return writeByte(writer, TypeForm.any);
    case "fingerprint":
      writeByte(writer, TypeForm.fingerprint);
      return writeBlock(writer, hexBytes(description.fingerprint));
    case "schema":
      writeByte(writer, TypeForm.schema);
      return writeBlock(writer, description.bytes);
    default:
      description satisfies never;
  }
}

function readType(reader: Reader): TypeDescription {
  const form = readByte(reader);
  switch (form) {
    case TypeForm.any:
      return { form: "any" };
    case TypeForm.fingerprint:
      return { form: "fingerprint", fingerprint: bytesHex(readBlock(reader, 8)) };
    case TypeForm.schema:
      return { form: "schema", bytes: copyOf(readBlock(reader, maxSchemaBytes)) };
    default:
      throw new ProtocolFault(`Message type of unknown form ${form}`);
  }
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

function bytesHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
