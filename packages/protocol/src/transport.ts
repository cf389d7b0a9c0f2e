import type { ListenAddress, StreamPeer } from "./byte-stream.ts";
import type { Clock } from "./clock.ts";
import type { Method } from "./contract.ts";
import type { Metadata } from "./metadata.ts";
import type { Random } from "./random.ts";
import type { Handled, RpcError } from "./rpc-error.ts";
import type { SessionLimits } from "./session/limits.ts";

/*
 * The seam above the session: calls with values, not bytes. A transport turns it into frames of its own; Pipit's own
 * wire is one, gRPC's or Thrift's can be others. A client knows `Transport.connect`, a server `Transport.listen`.
 *
 * Events are method calls on the object that was handed in: no allocation, no emitter, no promise per call.
 */

/** A way to reach servers and to be reached. */
export interface Transport {
  readonly name: string;
  /**
   * Opens a connection. It can be used at once where the transport can queue; else `start` waits for `onReady`.
   * Never throws for what the network does: that comes as `onClosed`.
   */
  connect(address: string, options: ConnectOptions): ClientConnection;
  /** Rejects with an `RpcError` that names the address when it cannot listen. */
  listen(where: ListenAddress, options: ListenOptions): Promise<Listener>;
}

/** What both ends are given. */
export interface EndOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: SessionLimits;
}

/** Options of {@link Transport.connect}. */
export interface ConnectOptions extends EndOptions {
  readonly handler: ConnectionHandler;
  /** The name that the server's certificate must be for. Default: the host of the address. */
  readonly serverName?: string | undefined;
  /** Longest time until the connection is ready, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** What a connection tells its owner, the client's pool. */
export interface ConnectionHandler {
  /** The byte stream stands; calls go out. */
  onReady(): void;
  /** The server says how busy it is. At most every 100 ms. */
  onLoad(load: LoadReport): void;
  /** A full connection has room again, and no call's end told so: the server ended one that had been given up. */
  onRoom?(): void;
  /** The server goes away: start no more calls here. Those it did not accept have failed with `handled: "no"`. */
  onDraining(): void;
  /** The connection is gone, and every call on it has ended. Called exactly once, last; no error after a close of ours. */
  onClosed(error: RpcError | undefined): void;
}

/** How busy a server says it is. */
export interface LoadReport {
  /** Mean delay of its event loop in the last second, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Calls running or queued. */
  readonly inFlight: number;
}

/** Identity of a server process: a restart changes the generation. */
export interface ServerIdentity {
  readonly id: string;
  readonly generation: string;
}

/** The client's end of a connection. */
export interface ClientConnection {
  readonly address: string;
  readonly state: "connecting" | "ready" | "draining" | "closed";
  /** Absent until the server said so. */
  readonly server: ServerIdentity | undefined;
  readonly peer: StreamPeer | undefined;
  /** Calls that have not ended. */
  readonly openCalls: number;
  /** Whether one more call may be started now. */
  readonly available: boolean;
  /**
   * Starts a call: the request is encoded before this returns. Events follow, never from inside `start`.
   *
   * @throws RpcError `invalid_argument` when the request does not encode; nothing was sent then
   */
  start(call: OutgoingCall): OutgoingStream;
  /** Starts no more calls, lets the open ones end, then closes. */
  close(): void;
  /** Ends now: open calls fail with `unavailable`. */
  destroy(error?: RpcError): void;
}

/** What the client knows of one sending of a call, and where the connection reports on it. One of the two ends comes, once. */
export interface OutgoingCall {
  readonly method: Method;
  /** The one request message; unused by streams of requests. */
  readonly request: unknown;
  /** The request's bytes from an earlier sending, to be sent instead of encoding again. */
  requestBytes: Uint8Array | undefined;
  /** Moment on the clock by which the call must end; Infinity for none. */
  readonly deadlineMs: number;
  readonly metadata: Metadata | undefined;
  readonly idempotencyKey: string | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Retries lent to the server's side of the tree. */
  readonly retriesLent: number;
  /** 0 sheddable, 1 default, 2 critical. */
  readonly criticality: 0 | 1 | 2;
  readonly traceparent: string | undefined;

