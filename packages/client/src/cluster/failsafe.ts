import { type CallOptions, isRpcError, type RpcError } from "@pipit/protocol";
import type { PipitClient } from "../create-client.ts";
import type { ReplyOf, RequestOf } from "./broadcast.ts";
import { senderOf, type UnaryMethod } from "./send-to.ts";

/** Options of {@link failsafe}. */
export interface FailsafeOptions extends CallOptions {
  /** Is told of the error that the caller does not get. */
  readonly onError?: ((error: RpcError) => void) | undefined;
}

/** For what is nice to have, such as audit lines: a failed call gives undefined. A cancelled one still rejects. */
export async function failsafe<Q, S, E>(
  client: PipitClient,
  method: UnaryMethod<Q, S, E>,
  request: RequestOf<Q, S>,
  options: FailsafeOptions = {},
): Promise<ReplyOf<Q, S> | undefined> {
  const { onError, ...callOptions } = options;
  try {
    return (await senderOf(client, method, request, callOptions).send({ retries: true, fallback: true })) as ReplyOf<
      Q,
      S
    >;
  } catch (error) {
    if (!isRpcError(error) || error.code === "cancelled") throw error;
    onError?.(error);
    return undefined;
  }
}
