import type {
  CallAcceptor,
  CallSource,
  ClientConnection,
  IncomingCall,
  IncomingHandler,
  Listener,
  ListenOptions,
  Metadata,
  Method,
  RpcError,
  StreamPeer,
  Transport,
} from "@pipit/protocol";

/** A transport without bytes: the test is the caller. */
export class ListeningTransport implements Transport {
  readonly name = "scripted";
  acceptor: CallAcceptor | undefined;

  connect(): ClientConnection {
    throw new Error("This transport only listens");
  }

  listen(_where: unknown, options: ListenOptions): Promise<Listener> {
    this.acceptor = options.acceptor;
    const nothing = (): void => undefined;
    const listener = {
      address: "host:1",
      host: "host",
      port: 1,
      connections: 0,
      drain: () => Promise.resolve(),
      destroy: nothing,
    };
    return Promise.resolve(listener);
  }

  /** Brings a call in. */
  call(method: Method, request: unknown, more: Partial<ScriptedCall> = {}): ScriptedCall {
    const call = Object.assign(new ScriptedCall(method, request), more);
    if (this.acceptor === undefined) throw new Error("Nobody listens");
    this.acceptor.onCall(call);
    return call;
  }
}

/** A call whose end the test looks at. */
export class ScriptedCall implements IncomingCall {
  readonly method: Method;
  peer: StreamPeer = { address: "caller:1", secure: true, local: true };
  identity: unknown = undefined;
  source: CallSource = { running: 0 };
  deadlineMs = Number.POSITIVE_INFINITY;
  metadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  attempt = 1;
  retriesLent = 1;
  criticality: 0 | 1 | 2 = 1;
  traceparent: string | undefined = undefined;
  readonly requestBytes = new Uint8Array(0);
  open = true;
  handler: IncomingHandler | undefined = undefined;
  writable = true;
  readonly #request: unknown;
  /** `reply`, `end`, `fail` or `refuse`, once. */
  ended: string | undefined = undefined;
  replied: unknown = undefined;
  error: RpcError | undefined = undefined;
  sent: unknown[] = [];

  constructor(method: Method, request: unknown) {
    this.method = method;
    this.#request = request;
  }

  decodeRequest(): unknown {
    return this.#request;
  }

  accept(): void {}

  sendMetadata(): void {}

  send(item: unknown): void {
    this.sent.push(item);
  }

  release(): void {}

  reply(message: unknown): void {
    this.replied = message;
    this.#end("reply");
  }

  end(): void {
    this.#end("end");
  }

  fail(error: RpcError): void {
    this.error = error;
    this.#end("fail");
  }

  refuse(error: RpcError): void {
    this.error = error;
    this.#end("refuse");
  }

  #end(how: string): void {
    if (this.ended !== undefined) throw new Error(`Ended by ${how} after ${this.ended}`);
    this.ended = how;
    this.open = false;
  }
}
