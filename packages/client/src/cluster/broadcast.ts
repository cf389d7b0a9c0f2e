import { type CallOptions, type CallOf, isRpcError, RpcError } from "@pipit/protocol";
import type { PipitClient } from "../create-client.ts";
import { type EndpointResult, senderOf, type UnaryMethod } from "./send-to.ts";

/** Options of {@link broadcast}. */
export interface BroadcastOptions extends CallOptions {
  /** Endpoints that must answer, or the broadcast rejects: a number, more than half, or all. Default 0. */
  readonly quorum?: number | "majority" | "all" | undefined;
}

/** What {@link broadcast} gathered. */
export interface BroadcastResult<T> {
  /** One per endpoint, in no particular order. */
  readonly results: readonly EndpointResult<T>[];
  /** The answers alone. */
  readonly values: readonly T[];
}

/** The reply of a method, as its caller sees it. */
export type ReplyOf<Q, S> = Awaited<ReturnType<CallOf<Q, S>["unary"]>>;
/** The request of a method, as its caller gives it. */
export type RequestOf<Q, S> = Parameters<CallOf<Q, S>["unary"]>[0];

/**
 * Calls every endpoint of a service and gathers what each answers: for invalidating caches, collecting statistics. It sends
 * to each once, whatever the method's idempotency; where law 4 allows it, an endpoint is tried again.
 *
 * @throws RpcError `unavailable` when fewer endpoints than the quorum answered
 * @example
 * ```ts
 * const { values } = await broadcast(client, Cache.methods.size, {}, { quorum: "majority" });
 * ```
 */
export async function broadcast<Q, S, E>(
  client: PipitClient,
  method: UnaryMethod<Q, S, E>,
  request: RequestOf<Q, S>,
  options: BroadcastOptions = {},
): Promise<BroadcastResult<ReplyOf<Q, S>>> {
  const { quorum = 0, ...callOptions } = options;
  const sender = senderOf(client, method, request, callOptions);
  const endpoints = await sender.endpoints();
  const results = await Promise.all(
    endpoints.map(async ({ id, address }): Promise<EndpointResult<ReplyOf<Q, S>>> => {
      try {
        const value = (await sender.send({ only: id, retries: true })) as ReplyOf<Q, S>;
        return { endpoint: address, ok: true, value };
      } catch (error) {
        if (!isRpcError(error)) throw error;
        return { endpoint: address, ok: false, error };
      }
    }),
  );
  const values = results.flatMap((result) => (result.ok ? [result.value] : []));
  const wanted = quorumOf(quorum, endpoints.length);
  if (values.length >= wanted) return { results, values };
  const [first] = results.flatMap((result) => (result.ok ? [] : [result.error]));
  const text = `${values.length} of ${endpoints.length} endpoints of ${method.service} answered ${method.name}, ${wanted} were wanted`;
  throw new RpcError("unavailable", text, { cause: first, service: method.service, method: method.name });
}

function quorumOf(quorum: number | "majority" | "all", count: number): number {
  if (quorum === "all") return Math.max(1, count);
  return quorum === "majority" ? Math.floor(count / 2) + 1 : quorum;
}