  /** The handler started (streaming kinds only). */
  onAccepted(): void;
  /** Metadata ahead of the first reply. */
  onMetadata(metadata: Metadata): void;
  /** One reply of a stream. Give `bytes` back by `release` when it is consumed. */
  onItem(item: unknown, bytes: number): void;
  /** There is room for more request items. */
  onWritable(): void;
  /** The call succeeded. `reply` is undefined for reply streams. */
  onReply(reply: unknown, trailers: Metadata | undefined, retriesReturned: number): void;
  /** The call failed. */
  onFailure(failure: CallFailure): void;
}

/** How a call failed, as the connection knows it. */
export interface CallFailure {
  /** Code, message, declared error, data, trailers; `handled` says whether it may have run. */
  readonly error: RpcError;
  readonly handled: Handled;
  /** The server refused it before anything of its own saw it: it may go elsewhere at no cost. */
  readonly refused: boolean;
  readonly retriesReturned: number;
}

/** The caller's handle on a started call. */
export interface OutgoingStream {
  /** Room for at least one more request item. */
  readonly writable: boolean;
  /**
   * Sends a request item.
   *
   * @throws RpcError `invalid_argument` when it does not encode; the call is still open
   */
  send(item: unknown): void;
  /** No more request items. */
  endInput(): void;
  /** Gives credit back for consumed reply items. */
  release(bytes: number): void;
  /** Tells the server that nobody waits any more. Events stop at once. Twice is fine. */
  cancel(): void;
  /** The bytes of the request as sent, for sending it again; undefined when they are gone. */
  takeRequestBytes(): Uint8Array | undefined;
}

/** Options of {@link Transport.listen}. */
export interface ListenOptions extends EndOptions {
  readonly acceptor: CallAcceptor;
  readonly identity: ServerIdentity;
  /** Connections open at once; one more is told to go elsewhere. Default: no bound. */
  readonly maxConnections?: number | undefined;
}

/** What accepts connections and calls: the server. */
export interface CallAcceptor {
  /** The method as this server declares it; undefined when it has none. */
  lookup(service: string, method: string): Method | undefined;
  /** A peer connected. What is returned is its identity in every context; a throw or rejection refuses the connection. */
  authenticate?(peer: StreamPeer): unknown;
  /** A call arrived: its head is read, its message is not. Must end it once by reply, end, fail or refuse. */
  onCall(call: IncomingCall): void;
  /** Whether `GET /readyz` answers 200. */
  ready(): boolean;
  /** The connection's load report is due: what to send, or nothing. */
  load(): LoadReport | undefined;
}

/** A listening end. */
export interface Listener {
  /** `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Accepts no more connections, says go-away on the open ones, and refuses later calls. Resolves when all are closed. */
  drain(): Promise<void>;
  /** Ends what is left: open calls fail with `unavailable` at their callers. */
  destroy(): void;
}

/** Where calls come from: one object for all calls of a connection. What is counted there costs no look-up. */
export interface CallSource {
  /** Calls that hold a place at the acceptor, which counts them. Zero at first. */
  running: number;
}

/** What the connection tells the server of one call. */
export interface IncomingHandler {
  /** One request item. Give `bytes` back by `release` when it is consumed. */
  onItem(item: unknown, bytes: number): void;
  onInputEnd(): void;
  /** There is room for more reply items. */
  onWritable(): void;
  /** Nobody waits any more: cancelled, or the connection is gone. */
  onCancel(reason: RpcError): void;
}

/** A call at the server. Exactly one of `reply`, `end`, `fail`, `refuse` ends it; later ones are dropped. */
export interface IncomingCall {
  readonly method: Method;
  readonly peer: StreamPeer;
  readonly source: CallSource;
  readonly identity: unknown;
  /** Moment on the server's clock, counted from when the head was read; Infinity for none. */
  readonly deadlineMs: number;
  readonly metadata: Metadata | undefined;
  readonly idempotencyKey: string | undefined;
  readonly attempt: number;
  readonly retriesLent: number;
  readonly criticality: 0 | 1 | 2;
  readonly traceparent: string | undefined;
  /** Bytes of the one request message, as they came; empty for streams of requests, and once it was read. */
  readonly requestBytes: Uint8Array;
  /** Whether the caller still waits. */
  readonly open: boolean;
  /**
   * Reads the one request message. Once: its bytes are let go.
   *
   * @throws RpcError `invalid_argument` naming the place
   */
  decodeRequest(): unknown;
  /** Where later events go. Set before `onCall` returns when there can be any. */
  handler: IncomingHandler | undefined;
  /** Tells a streaming caller that the handler starts. */
  accept(): void;
  sendMetadata(metadata: Metadata): void;
  /** Room for at least one more reply item. */
  readonly writable: boolean;
  /** Sends a reply item. @throws RpcError `internal` when it does not encode */
  send(item: unknown): void;
  /** Gives credit back for consumed request items. */
  release(bytes: number): void;
  /** Ends with the one reply. @throws RpcError `internal` when it does not encode; the call is still open */
  reply(message: unknown, trailers: Metadata | undefined, retriesReturned: number): void;
  /** Ends a stream of replies. */
  end(trailers: Metadata | undefined, retriesReturned: number): void;
  fail(error: RpcError, trailers: Metadata | undefined, retriesReturned: number): void;
  /** Ends it before any interceptor, store or handler saw it: the caller may go elsewhere at no cost. */
  refuse(error: RpcError): void;
}
