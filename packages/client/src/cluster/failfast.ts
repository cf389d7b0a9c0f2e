import type { CallOptions } from "@pipit/protocol";
import type { PipitClient } from "../create-client.ts";
import type { ReplyOf, RequestOf } from "./broadcast.ts";
import { senderOf, type UnaryMethod } from "./send-to.ts";

/** One sending that may have run, then the truth. A call refused before it ran still goes elsewhere: that is no retry. */
export async function failfast<Q, S, E>(
  client: PipitClient,
  method: UnaryMethod<Q, S, E>,
  request: RequestOf<Q, S>,
  options?: CallOptions,
): Promise<ReplyOf<Q, S>> {
  return (await senderOf(client, method, request, options).send({ retries: false })) as ReplyOf<Q, S>;
}
