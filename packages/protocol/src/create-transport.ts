import type { ByteListener, ByteStream, ByteTransport } from "./byte-stream.ts";
import type { Compression } from "./compression.ts";
import type { Method } from "./contract.ts";
import type { ConfirmedMethods } from "./session/client-bindings.ts";
import { SessionClientConnection } from "./session/client-connection.ts";
import { RpcError } from "./rpc-error.ts";
import { BytePool } from "./session/held-bytes.ts";
import { SlabPool } from "./session/slab-pool.ts";
import { ServerConnection } from "./session/server-connection.ts";
import type { SessionShare } from "./session/session.ts";
import type { Listener, ListenOptions, Transport } from "./transport.ts";

/** Servers whose bindings are remembered; the oldest is forgotten first. */
const rememberedServers = 1024;

/** Connections beyond the greatest number that are told so at a time, in words; the rest is closed unheard. */
const maxTurnedAway = 64;

/** Options of {@link createTransport}. */
export interface TransportOptions {
  /** Packs the messages of methods that ask for it. Default: none, and peers are told so; `tcp` has `systemCompression`. */
  readonly compression?: Compression | undefined;
}

/** One for all transports: each client has one of its own, and may have but one connection that is busy now and then. */
const slabs = new SlabPool();

/** One for all transports: a process has one memory. */
const reassembly = new BytePool();
const unread = new BytePool();

/** Pipit's own wire over any byte streams: TCP, TLS, Unix sockets, memory, the simulated network. */
export function createTransport(streams: ByteTransport, { compression }: TransportOptions = {}): Transport {
  const shared: SessionShare = { slabs, reassembly, unread, compression };
  const confirmed = confirmedMethods();
  return {
    name: streams.name,
    connect: (address, options) => new SessionClientConnection(streams, address, options, shared, confirmed),
    async listen(where, options) {
      const listener = new SessionListener(options, shared);
      const accept = (stream: ByteStream): void => void listener.accept(stream);
      const { maxConnections = Number.POSITIVE_INFINITY } = options;
      listener.bytes = await streams.listen(where, accept, { maxStreams: maxConnections + maxTurnedAway });
      return listener;
    },
  };
}

class SessionListener implements Listener {
  bytes: ByteListener | undefined;
  readonly #options: ListenOptions;
  readonly #shared: SessionShare;
  readonly #connections = new Set<ServerConnection>();
  /** Peers of which it is not known yet who they are. */
  readonly #strangers = new Set<ByteStream>();
  /** Of the connections, those that were one too many. */
  #turnedAway = 0;
  #draining = false;
  #onEmpty: (() => void)[] = [];

  constructor(options: ListenOptions, shared: SessionShare) {
    this.#options = options;
    this.#shared = shared;
  }

  get address(): string {
    return this.bytes?.address ?? "";
  }

  get host(): string {
    return this.bytes?.host ?? "";
  }

  get port(): number {
    return this.bytes?.port ?? 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** A peer connected; it is served once it is known. */
  async accept(stream: ByteStream): Promise<void> {
    const { acceptor, maxConnections = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#connections.size - this.#turnedAway + this.#strangers.size >= maxConnections) {
      return this.#turnAway(stream, maxConnections);
    }
    let identity: unknown;
    if (acceptor.authenticate !== undefined) {
      try {
        identity = await this.#inTime(stream, () => acceptor.authenticate?.(stream.peer));
      } catch {
        return stream.destroy();
      }
    }
    const connection = this.#connect(stream, identity, () => undefined);
    if (this.#draining) connection.drain();
  }

  #connect(stream: ByteStream, identity: unknown, onGone: () => void): ServerConnection {
    const connection: ServerConnection = new ServerConnection(stream, identity, this.#options, this.#shared, () => {
      this.#connections.delete(connection);
      onGone();
      if (this.#connections.size === 0) for (const done of this.#onEmpty.splice(0)) done();
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Says why, so that calls sent meanwhile go elsewhere at no cost, and still answers the probes of this port. Nobody asks who it is. */
  #turnAway(stream: ByteStream, maxConnections: number): void {
    if (this.#turnedAway >= maxTurnedAway) return stream.destroy();
    this.#turnedAway++;
    const connection = this.#connect(stream, undefined, () => void this.#turnedAway--);
    const text = `The server is at its limit of connections, ${maxConnections}`;
    connection.drain(new RpcError("unavailable", text, { handled: "no" }));
  }

  /** Asks who a peer is. It gets no longer for that than for its preface. */
  async #inTime(stream: ByteStream, ask: () => unknown): Promise<unknown> {
    const { clock, limits } = this.#options;
    const late = (): void => {
      // An answer that never comes must not keep it.
      this.#strangers.delete(stream);
      stream.destroy();
    };
    const stopTimer = clock.after(limits.handshakeTimeoutMs, late, { background: true });
    this.#strangers.add(stream);
    try {
      return await ask();
    } finally {
      stopTimer();
      this.#strangers.delete(stream);
    }
  }

  async drain(): Promise<void> {
    this.#draining = true;
    const closed = this.bytes?.close();
    for (const connection of this.#connections) connection.drain();
    await closed;
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  destroy(): void {
    this.#draining = true;
    void this.bytes?.close();
    for (const connection of Array.from(this.#connections)) connection.destroy();
    for (const stream of this.#strangers) stream.destroy();
  }
}

function confirmedMethods(): ConfirmedMethods {
  const servers = new Map<string, WeakSet<Method>>();
  return {
    has: (server, method) => servers.get(server)?.has(method) ?? false,
    add(server, method) {
      const methods = servers.get(server) ?? new WeakSet();
      servers.set(server, methods.add(method));
      if (servers.size <= rememberedServers) return;
      const [oldest] = servers.keys();
      if (oldest !== undefined) servers.delete(oldest);
    },
    delete: (server, method) => void servers.get(server)?.delete(method),
  };
}
