import type { ByteStream, ByteStreamHandler, ByteTransport, StreamPeer } from "../byte-stream.ts";
import { RpcError } from "../rpc-error.ts";
import type {
  ClientConnection,
  ConnectOptions,
  LoadReport,
  OutgoingCall,
  OutgoingStream,
  ServerIdentity,
} from "../transport.ts";
import type { ConfirmedMethods } from "./client-bindings.ts";
import { ClientSession, type ClientSessionEvents } from "./client-session.ts";
import { Keepalive, type Watched } from "./keepalive.ts";
import { featuresOf } from "./packing.ts";
import { PartialGuard } from "./partial-guard.ts";
import { ownPreface, type Preface } from "./preface.ts";
import type { SessionHost, SessionShare } from "./session.ts";

/** How long a half-closed connection waits for the other half, in milliseconds. */
export const lingerMs = 2000;

const nobody: ServerIdentity = { id: "", generation: "" };

/** Binds a client session to a byte stream and a clock; decides nothing about calls. Its session and stream call it themselves. */
export class SessionClientConnection
  implements ClientConnection, ByteStreamHandler, SessionHost, ClientSessionEvents, Watched
{
  readonly address: string;
  state: ClientConnection["state"] = "connecting";
  server: ServerIdentity | undefined = undefined;
  readonly #options: ConnectOptions;
  readonly #session: ClientSession;
  readonly #keepalive: Keepalive;
  readonly #guard: PartialGuard;
  /** Ends the attempt to connect, while there is one. */
  #connecting: AbortController | undefined = new AbortController();
  #stream: ByteStream | undefined;
  #closing = false;
  #stopLinger: (() => void) | undefined;
  /** The clock, read once in a turn. */
  #turnMs: number | undefined;

  constructor(
    transport: ByteTransport,
    address: string,
    options: ConnectOptions,
    shared: SessionShare,
    confirmed: ConfirmedMethods,
  ) {
    const { clock, limits } = options;
    this.address = address;
    this.#options = options;
    this.#session = new ClientSession(
      { host: this, limits, ...shared, preface: ownPreface(limits, nobody, featuresOf(shared.compression)) },
      this,
      confirmed,
    );
    this.#keepalive = new Keepalive(clock, limits, this);
    this.#guard = new PartialGuard(clock, limits.handshakeTimeoutMs, this.#session);
    void this.#connect(transport);
  }

  get peer(): StreamPeer | undefined {
    return this.#stream?.peer;
  }

  get openCalls(): number {
    return this.#session.openCalls;
  }

  get available(): boolean {
    return !this.#closing && this.#session.available;
  }

  get receivedAtMs(): number {
    return this.#session.receivedAtMs;
  }

  get busy(): boolean {
    return this.#session.openCalls > 0;
  }

  start(call: OutgoingCall): OutgoingStream {
    if (this.#closing) {
      throw new RpcError("unavailable", `The connection to ${this.address} is closing`, { handled: "no" });
    }
    this.#turnMs ??= this.#options.clock.now();
    const stream = this.#session.start(call, this.#turnMs);
    this.#keepalive.watch();
    return stream;
  }

  close(): void {
    if (this.#closing || this.state === "closed") return;
    this.#closing = true;
    if (this.#stream === undefined) return this.destroy();
    if (this.#session.idle) return this.#endStream();
    if (this.#session.openCalls === 0) this.#linger();
  }

  destroy(error?: RpcError): void {
    if (this.state === "closed") return;
    this.#closing = true;
    const reason = error ?? this.#closedError();
    this.#connecting?.abort(reason);
    this.#finish(reason, error);
    // Half-closed, and read on to the server's end: that closes both at once, and no reply under way resets them.
    this.#stream?.end();
  }

  ping(): void {
    this.#session.ping();
  }

  onSilent(silentMs: number): void {
    this.#lose(new RpcError("unavailable", `${this.address} gave no sign of life for ${Math.round(silentMs)} ms`));
  }

  nowMs(): number {
    return this.#options.clock.now();
  }

  scheduleFlush(): void {
    this.#options.clock.soon(() => {
      this.#turnMs = undefined;
      this.#session.flush();
    });
  }

  terminate(error: RpcError | undefined): void {
    this.#session.flush();
    this.#stream?.end();
    this.#finish(error ?? this.#closedError(), error);
  }

  onPreface({ identity }: Preface): void {
    this.server = identity.id === "" ? undefined : identity;
    // The time for it need not run out for nothing.
    this.#guard.stop();
  }

  onLoad(load: LoadReport): void {
    this.#options.handler.onLoad(load);
  }

  onRoom(): void {
    this.#options.handler.onRoom?.();
  }

  onGoAway(): void {
    if (this.state === "ready") this.state = "draining";
    this.#options.handler.onDraining();
  }

  onIdle(): void {
    if (this.#closing || this.state === "draining") this.#endStream();
  }

  onData(chunk: Uint8Array): void {
    this.#session.receive(chunk, this.#options.clock.now());
    this.#guard.check();
  }

  onBorrowed(chunk: Uint8Array): void {
    this.#session.receive(chunk, this.#options.clock.now(), true);
    this.#guard.check();
  }

  onDrain(): void {
    this.#session.onDrain();
  }

  /** The server will send no more: what waits for a reply waits in vain. */
  onEnd(): void {
    this.#stream?.end();
    if (this.state === "closed") return;
    this.#finish(new RpcError("unavailable", `${this.address} closed the connection`), undefined);
  }

  onClose(error: Error | undefined): void {
    this.#stopLinger?.();
    if (this.state === "closed") return;
    const text = error === undefined ? "" : `: ${error.message}`;
    const lost = new RpcError("unavailable", `The connection to ${this.address} was lost${text}`, { cause: error });
    this.#finish(lost, this.#closing ? undefined : lost);
  }

  async #connect(transport: ByteTransport): Promise<void> {
    const { clock, serverName, connectTimeoutMs, handler } = this.#options;
    const connecting = this.#connecting as AbortController;
    const { signal } = connecting;
    const giveUp = (): void => {
      const late = new RpcError("unavailable", `No connection to ${this.address} within ${connectTimeoutMs} ms`, {
        handled: "no",
      });
      connecting.abort(late);
    };
    const stopTimer = clock.after(connectTimeoutMs, giveUp);
    let stream: ByteStream;
    try {
      stream = await transport.connect(this.address, { signal, clock, serverName });
    } catch (error) {
      stopTimer();
      if (this.state !== "closed") this.#lose(RpcError.from(error, "unavailable"));
      return;
    }
    stopTimer();
    this.#connecting = undefined;
    if (this.state === "closed") return stream.destroy();
    this.#stream = stream;
    this.state = "ready";
    stream.start(this);
    this.#session.attach(stream);
    this.#guard.check();
    handler.onReady();
  }

  #closedError(): RpcError {
    return new RpcError("unavailable", `The connection to ${this.address} was closed`);
  }

  /** Half-closes, and waits a bounded time for the server's half. */
  #endStream(): void {
    if (this.state === "closed") return;
    this.#session.flush();
    this.#stream?.end();
    this.#finish(this.#closedError(), undefined);
  }

  /** Calls have ended for their callers, but the server still owes their ends: wait for them, not for long. */
  #linger(): void {
    this.#stopLinger = this.#options.clock.after(lingerMs, () => this.#endStream(), { background: true });
  }

  #lose(error: RpcError): void {
    this.#stream?.destroy();
    this.#finish(error, error);
  }

  /** The one way out: every open call ends, then the owner hears of it. */
  #finish(reason: RpcError, error: RpcError | undefined): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#keepalive.stop();
    this.#guard.stop();
    this.#stopLinger?.();
    const stream = this.#stream;
    if (stream !== undefined) {
      this.#stopLinger = this.#options.clock.after(lingerMs, () => stream.destroy(), { background: true });
    }
    this.#session.end(reason);
    this.#options.handler.onClosed(error);
  }
}
