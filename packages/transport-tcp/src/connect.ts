import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ByteConnectOptions, ByteStream, StreamPeer } from "@pipit/protocol";
import { isLoopback, parseAddress, type TcpAddress } from "./address.ts";
import { builtin } from "./builtin.ts";
import { type Attempt, happyEyeballs } from "./happy-eyeballs.ts";
import { connectError } from "./node-error.ts";
import { peerCertificate } from "./peer-certificate.ts";
import { canShareReads, SharedReads } from "./shared-reads.ts";
import type { SocketOptions } from "./socket-options.ts";
import { TcpStream } from "./tcp-stream.ts";
import type { TlsContextCache } from "./tls-contexts.ts";
import type { TlsOptions } from "./tls-options.ts";

/** What TLS needs at the connecting end. */
export interface ClientTls {
  readonly options: TlsOptions;
  readonly contexts: TlsContextCache;
}

/** Connects to an address and, where asked, shakes hands. @throws RpcError, or the signal's reason */
export async function connect(
  address: string,
  { signal, clock, serverName }: ByteConnectOptions,
  options: SocketOptions,
  tls: ClientTls | undefined,
): Promise<ByteStream> {
  signal.throwIfAborted();
  const parsed = parseAddress(address);
  // A TLS socket reads for itself.
  const shares = tls === undefined && canShareReads();
  let socket: Socket | undefined;
  try {
    let dialled: Dialled;
    if (parsed.type === "unix") {
      dialled = await happyEyeballs([parsed.path], (path) => dial({ path }, options, shares), { signal, clock });
    } else {
      const { host, port } = parsed;
      const ips = builtin("node:net").isIP(host) ? [host] : await abortable(lookUp(host), signal);
      dialled = await happyEyeballs(ips, (ip) => dial({ host: ip, port }, options, shares), { signal, clock });
    }
    socket = dialled.socket;
    const ip = socket.remoteAddress;
    const local = parsed.type === "unix" || (ip !== undefined && isLoopback(ip));
    if (tls === undefined) {
      return new TcpStream(socket, { address, secure: parsed.type === "unix", local }, dialled.reads);
    }
    const secured = await shakeHands(socket, parsed, serverName, tls, signal);
    return new TcpStream(secured, peerOf(address, local, secured));
  } catch (error) {
    socket?.destroy();
    signal.throwIfAborted();
    throw connectError(address, error);
  }
}

async function lookUp(host: string): Promise<string[]> {
  const found = await builtin("node:dns").promises.lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

interface Dialled {
  readonly socket: Socket;
  readonly reads: SharedReads | undefined;
}

/** Opens one socket. It keeps a listener for errors, so that a late one does not end the process. */
function dial(
  to: { host: string; port: number } | { path: string },
  options: SocketOptions,
  shares: boolean,
): Attempt<Dialled> {
  const reads = shares ? new SharedReads() : undefined;
  const onread = reads === undefined ? {} : { onread: reads.onread };
  const socket = builtin("node:net").connect({ ...to, ...options, ...onread, allowHalfOpen: true });
  const result = new Promise<Dialled>((resolve, reject) => {
    socket.once("connect", () => {
      // What is read this way is not kept for an owner to come.
      if (reads !== undefined) socket.pause();
      // The promise is not kept as long as the socket.
      socket.on("error", tellNobody).off("error", reject);
      resolve({ socket, reads });
    });
    socket.on("error", reject);
  });
  return { result, cancel: () => void socket.destroy() };
}

/** Its owner tells of errors; until there is one, and for a socket given up, a listener must be there. */
function tellNobody(): void {}

async function shakeHands(
  socket: Socket,
  address: TcpAddress,
  askedName: string | undefined,
  { options, contexts }: ClientTls,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const name = askedName ?? options.serverName ?? (address.type === "tcp" ? address.host : "localhost");
  const { main } = await abortable(Promise.resolve(contexts.get()), signal);
  const secured = builtin("node:tls").connect({
    socket,
    secureContext: main.context,
    rejectUnauthorized: true, // also where the environment says otherwise
    host: name,
    ...(builtin("node:net").isIP(name) ? {} : { servername: name }), // RFC 6066 allows no IP address in SNI
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
  });
  const done = new Promise<TLSSocket>((resolve, reject) => {
    secured.once("secureConnect", () => resolve(secured));
    secured.on("error", reject);
  });
  try {
    return await abortable(done, signal);
  } catch (error) {
    secured.destroy();
    throw error;
  }
}

function peerOf(address: string, local: boolean, socket: TLSSocket): StreamPeer {
  return { address, secure: true, local, certificate: peerCertificate(socket) };
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
