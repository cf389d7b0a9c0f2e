import {
  type ByteTransport,
  type Clock,
  type Compression,
  createTransport,
  systemClock,
  systemCompression,
  type Transport,
} from "@pipit/protocol";
import { connect } from "./connect.ts";
import { listen } from "./listen.ts";
import type { SocketOptions } from "./socket-options.ts";
import { tellTlsError } from "./tell-tls-error.ts";
import { TlsContextCache } from "./tls-contexts.ts";
import type { TlsOptions } from "./tls-options.ts";

/** Options of {@link tcp}. One transport can both connect and listen. */
export interface TcpOptions {
  /** TLS with these options; `true` is TLS with all defaults, for clients of servers that Node trusts. Default: none. */
  readonly tls?: TlsOptions | true | undefined;
  /** Sends small writes at once instead of waiting for more (no Nagle). Default true: the session batches by itself. */
  readonly noDelay?: boolean | undefined;
  /**
   * The kernel probes a silent peer after so many milliseconds. Default: never, because the session above sends pings of its own
   * while calls are open.
   */
  readonly keepAliveMs?: number | undefined;
  /** Decides when certificates are due to be loaded again, and how long a client may take to begin its handshake. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Packs the messages of methods with `compress: true`. `null` for none. Default: `node:zlib` in its thread pool. */
  readonly compression?: Compression | null | undefined;
}

/** Pipit's own wire over TCP, TLS or Unix sockets. Addresses are `host:port`, `[v6]:port` and `unix:/path`. */
export function tcp(options: TcpOptions = {}): Transport {
  const { compression = systemCompression } = options;
  return createTransport(tcpStreams(options), { compression: compression ?? undefined });
}

/**
 * The byte streams below {@link tcp}: for those who bring a wire of their own.
 *
 * `connect` rejects with an `RpcError` `unavailable` that names address and cause, or `invalid_argument` for a malformed
 * address. `listen` rejects with `already_exists` (port taken), `permission_denied`, `invalid_argument` (wrong host, missing
 * certificate) or `unavailable`.
 */
export function tcpStreams(options: TcpOptions = {}): ByteTransport {
  const { noDelay = true, keepAliveMs, clock = systemClock } = options;
  const socketOptions: SocketOptions = {
    noDelay,
    keepAlive: keepAliveMs !== undefined,
    keepAliveInitialDelay: keepAliveMs ?? 0,
  };
  const tlsOptions = options.tls === true ? {} : options.tls;
  const tls = tlsOptions && {
    options: tlsOptions,
    clock,
    contexts: new TlsContextCache(tlsOptions, clock, (error) => tellTlsError(tlsOptions, { type: "reload", error })),
  };
  return {
    name: tls === undefined ? "tcp" : "tls",
    connect: (address, connectOptions) => connect(address, connectOptions, socketOptions, tls),
    listen: (where, accept, listenOptions = {}) => listen(where, accept, listenOptions, socketOptions, tls),
  };
}
