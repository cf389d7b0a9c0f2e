import {
  type Clock,
  defaultLimits,
  type Metadata,
  type Method,
  type Peer,
  type Random,
  type SessionLimits,
  type StreamPeer,
  systemClock,
  systemRandom,
  type Transport,
} from "@pipit/protocol";
import type { Registry } from "@pipit/registry";
import type { ReplyStore } from "./reply-store.ts";

/** Calls that run at once: what a process of asynchronous handlers carries before its own memory is the limit. */
const defaultMaxConcurrentCalls = 8192;
/** Calls that wait for a place. A short queue: a long one only turns overload into timeouts. */
const defaultMaxQueuedCalls = 1024;
/** Longest wait for a place, in milliseconds. A caller who waited longer is better served elsewhere. */
const defaultMaxQueueWaitMs = 500;
/** Connections of a listener: a fleet of clients, and not yet the open files that systems commonly give a process. */
const defaultMaxConnections = 10_000;
/** Time that running calls get to end when the server closes, in milliseconds. */
export const defaultGraceMs = 10_000;

/** What {@link ServerOptions.onError} is told beside the error. */
export interface HandlerFailure {
  readonly method: Method;
  /** Stands in the caller's message too, so that the two can be matched. */
  readonly id: string;
  readonly peer: Peer;
}

/** Options of `createServer`. */
export interface ServerOptions {
  /** Names this process for its clients and in the registry. Default: 64 random bits. */
  readonly id?: string | undefined;
  /**
   * Connections open at once, of each `listen`; one more is told that the server is `unavailable`, and its calls go elsewhere. Default
   * 10,000. Keep it below the process's limit of open files.
   */
  readonly maxConnections?: number | undefined;
  /** Calls that run at once, of all connections, each of which gets its fair share. Default 8,192. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Calls that wait for a place. Default 1,024; 0 refuses at once. */
  readonly maxQueuedCalls?: number | undefined;
  /** Longest wait for a place, in milliseconds. Default 500. */
  readonly maxQueueWaitMs?: number | undefined;
  /**
   * Says who connects: from its certificate, its Unix peer, its address. What is returned is `context.peer.identity`; a
   * throw or rejection refuses the connection. Once per connection.
   */
  readonly authenticate?: ((peer: StreamPeer) => unknown) | undefined;
  /**
   * Decides whether a call may run, before its message is decoded. Anything but `false` lets it run; `false` answers
   * `permission_denied`, and a thrown `RpcError` answers as it says. May be asynchronous.
   */
  readonly authorize?: Authorize | undefined;
  /** Names the caller for `once` calls. Default: an identity that is a string, or the certificate's fingerprint, or "". */
  readonly callerKey?: ((peer: Peer) => string) | undefined;
  /** Where replies of `once` methods are kept. Default: {@link memoryReplyStore}. */
  readonly replyStore?: ReplyStore | undefined;
  /** Is told of every unexpected throw of a handler. Default: a line on stderr with method and id, the stack under it. */
  readonly onError?: ((error: unknown, failure: HandlerFailure) => void) | undefined;
  /** Serves `pipit.Health`. Default true. */
  readonly health?: boolean | undefined;
  /** Serves `pipit.Reflection`: the services, methods and schemas of this server, for tools. Default false. */
  readonly reflection?: boolean | undefined;
  /** Where services are announced while the server listens. */
  readonly registry?: Registry | undefined;
  /** Failure domain announced to the registry. */
  readonly zone?: string | undefined;
  /** Version of the program, announced to the registry. */
  readonly version?: string | undefined;
  /** Share of traffic announced to the registry. Default 1. */
  readonly weight?: number | undefined;
  /** Announced to the registry. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Bounds of each connection. */
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Time and timers. Default: the system's; tests give a virtual one. */
  readonly clock?: Clock | undefined;
  /** Default: the system's; tests give a seeded one. */
  readonly random?: Random | undefined;
}

/** See {@link ServerOptions.authorize}. */
export type Authorize = (
  method: Method,
  identity: unknown,
  metadata: Metadata,
) => boolean | void | PromiseLike<boolean | void>;

/** Options of `server.listen`. */
export interface ServerListenOptions {
  /** Default `127.0.0.1`: this machine only. Say `0.0.0.0` or `::` to be reached from others. */
  readonly host?: string | undefined;
  /** Default 0: the system chooses. */
  readonly port?: number | undefined;
  /** A Unix socket instead of host and port. */
  readonly path?: string | undefined;
  /** Default `tcp()`. */
  readonly transport?: Transport | undefined;
  /** What the registry is told instead of where the server listens: behind a mapping, or on all interfaces. */
  readonly advertise?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
}

/** Options with their defaults filled in. */
export interface ResolvedServerOptions {
  readonly id: string;
  readonly maxConnections: number;
  readonly maxConcurrentCalls: number;
  readonly maxQueuedCalls: number;
  readonly maxQueueWaitMs: number;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly random: Random;
}

/** @throws RangeError that names the option, the value met and what was wanted */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  const { clock = systemClock, random = systemRandom } = options;
  return {
    id: options.id ?? hex(random.bytes(8)),
    maxConnections: whole("maxConnections", options.maxConnections, defaultMaxConnections, 1),
    maxConcurrentCalls: whole("maxConcurrentCalls", options.maxConcurrentCalls, defaultMaxConcurrentCalls, 1),
    maxQueuedCalls: whole("maxQueuedCalls", options.maxQueuedCalls, defaultMaxQueuedCalls, 0),
    maxQueueWaitMs: whole("maxQueueWaitMs", options.maxQueueWaitMs, defaultMaxQueueWaitMs, 1),
    limits: { ...defaultLimits, ...given(options.limits ?? {}) },
    clock,
    random,
  };
}

/** Lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function whole(name: string, value: number | undefined, standard: number, least: number): number {
  if (value === undefined) return standard;
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`Option ${name}: expected a whole number from ${least}, got ${value}`);
  }
  return value;
}

/** Without the keys that are there but undefined: they mean the default. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
