import type { CallOptions, Method, MethodDef, RpcError } from "@pipit/protocol";
import { mergeOptions } from "../call-plan.ts";
import type { ClientCore } from "../client-core.ts";
import { coreOf } from "../core-of.ts";
import type { Route, RouteEndpoint } from "../route.ts";
import { prepare, startUnary } from "../start-call.ts";

/** A method with one request and one reply. */
export type UnaryMethod<Q, S, E> = MethodDef<"unary", Q, S, E>;

/** How the call to one endpoint ended. */
export type EndpointResult<T> =
  | { readonly endpoint: string; readonly ok: true; readonly value: T }
  | { readonly endpoint: string; readonly ok: false; readonly error: RpcError };

/** Where and how {@link Sender.send} sends. */
export interface SendOptions {
  /** Id of the one endpoint to use; absent leaves the choice to the balancer. */
  readonly only?: string | undefined;
  /** Whether it may be sent again where law 4 allows it. */
  readonly retries: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One request, ready to be sent to chosen endpoints. */
export interface Sender {
  readonly core: ClientCore;
  /** Endpoints that take calls, once it is known who serves. */
  endpoints(): Promise<readonly RouteEndpoint[]>;
  send(options: SendOptions): Promise<unknown>;
}

/** @throws TypeError when the client was not made by `createClient`, or the method has no single reply */
export function senderOf(client: object, method: object, request: unknown, options: CallOptions | undefined): Sender {
  const core = coreOf(client);
  const def = method as Method;
  if (def.kind !== "unary" || def.service === "") {
    throw new TypeError("A cluster strategy needs a unary method of a service");
  }
  const again = core.plan(def, undefined, core.defaults, true);
  const once = { ...again, retries: false };
  const merged = { ...mergeOptions(core.defaults, options), timeoutMs: options?.timeoutMs };
  return {
    core,
    async endpoints() {
      await resolved(again.route);
      return again.route.endpoints.filter(({ state, weight }) => state !== "draining" && weight !== 0);
    },
    send({ only, retries, signal }) {
      const call = prepare(
        core,
        retries ? again : once,
        request,
        signal === undefined ? merged : { ...merged, signal },
      );
      call.only = only;
      if (only !== undefined) call.firstReason = "chosen";
      return startUnary(call);
    },
  };
}

/** Resolves once it is known who serves, be it nobody. */
function resolved(route: Route): Promise<void> {
  if (route.resolved) return Promise.resolve();
  return new Promise((resolve, reject) => route.wait({ resume: resolve, giveUp: reject }));
}
