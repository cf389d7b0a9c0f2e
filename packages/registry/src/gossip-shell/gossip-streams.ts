import type { Server, Socket } from "node:net";
import { joinHostPort, parseIpPort } from "../address.ts";
import { builtin } from "../builtin.ts";
import type { Clock } from "../clock.ts";
import type { StreamFailure } from "../gossip/types.ts";
import { encodeFrame, FrameReader } from "./stream-frames.ts";

/** A connect that takes longer says as little as no answer at all: the core's own patience is shorter. */
const dialTimeoutMs = 2_000;
/** Connections that we opened. Gossip talks by stream with a few members at a time; the least recently used makes room. */
const maxOutgoing = 128;
/** Connections that others opened. */
const maxIncoming = 512;
/** We close what we opened first, so that a close by the other side is news. */
const outgoingIdleMs = 60_000;
const incomingIdleMs = 300_000;
const sweepPeriodMs = 15_000;
/** Unsent bytes on one connection before it counts as broken: four of the largest messages. */
const maxUnsentBytes = 4 << 20;
/** Bytes of incomplete messages held for all peers together. */
const maxHeldBytes = 16 << 20;

/** What {@link GossipStreams} takes. */
export interface GossipStreamsOptions {
  /** Largest message in either direction, in bytes. */
  readonly maxFrameBytes: number;
  readonly clock: Clock;
  /** A message came; `from` is the address dialled, or the key of an incoming connection. Its bytes hold during the call. */
  onMessage(from: string, bytes: Uint8Array): void;
  /** A fresh connection was accepted by the peer's kernel. */
  onOpened(to: string): void;
  /** A dial failed, or a kept connection broke. */
  onFailed(to: string, reason: StreamFailure): void;
}

interface Connection {
  /** `host:port` dialled, or `#n`. */
  readonly peer: string;
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly incoming: boolean;
  state: "dialling" | "open" | "closed";
  lastUsedMs: number;
}

/**
 * Gossip's streams over TCP: messages framed by length, one kept connection per address dialled, bounded in number,
 * idle time, unsent and half-received bytes.
 */
export class GossipStreams {
  readonly #options: GossipStreamsOptions;
  readonly #server: Server;
  readonly #kept = new Map<string, Connection>();
  readonly #incoming = new Map<string, Connection>();
  readonly #connections = new Set<Connection>();
  #lastIncoming = 0;
  #outgoingCount = 0;
  #heldBytes = 0;
  #cancelSweep: (() => void) | undefined;
  #closed = false;

