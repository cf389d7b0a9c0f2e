import {
  type CallOf,
  type Client,
  enableContext,
  type Interceptor,
  type Method,
  type MethodDef,
  type MethodKind,
  type Service,
} from "@pipit/protocol";
import { mergeOptions } from "./call-plan.ts";
import { ClientCore } from "./client-core.ts";
import { attachCore } from "./core-of.ts";
import { type Invoke, invoker } from "./invoke.ts";
import type { ClientOptions } from "./options.ts";
import { resilienceOf, withoutResilience } from "./resilience-options.ts";
import type { MethodCallOptions, ServiceOptions } from "./service-options.ts";
import { type ClientStats, statsOf } from "./stats.ts";

/** Time that open calls get to end when a client closes, in milliseconds. */
const defaultCloseGraceMs = 1000;

/** Calls services. Made by {@link createClient}. */
export interface PipitClient extends AsyncDisposable {
  /** A plain object with a function per method of the contract. `options` lie under those of each call. */
  service<S extends Service>(contract: S, options?: ServiceOptions<keyof S["methods"] & string>): Client<S>;
  /** Calls one method; what comes back depends on its kind, as with the functions of {@link PipitClient.service}. */
  call<K extends MethodKind, Q, S, E>(
    method: MethodDef<K, Q, S, E>,
    ...args: Parameters<CallOf<Q, S>[K]>
  ): ReturnType<CallOf<Q, S>[K]>;
  /** Wraps every later call, its retries included; the first one used is outermost. */
  use(interceptor: Interceptor): this;
  stats(): ClientStats;
  /**
   * Takes no more calls, gives the open ones `graceMs` (default 1,000) to end, then ends them with `cancelled` and closes
   * the connections. Twice is fine.
   */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

/**
 * Makes a client. It connects when the first call needs it.
 *
 * @example
 * ```ts
 * const client = createClient({ target: "127.0.0.1:50051" });
 * const greeter = client.service(Greeter);
 * const { message } = await greeter.sayHello({ name: "world" }, { timeoutMs: 500 });
 * await client.close();
 * ```
 * @throws TypeError or RangeError for an option that makes no sense
 */
export function createClient(options: ClientOptions): PipitClient {
  return new ClientShell(options);
}

class ClientShell implements PipitClient {
  readonly #core: ClientCore;
  #direct: WeakMap<Method, Invoke> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    // A call made inside a handler of this process inherits its deadline and cancel from now on.
    enableContext();
    this.#core = new ClientCore(options);
    attachCore(this, this.#core);
  }

  service<S extends Service>(contract: S, options: ServiceOptions<keyof S["methods"] & string> = {}): Client<S> {
    const proxy: Record<string, Invoke> = {};
    const { methods = {}, ...ofService } = options;
    const ofMethods: Readonly<Record<string, MethodCallOptions | undefined>> = methods;
    for (const name of Object.keys(ofMethods)) {
      if (!Object.hasOwn(contract.methods, name))
        throw new TypeError(`Options for "${name}", which is no method of ${contract.name}`);
    }
    for (const [name, method] of Object.entries(contract.methods)) {
      proxy[name] = this.#invoker(method, ofService, ofMethods[name]);
    }
    return Object.freeze(proxy) as unknown as Client<S>;
  }

  call<K extends MethodKind, Q, S, E>(
    method: MethodDef<K, Q, S, E>,
    ...args: Parameters<CallOf<Q, S>[K]>
  ): ReturnType<CallOf<Q, S>[K]> {
    const key = method as unknown as Method;
    const direct = (this.#direct ??= new WeakMap());
    let invoke = direct.get(key);
    if (invoke === undefined) {
      if (method.service === "")
        throw new TypeError("Cannot call a method that belongs to no service; pass it to service(…) first");
      invoke = this.#invoker(key, undefined, undefined);
      direct.set(key, invoke);
    }
    return invoke(args[0], args[1]) as ReturnType<CallOf<Q, S>[K]>;
  }

  use(interceptor: Interceptor): this {
    if (typeof interceptor !== "function") {
      throw new TypeError(`Interceptor: expected a function, got ${typeof interceptor}`);
    }
    this.#core.interceptors.push(interceptor);
    return this;
  }

  stats(): ClientStats {
    return statsOf(this.#core);
  }

  close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closed ??= this.#core.close(options.graceMs ?? defaultCloseGraceMs);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #invoker(method: Method, ofService: MethodCallOptions | undefined, ofMethod: MethodCallOptions | undefined): Invoke {
    const core = this.#core;
    const resilience = resilienceOf(method, core.resilience, ofService, ofMethod);
    const callOptions = mergeOptions(withoutResilience(ofService), withoutResilience(ofMethod));
    const plan = core.plan(method, callOptions, core.defaults, resilience);
    return invoker(core, plan, resilience.options, core.limitOf(resilience));
  }
}
