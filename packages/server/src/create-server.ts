import type { Implementation, Interceptor, Listener, ServerIdentity, Service, Transport } from "@pipit/protocol";
import type { Lease } from "@pipit/registry";
import { addBuiltIns, userServices } from "./built-in.ts";
import { defaultTransport } from "./default-transport.ts";
import { HandlerTable } from "./handler-table.ts";
import { defaultGraceMs, hex, resolveServerOptions, type ServerListenOptions, type ServerOptions } from "./options.ts";
import { registerServices } from "./registration.ts";
import { ServerCore } from "./server-core.ts";

/** Longest wait for a registry to take back what it was told, in milliseconds: it may be away, and its records run out by themselves. */
const registryPatienceMs = 2000;

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Options of {@link Server.close}. */
export interface CloseOptions {
  /** Time that running calls get to end, in milliseconds. Default 10,000; 0 ends them at once. */
  readonly graceMs?: number | undefined;
}

/** What {@link Server.stats} tells. */
export interface ServerStats {
  readonly id: string;
  readonly state: "open" | "draining" | "closed";
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Handlers that run. */
  readonly inFlight: number;
  /** Calls that wait for a place. */
  readonly queued: number;
  readonly eventLoopDelayMs: number;
  /** Since the server was made. */
  readonly calls: {
    readonly started: number;
    readonly failed: number;
    readonly refused: number;
    readonly deadlinesExceeded: number;
  };
}

/** Serves contracts. Made by {@link createServer}. */
export interface Server extends AsyncDisposable {
  /** Names this process; its clients and the registry see it. */
  readonly id: string;
  /**
   * Serves a contract: a plain object or a class instance with a function per method. A method that is missing answers
   * `unimplemented`.
   *
   * @throws TypeError when the service is served already, a member is no function, or an object has one too many
   */
  handle<S extends Service>(contract: S, implementation: Implementation<S>): this;
  /** Wraps every call; the first one used is outermost. Calls that run already are not affected. */
  use(interceptor: Interceptor): this;
  /**
   * Listens, and announces the services when there is a registry. May be called several times.
   *
   * @throws RpcError when the address cannot be listened on, or the server is closing
   */
  listen(options?: ServerListenOptions): Promise<ServerAddress>;
  /** Takes no more calls: records turn `draining`, clients are told, running calls go on. Resolves when all have left. */
  drain(): Promise<void>;
  /** Drains for at most `graceMs`, then ends what is left. Twice is fine; the first call's grace holds. */
  close(options?: CloseOptions): Promise<void>;
  stats(): ServerStats;
}

/**
 * Makes a server. It does nothing until `listen`.
 *
 * @example
 * ```ts
 * const server = createServer();
 * server.handle(Greeter, { sayHello: ({ name }) => ({ message: `Hello, ${name}!` }) });
 * const { port } = await server.listen({ port: 50051 });
 * ```
 * @throws RangeError for an option out of range
 */
export function createServer(options: ServerOptions = {}): Server {
  return new PipitServer(options);
}

class PipitServer implements Server {
  readonly id: string;
  readonly #options: ServerOptions;
  readonly #table = new HandlerTable();
  readonly #core: ServerCore;
  readonly #identity: ServerIdentity;
  /** By the number that tells their records apart. */
  readonly #listeners = new Map<number, Listener>();
  readonly #leases: Lease[] = [];
  #state: "open" | "draining" | "closed" = "open";
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    const resolved = resolveServerOptions(options);
    this.id = resolved.id;
    this.#core = new ServerCore(this.#table, options, resolved);
    addBuiltIns(this.#table, options, () => this.#core.accepting);
    this.#identity = { id: resolved.id, generation: hex(resolved.random.bytes(8)) };
  }

  handle<S extends Service>(contract: S, implementation: Implementation<S>): this {
    this.#table.add(contract, implementation);
    return this;
  }

  use(interceptor: Interceptor): this {
    if (typeof interceptor !== "function") {
      throw new TypeError(`Interceptor: expected a function, got ${typeof interceptor}`);
    }
    this.#core.interceptors.push(interceptor);
    return this;
  }

  async listen(options: ServerListenOptions = {}): Promise<ServerAddress> {
    this.#assertOpen();
    const transport: Transport = options.transport ?? defaultTransport();
    const { clock, random, limits, maxConnections } = this.#core.resolved;
    const { host, port, path } = options;
    const listener = await transport.listen(
      { host, port, path },
      { acceptor: this.#core, identity: this.#identity, clock, random, limits, maxConnections },
    );
    let index = 0;
    while (this.#listeners.has(index)) index++;
    this.#listeners.set(index, listener);
    const leases: Lease[] = [];
    try {
      leases.push(...(await this.#announce(listener, index, options.advertise)));
      this.#assertOpen();
    } catch (error) {
      // Not announced after all, or closed meanwhile: nothing of it may stay open or announced.
      listener.destroy();
      this.#listeners.delete(index);
      await this.#release(leases);
      throw error;
    }
    this.#leases.push(...leases);
    return { host: listener.host, port: listener.port };
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(options.graceMs ?? defaultGraceMs);
    return this.#closed;
  }

  stats(): ServerStats {
    const listeners = [...this.#listeners.values()];
    const { started, failed, refused, deadlinesExceeded } = this.#core.counts;
    return {
      id: this.id,
      state: this.#state,
      addresses: listeners.map(({ address }) => address),
      connections: listeners.reduce((sum, { connections }) => sum + connections, 0),
      inFlight: this.#core.inFlight,
      queued: this.#core.queued,
      eventLoopDelayMs: this.#core.load().eventLoopDelayMs,
      calls: { started, failed, refused, deadlinesExceeded },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    this.#state = "draining";
    this.#core.accepting = false;
    // First the records: whoever reads them no longer comes. A registry that cannot say so must not stop the server.
    await this.#patiently(Promise.allSettled(this.#leases.map((lease) => lease.drain())));
    await Promise.all([...this.#listeners.values()].map((listener) => listener.drain()));
  }

  async #close(graceMs: number): Promise<void> {
    const { clock } = this.#core;
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(graceMs, resolve);
      this.drain().then(resolve, reject).finally(cancel);
    });
    await this.#shut();
  }

  async #shut(): Promise<void> {
    this.#state = "closed";
    for (const listener of this.#listeners.values()) listener.destroy();
    await this.#release(this.#leases.splice(0));
    this.#core.wheel.clear();
  }

  async #announce(
    listener: Listener,
    index: number,
    advertise: ServerListenOptions["advertise"],
  ): Promise<readonly Lease[]> {
    const { registry } = this.#options;
    if (registry === undefined) return [];
    const services = userServices(this.#table).map(({ name }) => name);
    return registerServices({
      registry,
      serverId: this.id,
      services,
      listener,
      options: this.#options,
      index,
      advertise,
    });
  }

  #release(leases: readonly Lease[]): Promise<void> {
    return this.#patiently(Promise.all(leases.map((lease) => lease.release())));
  }

  /** Waits for answers of the registry, no longer than they may hold up the end of the server. */
  #patiently(answers: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#core.clock.after(registryPatienceMs, resolve);
      answers.then(() => resolve(), reject).finally(cancel);
    });
  }

  #assertOpen(): void {
    if (this.#state === "open") return;
    throw new TypeError(`Cannot listen: the server is ${this.#state === "closed" ? "closed" : "draining"}`);
  }
}