  constructor(options: GossipStreamsOptions) {
    this.#options = options;
    this.#server = builtin("node:net").createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Binds. Returns the port, which matters when 0 was asked for. */
  listen(port: number, host: string): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host, backlog: maxIncoming }, () => {
        server.off("error", reject);
        // Accept errors such as EMFILE pass: gossip goes on by datagram.
        server.on("error", () => {});
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  /** Sends one message; see `GossipEffects.stream` for `to` and `fresh`. The bytes are copied. */
  send(to: string, bytes: Uint8Array, fresh: boolean): void {
    if (this.#closed) return;
    const known = to.startsWith("#") ? this.#incoming.get(to) : this.#kept.get(to);
    if (known !== undefined && (!fresh || known.incoming)) return this.#write(known, bytes);
    if (to.startsWith("#")) return;
    const connection = this.#dial(to, fresh);
    if (connection === undefined) this.#report(to, "unreachable");
    else this.#write(connection, bytes);
  }

  /** Where an incoming connection comes from; `undefined` when `key` is none that is open. */
  remoteAddress(key: string): string | undefined {
    const socket = this.#incoming.get(key)?.socket;
    const { remoteAddress, remotePort } = socket ?? {};
    return remoteAddress === undefined || remotePort === undefined ? undefined : peerAddress(remoteAddress, remotePort);
  }

  /** Connections in both directions, dialling ones too. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Ends everything at once. Bytes already given to the kernel still go out. Twice is fine. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancelSweep?.();
    for (const connection of this.#connections) this.#drop(connection);
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    if (this.#incoming.size >= maxIncoming) this.#dropOldest(true);
    this.#lastIncoming += 1;
    const connection = this.#add(`#${this.#lastIncoming}`, socket, true);
    connection.state = "open";
    this.#incoming.set(connection.peer, connection);
  }

  #dial(to: string, fresh: boolean): Connection | undefined {
    const target = parseIpPort(to);
    if (target === undefined) return undefined;
    if (this.#outgoingCount >= maxOutgoing && !this.#dropOldest(false)) return undefined;
    const socket = builtin("node:net").connect({ ...target, noDelay: true });
    const connection = this.#add(to, socket, false);
    this.#outgoingCount += 1;
    if (!this.#kept.has(to)) this.#kept.set(to, connection);
    const cancelTimeout = this.#options.clock.after(dialTimeoutMs, () => this.#fail(connection, "unreachable"));
    socket.once("close", cancelTimeout);
    socket.once("connect", () => {
      cancelTimeout();
      if (connection.state === "closed") return;
      connection.state = "open";
      // The newest is kept; the one before carries its answers home and ends idle.
      this.#kept.set(to, connection);
      if (fresh) this.#options.onOpened(to);
    });
    return connection;
  }

  #add(peer: string, socket: Socket, incoming: boolean): Connection {
    const { maxFrameBytes, clock } = this.#options;
    const reader = new FrameReader(maxFrameBytes);
    const connection: Connection = { peer, socket, reader, incoming, state: "dialling", lastUsedMs: clock.now() };
    this.#connections.add(connection);
    socket.on("data", (chunk) => this.#read(connection, chunk));
    socket.on("error", (error) => this.#fail(connection, failureOf(error, connection)));
    // A clean end of a connection that we meant to keep is how a killed process looks from here.
    socket.on("close", () => this.#fail(connection, "reset"));
    this.#cancelSweep ??= clock.after(sweepPeriodMs, () => this.#sweep());
    return connection;
  }

  #read(connection: Connection, chunk: Uint8Array): void {
    if (connection.state === "closed") return;
    const { reader } = connection;
    const heldBefore = reader.heldBytes;
    let frames: Uint8Array[];
    try {
      frames = reader.push(chunk);
    } catch {
      this.#fail(connection, "reset"); // not a gossip peer
      return;
    }
    this.#heldBytes += reader.heldBytes - heldBefore;
    if (this.#heldBytes > maxHeldBytes && reader.heldBytes > 0) return this.#fail(connection, "reset");
    if (frames.length > 0) connection.lastUsedMs = this.#options.clock.now();
    for (const frame of frames) {
      if (this.#closed) return;
      this.#options.onMessage(connection.peer, frame);
    }
  }

  #write(connection: Connection, bytes: Uint8Array): void {
    if (connection.socket.writableLength > maxUnsentBytes) return this.#fail(connection, "reset");
    connection.lastUsedMs = this.#options.clock.now();
    connection.socket.write(encodeFrame(bytes));
  }

  #fail(connection: Connection, reason: StreamFailure): void {
    if (connection.state === "closed") return;
    const { peer, incoming, state } = connection;
    const kept = this.#kept.get(peer) === connection;
    this.#drop(connection);
    if (!incoming && (kept || state === "dialling")) this.#report(peer, reason);
  }

  /** Later in this turn, since `send` is called from within the core. */
  #report(to: string, reason: StreamFailure): void {
    this.#options.clock.soon(() => {
      if (!this.#closed) this.#options.onFailed(to, reason);
    });
  }

  #drop(connection: Connection): void {
    if (connection.state === "closed") return;
    connection.state = "closed";
    const { peer, incoming, socket, reader } = connection;
    this.#connections.delete(connection);
    this.#heldBytes -= reader.heldBytes;
    if (incoming) this.#incoming.delete(peer);
    else this.#outgoingCount -= 1;
    if (this.#kept.get(peer) === connection) this.#kept.delete(peer);
    socket.destroy();
  }

  #dropOldest(incoming: boolean): boolean {
    let oldest: Connection | undefined;
    for (const connection of this.#connections) {
      if (connection.incoming !== incoming || connection.state !== "open") continue;
      if (oldest === undefined || connection.lastUsedMs < oldest.lastUsedMs) oldest = connection;
    }
    if (oldest !== undefined) this.#drop(oldest);
    return oldest !== undefined;
  }

  #sweep(): void {
    const nowMs = this.#options.clock.now();
    for (const connection of this.#connections) {
      const idleMs = connection.incoming ? incomingIdleMs : outgoingIdleMs;
      if (nowMs - connection.lastUsedMs >= idleMs) this.#drop(connection);
    }
    this.#cancelSweep =
      this.#connections.size === 0 ? undefined : this.#options.clock.after(sweepPeriodMs, () => this.#sweep());
  }
}

function failureOf(error: Error & { readonly code?: string }, connection: Connection): StreamFailure {
  if (error.code === "ECONNREFUSED") return "refused";
  return connection.state === "open" ? "reset" : "unreachable";
}

/** The `host:port` that a peer is known by: IPv4 in IPv6 clothes is undressed, a zone id dropped. */
export function peerAddress(host: string, port: number): string {
  const plain = host.startsWith("::ffff:") && host.includes(".") ? host.slice("::ffff:".length) : host;
  return joinHostPort(plain.split("%")[0] as string, port);
}
