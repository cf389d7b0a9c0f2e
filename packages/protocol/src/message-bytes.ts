import { CodecError, Reader } from "@pipit/codec";
import type { Method } from "./contract.ts";
import { RpcError } from "./rpc-error.ts";
import { decodeMessage, type MessageType, typesOf } from "./session/message-type.ts";

/** Which message of a method is meant: its request, its reply, or the data of a declared error. */
export type MessagePart = "request" | "response" | { readonly error: string };

/**
 * A message of a method as bytes, as the wire has it: for keeping a request until it can be sent, and a reply until it is
 * asked for again.
 *
 * @throws RpcError `invalid_argument` naming the place
 */
export function encodeMessage(method: Method, part: MessagePart, value: unknown): Uint8Array {
  try {
    return typeOf(method, part).codec.encode(value);
  } catch (error) {
    if (error instanceof CodecError)
      throw new RpcError("invalid_argument", error.message, { cause: error, handled: "no" });
    throw error;
  }
}

/**
 * The value of bytes from {@link encodeMessage}.
 *
 * @throws RpcError `internal` when they are no message of this method
 */
export function decodeMessageBytes(method: Method, part: MessagePart, bytes: Uint8Array): unknown {
  // A kept message was valid when it was made: only its form is read again.
  const { codec } = typeOf(method, part);
  const type: MessageType = { codec, schema: undefined, fingerprint: undefined, longBytes: 0, validate: undefined };
  return decodeMessage(codec, type, new Reader(bytes), "internal", "Kept message");
}

function typeOf(method: Method, part: MessagePart): MessageType {
  const types = typesOf(method);
  const type = typeof part === "string" ? types[part] : types.errors.get(part.error);
  if (type === undefined)
    throw new TypeError(
      `${method.service}/${method.name} declares no error "${(part as { readonly error: string }).error}"`,
    );
  return type;
}
