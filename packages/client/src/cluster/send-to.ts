import type { CallOptions, Method, MethodDef, RpcError } from "@pipit/protocol";
import { mergeOptions } from "../call-plan.ts";
import type { ClientCore } from "../client-core.ts";
import { coreOf } from "../core-of.ts";
import { withInternal } from "../internal-options.ts";
import { layers, type Send } from "../invoke.ts";
import { resilienceOf } from "../resilience-options.ts";
import type { Route, RouteEndpoint } from "../route.ts";

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
  /** Whether it may be sent again where law 4 allows it, and hedged. */
  readonly retries: boolean;
  /** Whether the client's fallback may stand in. Default false: a strategy is to see what failed. */
  readonly fallback?: boolean | undefined;
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
  const ways = waysOf(core, def);
  const { route } = ways;
  const merged = { ...mergeOptions(core.defaults, options), timeoutMs: options?.timeoutMs };
  return {
    core,
    async endpoints() {
      await resolved(route);
      return route.endpoints.filter(({ state, weight }) => state !== "draining" && weight !== 0);
    },
    send({ only, retries, fallback = false, signal }) {
      const signalled = signal === undefined ? merged : { ...merged, signal };
      // Another endpoint's answer is none where one is chosen.
      if (only !== undefined) return (retries ? ways.plain : ways.once)(request, withInternal(signalled, { only }));
      if (!retries) return ways.once(request, signalled);
      return (fallback ? ways.whole : ways.hedged)(request, signalled);
    },
  };
}

/** How calls of one method are made, by how much of what the client is told to do about failures is wanted. */
interface Ways {
  readonly route: Route;
  /** Retries, hedging, fallback. */
  readonly whole: Send;
  /** Retries, hedging. */
  readonly hedged: Send;
  /** Retries. */
  readonly plain: Send;
  readonly once: Send;
}

/** Made once for a method, since hedging must remember what it measured. */
const waysOfCores = new WeakMap<ClientCore, Map<Method, Ways>>();

function waysOf(core: ClientCore, method: Method): Ways {
  const known = waysOfCores.get(core) ?? new Map<Method, Ways>();
  waysOfCores.set(core, known);
  let ways = known.get(method);
  if (ways === undefined) {
    const resilience = resilienceOf(method, core.resilience, undefined, undefined);
    const plan = core.plan(method, undefined, core.defaults, resilience);
    const limit = core.limitOf(resilience);
    const { hedge, fallback } = resilience.options;
    ways = {
      route: plan.route,
      whole: layers(core, plan, { hedge, fallback }, limit),
      hedged: layers(core, plan, { hedge }, limit),
      plain: layers(core, plan, {}, limit),
      once: layers(core, { ...plan, retries: false }, {}, limit),
    };
    known.set(method, ways);
  }
  return ways;
}

/** Resolves once it is known who serves, be it nobody. */
function resolved(route: Route): Promise<void> {
  if (route.resolved) return Promise.resolve();
  return new Promise((resolve, reject) => route.wait({ resume: resolve, giveUp: reject }));
}
