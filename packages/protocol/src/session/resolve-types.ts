import { any, CodecError, codecFromSchema, type Decoder, readerOf, type Schema } from "@pipit/codec";
import type { Method } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import { type BindFrame, type ReplyDescriptions, schemaBytes, type TypeDescription } from "./binding-frames.ts";
import { sameBytes } from "./bytes.ts";
import { type MessageType, typesOf } from "./message-type.ts";

/*
 * The two ends of a method may declare it differently: another version of the contract. Each side reads what the other
 * writes, by names; what cannot be read is refused before a handler runs (wire protocol, section "Binding").
 */

/** How a server serves one binding. */
export interface ServerBindingTypes {
  readonly requestDecoder: Decoder<unknown>;
  /** What the client must be told, when its own types do not already say it. */
  readonly tell: ReplyDescriptions | undefined;
}

/** The peer named a schema by a fingerprint that is none of ours. */
export class UnknownFingerprint extends Error {}

/**
 * Checks both directions of a bound method at the server.
 *
 * @throws RpcError `failed_precondition` with the differences in words
 * @throws UnknownFingerprint when the client must send its schemas whole
 */
export function resolveAtServer(method: Method, frame: BindFrame): ServerBindingTypes {
  if (method.kind !== frame.kind) {
    throw mismatch(`the caller declares it as ${frame.kind}, this server as ${method.kind}`);
  }
  const own = typesOf(method);
  const requestDecoder = decoderOf(own.request, frame.request, "request");
  let differs = checkWritten(own.response, frame.response, "reply");
  for (const [name, type] of own.errors) {
    const theirs = frame.errors.get(name);
    if (theirs !== undefined && checkWritten(type, theirs, `error "${name}"`)) differs = true;
  }
  return { requestDecoder, tell: differs ? ownDescriptions(method) : undefined };
}

/**
 * What a client decodes replies with once the server has told its own types.
 *
 * @throws RpcError `failed_precondition` with the differences in words
 */
export function resolveAtClient(
  method: Method,
  theirs: ReplyDescriptions,
): { response: Decoder<unknown>; errors: Map<string, Decoder<unknown>> } {
  const own = typesOf(method);
  const errors = new Map<string, Decoder<unknown>>();
  for (const [name, type] of own.errors) {
    const description = theirs.errors.get(name);
    if (description !== undefined) errors.set(name, decoderOf(type, description, `error "${name}"`));
  }
  return { response: decoderOf(own.response, theirs.response, "reply"), errors };
}

/** All that this side writes in reply to a method. */
export function ownDescriptions(method: Method): ReplyDescriptions {
  const own = typesOf(method);
  return {
    response: ownDescription(own.response),
    errors: new Map([...own.errors].map(([name, type]) => [name, ownDescription(type)])),
  };
}

function ownDescription(type: MessageType): TypeDescription {
  const { schema } = type;
  return schema === undefined ? { form: "any" } : { form: "schema", bytes: schemaBytes(type, schema) };
}

function decoderOf(own: MessageType, theirs: TypeDescription, what: string): Decoder<unknown> {
  if (own.schema === undefined || theirs.form === "any") {
    if (own.schema === undefined && theirs.form === "any") return own.codec;
    throw mismatch(`${what}: one side declares a schema, the other any value`);
  }
  if (theirs.form === "fingerprint") {
    if (theirs.fingerprint === own.fingerprint) return own.codec;
    throw new UnknownFingerprint();
  }
  if (sameBytes(theirs.bytes, schemaBytes(own, own.schema))) return own.codec;
  try {
    return readerOf(own.codec, decodeSchema(theirs.bytes));
  } catch (error) {
    throw mismatch(`${what}: ${text(error)}`, error);
  }
}

/** Whether what we write differs from what the peer reads. @throws RpcError when the peer cannot read it */
function checkWritten(own: MessageType, theirs: TypeDescription, what: string): boolean {
  if (own.schema === undefined || theirs.form === "any") {
    if (own.schema === undefined && theirs.form === "any") return false;
    throw mismatch(`${what}: one side declares a schema, the other any value`);
  }
  if (theirs.form === "fingerprint") {
    if (theirs.fingerprint === own.fingerprint) return false;
    throw new UnknownFingerprint();
  }
  if (sameBytes(theirs.bytes, schemaBytes(own, own.schema))) return false;
  try {
    readerOf(codecFromSchema(decodeSchema(theirs.bytes)), own.schema);
  } catch (error) {
    throw mismatch(`${what}: ${text(error)}`, error);
  }
  return true;
}

function decodeSchema(bytes: Uint8Array): Schema {
  return any.decode(bytes) as Schema;
}

function mismatch(detail: string, cause?: unknown): RpcError {
  return new RpcError("failed_precondition", `The two sides declare the method differently: ${detail}`, {
    cause,
    handled: "no",
  });
}

function text(error: unknown): string {
  return error instanceof CodecError ? error.message : "the schema cannot be read";
}
