import type { ListenOptions, Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  type ByteListener,
  type ByteListenOptions,
  type ByteStream,
  type ListenAddress,
  RpcError,
} from "@pipit/protocol";
import { formatAddress, isLoopback, plainIp } from "./address.ts";
import { builtin } from "./builtin.ts";
import { type ListenPlace, listenError, platformCode } from "./node-error.ts";
import { peerCertificate } from "./peer-certificate.ts";
import type { SocketOptions } from "./socket-options.ts";
import { TcpStream } from "./tcp-stream.ts";
import { type ServerTls, TlsAcceptor } from "./tls-server.ts";
import { checkSocketPath, removeStaleSocket } from "./unix-socket.ts";

const defaultHost = "127.0.0.1";

/** Listens, and hands each connection over once it can be used. @throws RpcError that names the place */
export async function listen(
  where: ListenAddress,
  accept: (stream: ByteStream) => void,
  { maxStreams }: ByteListenOptions,
  options: SocketOptions,
  tls: ServerTls | undefined,
): Promise<ByteListener> {
  const place = placeOf(where);
  const take = (socket: Socket): void => {
    const peer = peerOf(socket, place);
    if (peer === undefined) socket.destroy();
    else accept(new TcpStream(socket, peer));
  };
  const acceptor = tls === undefined ? undefined : await createAcceptor(place, tls, take);
  const server = builtin("node:net").createServer({ ...options, allowHalfOpen: true }, (socket) => {
    if (acceptor === undefined) take(socket);
    else acceptor.accept(socket);
  });
  // Counts sockets from the moment they are accepted: in their handshake too.
  if (maxStreams !== undefined && Number.isFinite(maxStreams)) server.maxConnections = maxStreams;
  await bind(server, place);
  // What fails later is the accepting of one connection (no file descriptor left, say): the next may do better.
  server.on("error", () => undefined);
  return listenerOf(server, place);
}

async function bind(server: Server, place: ListenPlace): Promise<void> {
  const { host, port, path } = place;
  try {
    if (path === undefined) return await listenOn(server, { host, port });
    checkSocketPath(path);
    try {
      await listenOn(server, { path });
    } catch (error) {
      if (platformCode(error) !== "EADDRINUSE" || !(await removeStaleSocket(path))) throw error;
      await listenOn(server, { path });
    }
  } catch (error) {
    throw listenError(place, error);
  }
}

function listenOn(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function listenerOf(server: Server, place: ListenPlace): ByteListener {
  const bound = server.address();
  const { address, host, port } =
    bound === null || typeof bound === "string"
      ? place
      : { address: formatAddress(bound.address, bound.port), host: bound.address, port: bound.port };
  return {
    address,
    host,
    port,
    close() {
      // The port is free when this returns; the server's own callback would wait for the end of every stream.
      if (server.listening) server.close();
      return Promise.resolve();
    },
  };
}

async function createAcceptor(
  place: ListenPlace,
  tls: ServerTls,
  take: (socket: TLSSocket) => void,
): Promise<TlsAcceptor> {
  if (tls.options.cert === undefined || tls.options.key === undefined) {
    throw new RpcError(
      "invalid_argument",
      `Cannot listen on ${place.address} with TLS: options tls.cert and tls.key are needed`,
    );
  }
  try {
    const { main } = await tls.contexts.get();
    return new TlsAcceptor(tls, main, take);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RpcError("invalid_argument", `Cannot listen on ${place.address} with TLS: ${why}`, { cause: error });
  }
}

function placeOf({ host = defaultHost, port = 0, path }: ListenAddress): ListenPlace {
  if (path !== undefined) return { address: `unix:${path}`, host: "", port: 0, path };
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Port to listen on: expected a whole number between 0 and 65535, got ${port}`);
  }
  return { address: formatAddress(host, port), host, port, path };
}

/** Who is at the other end, or undefined when it has gone already. */
function peerOf(socket: Socket, { path, address }: ListenPlace): ByteStream["peer"] | undefined {
  const certificate = isTls(socket) ? peerCertificate(socket) : undefined;
  if (path !== undefined) return { address, secure: true, local: true, certificate };
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return {
    address: formatAddress(plainIp(remoteAddress), remotePort),
    secure: isTls(socket),
    local: isLoopback(remoteAddress),
    certificate,
  };
}

function isTls(socket: Socket): socket is TLSSocket {
  return "encrypted" in socket && socket.encrypted === true;
}
