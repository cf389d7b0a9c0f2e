import type { Socket } from "node:net";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import type { Clock } from "@pipit/protocol";
import { formatAddress, plainIp } from "./address.ts";
import { builtin } from "./builtin.ts";
import { streamError } from "./node-error.ts";
import { tellTlsError } from "./tell-tls-error.ts";
import type { TlsContextCache, TlsMaterial } from "./tls-contexts.ts";
import type { TlsOptions } from "./tls-options.ts";

/** Default of {@link TlsOptions.handshakeTimeoutMs}: a slow handshake takes some round trips, a stranger takes for ever. */
const defaultHandshakeTimeoutMs = 10_000;
/** Longest wait for the end of a stranger who has been given an answer. */
const strangerTimeoutMs = 1_000;

/** First byte of every TLS connection: a record of type handshake (RFC 8446, section 5.1). */
const handshakeRecord = 0x16;
/** A fatal alert, protocol_version: what a Pipit client knows as "this port speaks TLS". */
const tlsAlert = Uint8Array.of(0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46);
const httpBody = "This port speaks TLS, not plain-text HTTP\n";
const httpAnswer = [
  "HTTP/1.1 400 Bad Request",
  "content-type: text/plain; charset=utf-8",
  `content-length: ${httpBody.length}`,
  "connection: close",
  "",
  httpBody,
].join("\r\n");
const httpMethods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PRI) /u;

/** What TLS needs at the listening end. */
export interface ServerTls {
  readonly options: TlsOptions;
  readonly contexts: TlsContextCache;
  readonly clock: Clock;
}

/** Shakes hands on accepted sockets. Certificates are asked for anew at each connection, so that a renewed one counts. */
export class TlsAcceptor {
  readonly #contexts: TlsContextCache;
  readonly #server: TlsServer;
  readonly #clock: Clock;
  readonly #handshakeTimeoutMs: number;
  readonly #options: TlsOptions;
  #named: ReadonlyMap<string, TlsMaterial> = new Map();
  #main: TlsMaterial;

  /** @param main The certificate to begin with. */
  constructor({ options, contexts, clock }: ServerTls, main: TlsMaterial, onSecured: (socket: TLSSocket) => void) {
    const { requestClientCert = false, handshakeTimeoutMs = defaultHandshakeTimeoutMs, alpn } = options;
    this.#contexts = contexts;
    this.#clock = clock;
    this.#main = main;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#options = options;
    // Never listens: it gets its sockets from the one that does, after a look at their first byte.
    this.#server = builtin("node:tls").createServer({
      ...main.options,
      requestCert: requestClientCert !== false,
      rejectUnauthorized: requestClientCert === true,
      handshakeTimeout: handshakeTimeoutMs, // by Node's own timer, which alone knows the socket that it made for the handshake
      SNICallback: (name, answer) => answer(null, this.#named.get(name.toLowerCase())?.context),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    });
    this.#server.on("secureConnection", onSecured);
    this.#server.on("tlsClientError", (error, socket) => {
      this.#tellFailure(unauthorized(socket) ?? error, addressOf(socket));
      socket.destroy(); // Node leaves it open after a handshake that took too long
    });
  }

  /** Takes a fresh socket over. */
  accept(socket: Socket): void {
    socket.on("error", () => undefined);
    const inTime = this.#destroyAfter(this.#handshakeTimeoutMs, socket);
    socket.once("data", (first: Buffer) => {
      socket.pause();
      if (first[0] !== handshakeRecord) {
        inTime();
        return this.#answerPlain(socket, first);
      }
      socket.unshift(first);
      void this.#shakeHands(socket, inTime);
    });
  }

  async #shakeHands(socket: Socket, inTime: () => void): Promise<void> {
    const { main, named } = await this.#contexts.get();
    if (main !== this.#main) this.#server.setSecureContext(main.options);
    this.#main = main;
    this.#named = named;
    inTime();
    if (!socket.destroyed) this.#server.emit("connection", socket);
  }

  #answerPlain(socket: Socket, first: Buffer): void {
    const peerAddress = addressOf(socket);
    socket.end(isHttp(first) ? httpAnswer : tlsAlert);
    // Read on to the peer's end: a socket closed with unread input would take the answer with it.
    socket.resume();
    this.#destroyAfter(strangerTimeoutMs, socket);
    this.#tellFailure(new Error("The client does not speak TLS"), peerAddress);
  }

  /** Gives a way to call it off. */
  #destroyAfter(delayMs: number, socket: Socket): () => void {
    const callOff = this.#clock.after(delayMs, () => void socket.destroy(), { background: true });
    socket.once("close", callOff);
    return callOff;
  }

  #tellFailure(error: Error, peerAddress: string | undefined): void {
    const event = { type: "handshake", error: streamError(peerAddress ?? "a client", error), peerAddress } as const;
    tellTlsError(this.#options, event);
  }
}

/** Why the client's certificate was refused. Node closes then, and reports no more than a reset. */
function unauthorized({ authorizationError }: TLSSocket): Error | undefined {
  if (!authorizationError) return undefined;
  const code: unknown = authorizationError; // typed as an Error, but Node puts the code here
  return Object.assign(new Error("The client's certificate was refused"), { code });
}

function addressOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : formatAddress(plainIp(remoteAddress), remotePort ?? 0);
}

function isHttp(first: Buffer): boolean {
  return httpMethods.test(first.toString("latin1", 0, 8));
}
