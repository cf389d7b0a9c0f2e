import { CodecError, Reader, Writer } from "@pipit/codec";
import { RpcError } from "../rpc-error.ts";
import { readMetadata } from "./bytes.ts";
import type { ClientBinding } from "./client-bindings.ts";
import { maxErrorDataBytes, type ReadFailure } from "./failure-frame.ts";
import { decodeMessage, type MethodTypes } from "./message-type.ts";

/*
 * Errors that a method declares travel with data of their own type. Whatever is wrong with those, the error itself arrives.
 */

/** The data of a declared error, encoded; undefined where it is not declared, does not encode or is too long. */
export function encodeErrorData(error: RpcError, types: MethodTypes): Uint8Array | undefined {
  const type = error.error === undefined ? undefined : types.errors.get(error.error);
  if (type === undefined) return undefined;
  const writer = new Writer(256);
  try {
    type.codec.encodeTo(writer, error.data);
  } catch (thrown) {
    if (!(thrown instanceof CodecError)) throw thrown;
    return undefined;
  }
  return writer.pos <= maxErrorDataBytes ? writer.take() : undefined;
}

/** The error that a failure tells of, with its data where the method declares it and they can be read. @throws ProtocolFault */
export function errorOf(failure: ReadFailure, binding: ClientBinding, handled: RpcError["handled"]): RpcError {
  const { code, message, errorName, errorData, trailers, retryAfterMs } = failure;
  const metadata = trailers === undefined ? undefined : readMetadata(new Reader(trailers));
  const options = { metadata, handled, retryAfterMs };
  const decoder = errorName === undefined ? undefined : binding.errors.get(errorName);
  const type = errorName === undefined ? undefined : binding.types.errors.get(errorName);
  if (decoder === undefined || type === undefined || errorData === undefined)
    return new RpcError(code, message, options);
  try {
    const data = decodeMessage(decoder, type, new Reader(errorData), "internal", `Error "${errorName}"`);
    return new RpcError(code, message, { ...options, error: errorName, data });
  } catch (error) {
    return new RpcError(code, message, { ...options, cause: error });
  }
}
