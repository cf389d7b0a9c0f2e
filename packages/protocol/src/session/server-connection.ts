import type { ByteStream, ByteStreamHandler } from "../byte-stream.ts";
import { RpcError } from "../rpc-error.ts";
import type { ListenOptions } from "../transport.ts";
import { concat } from "./bytes.ts";
import { lingerMs } from "./client-connection.ts";
import { httpAnswer, recognise, tlsAlert } from "./foreign.ts";
import { Keepalive, type Watched } from "./keepalive.ts";
import { featuresOf } from "./packing.ts";
import { PartialGuard } from "./partial-guard.ts";
import { ownPreface } from "./preface.ts";
import { ServerSession, type ServerSessionEvents } from "./server-session.ts";
import type { SessionHost, SessionShare } from "./session.ts";

/** How long a peer may leave its replies unread before the connection is given up, in milliseconds. */
const unreadTimeoutMs = 30_000;

/** Binds a server session to a byte stream and a clock. Its session and stream call it themselves. */
export class ServerConnection implements ByteStreamHandler, SessionHost, ServerSessionEvents, Watched {
  readonly #options: ListenOptions;
  readonly #stream: ByteStream;
  readonly #session: ServerSession;
  readonly #keepalive: Keepalive;
  readonly #guard: PartialGuard;
  readonly #onGone: () => void;
  #foreign: Uint8Array | undefined;
  #draining = false;
  #ended = false;
  #paused = false;
  #stopTimer: (() => void) | undefined;

  constructor(stream: ByteStream, identity: unknown, options: ListenOptions, shared: SessionShare, onGone: () => void) {
    const { clock, limits, acceptor } = options;
    this.#options = options;
    this.#stream = stream;
    this.#onGone = onGone;
    this.#session = new ServerSession(
      { host: this, limits, ...shared, preface: ownPreface(limits, options.identity, featuresOf(shared.compression)) },
      acceptor,
      stream.peer,
      this,
    );
    this.#session.identity = identity;
    this.#keepalive = new Keepalive(clock, limits, this);
    this.#guard = new PartialGuard(clock, limits.handshakeTimeoutMs, this.#session);
    stream.start(this);
    this.#guard.check();
  }

  get receivedAtMs(): number {
    return this.#session.receivedAtMs;
  }

  get busy(): boolean {
    return this.#session.openCalls > 0;
  }

  /**
   * Takes no more calls; closes when the running ones have ended and the client has heard of it.
   *
   * @param why what later calls are told
   */
  drain(why?: RpcError): void {
    if (this.#draining || this.#ended) return;
    this.#draining = true;
    this.#session.goAway(why);
    // A client that never answers does not hold up the end: its calls were refused all the same.
    if (this.#session.openCalls === 0) this.#stopTimer ??= this.#after(lingerMs, () => this.#end());
    this.#checkDrained();
  }

  /** Ends now: callers see `unavailable`. Where a getter of a reply asks for it, once that is written, and what was written before it has left. */
  destroy(): void {
    if (this.#ended) return this.#stream.destroy();
    if (this.#session.encoding) return this.#options.clock.soon(() => this.destroy());
    this.#session.abandon(new RpcError("unavailable", "The server is closing", { handled: "maybe" }));
    this.#end();
  }

  ping(): void {
    this.#session.ping();
  }

  onSilent(silentMs: number): void {
    this.#gone(
      new RpcError("unavailable", `${this.#stream.peer.address} gave no sign of life for ${Math.round(silentMs)} ms`),
    );
    this.#stream.destroy();
  }

  nowMs(): number {
    return this.#options.clock.now();
  }

  scheduleFlush(): void {
    this.#options.clock.soon(() => this.#flush());
  }

  terminate(error: RpcError | undefined): void {
    this.#session.attach(this.#stream);
    this.#session.flush();
    this.#gone(error ?? new RpcError("unavailable", "The connection was closed"));
    this.#end();
  }

  onForeign(bytes: Uint8Array): void {
    this.#answerForeign(bytes);
  }

  onPreface(): void {
    this.#session.attach(this.#stream);
  }

  onIdle(): void {
    if (this.#draining) this.#checkDrained();
  }

  onData(chunk: Uint8Array): void {
    this.#receive(chunk, false);
  }

  onBorrowed(chunk: Uint8Array): void {
    this.#receive(chunk, true);
  }

  onDrain(): void {
    if (this.#paused) {
      this.#paused = false;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
      this.#stream.resume();
      this.#guard.check();
    }
    this.#session.onDrain();
  }

  /** The client hangs up: nobody waits for what still runs. */
  onEnd(): void {
    this.#gone(new RpcError("unavailable", `${this.#stream.peer.address} hung up`));
    this.#end();
  }

  onClose(error: Error | undefined): void {
    const text = error === undefined ? "" : `: ${error.message}`;
    this.#ended = true;
    this.#stopTimer?.();
    this.#gone(
      new RpcError("unavailable", `The connection to ${this.#stream.peer.address} was lost${text}`, { cause: error }),
    );
    this.#onGone();
  }

  #receive(chunk: Uint8Array, borrowed: boolean): void {
    if (this.#foreign !== undefined) return this.#answerForeign(concat(this.#foreign, chunk));
    this.#session.receive(chunk, this.#options.clock.now(), borrowed);
    this.#guard.check();
    if (this.busy) this.#keepalive.watch();
  }

  #flush(): void {
    this.#session.flush();
    if (this.#paused || this.#ended || this.#stream.unsentBytes <= this.#options.limits.maxUnsentBytes) return;
    this.#paused = true;
    this.#stream.pause();
    // What is not read cannot arrive.
    this.#guard.stop();
    this.#stopTimer?.();
    this.#stopTimer = this.#after(unreadTimeoutMs, () => this.#stream.destroy());
  }

  #checkDrained(): void {
    if (!this.#draining || this.#session.openCalls > 0) return;
    if (this.#session.goAwayAcked) return this.#end();
    this.#stopTimer ??= this.#after(lingerMs, () => this.#end());
  }

  /**
   * Sends what is written and half-closes, then reads on to the client's end: a socket closed with unread input would
   * truncate its last reply.
   */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session.flush();
    this.#stream.end();
    if (this.#paused) this.#stream.resume();
    this.#paused = false;
    this.#stopTimer?.();
    this.#stopTimer = this.#after(lingerMs, () => this.#stream.destroy());
  }

  #gone(error: RpcError): void {
    this.#keepalive.stop();
    this.#guard.stop();
    this.#session.end(error);
  }

  #answerForeign(bytes: Uint8Array): void {
    const foreign = recognise(bytes);
    this.#foreign = bytes;
    if (foreign === "http_partial") {
      this.#stopTimer ??= this.#after(this.#options.limits.handshakeTimeoutMs, () => this.#stream.destroy());
      return;
    }
    if (this.#ended) return;
    if (foreign === "http") this.#stream.write(httpAnswer(bytes, this.#options.acceptor.ready()));
    else if (foreign === "tls") this.#stream.write(tlsAlert);
    else {
      this.#session.attach(this.#stream);
      this.#session.flush();
    }
    this.#gone(new RpcError("unavailable", `${this.#stream.peer.address} does not speak Pipit`));
    this.#end();
  }

  #after(delayMs: number, fn: () => void): () => void {
    return this.#options.clock.after(delayMs, fn, { background: true });
  }
}
