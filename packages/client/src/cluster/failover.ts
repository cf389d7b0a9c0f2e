import type { CallOptions } from "@pipit/protocol";
import type { PipitClient } from "../create-client.ts";
import type { ReplyOf, RequestOf } from "./broadcast.ts";
import { senderOf, type UnaryMethod } from "./send-to.ts";

/** What every call does unless told: it is sent again, elsewhere first, wherever law 4 allows it. By name, for symmetry. */
export async function failover<Q, S, E>(
  client: PipitClient,
  method: UnaryMethod<Q, S, E>,
  request: RequestOf<Q, S>,
  options?: CallOptions,
): Promise<ReplyOf<Q, S>> {
  return (await senderOf(client, method, request, options).send({ retries: true, fallback: true })) as ReplyOf<Q, S>;
}
