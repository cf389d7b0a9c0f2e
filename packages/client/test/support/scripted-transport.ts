import {
  type ClientConnection,
  type ConnectOptions,
  type Listener,
  type OutgoingCall,
  type OutgoingStream,
  RpcError,
  type Transport,
} from "@pipit/protocol";

/** One connection, driven by the test. */
export class ScriptedConnection implements ClientConnection {
  readonly address: string;
  readonly options: ConnectOptions;
  readonly calls: OutgoingCall[] = [];
  readonly server = undefined;
  state: ClientConnection["state"] = "connecting";
  available = true;
  openCalls = 0;
  closedBy: "close" | "destroy" | undefined;

  constructor(address: string, options: ConnectOptions) {
    this.address = address;
    this.options = options;
  }

  get peer(): ClientConnection["peer"] {
    return this.state === "ready" ? { address: this.address, secure: true, local: true } : undefined;
  }

  start(call: OutgoingCall): OutgoingStream {
    this.calls.push(call);
    this.openCalls++;
    return {
      writable: true,
      send: () => undefined,
      endInput: () => undefined,
      release: () => undefined,
      cancel: () => undefined,
      takeRequestBytes: () => undefined,
    };
  }

  close(): void {
    this.closedBy ??= "close";
    this.#end(undefined);
  }

  destroy(error?: RpcError): void {
    this.closedBy ??= "destroy";
    this.#end(error);
  }

  /** It stands. */
  ready(): void {
    this.state = "ready";
    this.options.handler.onReady();
  }

  /** It could not be made, or is lost. */
  fail(): void {
    this.#end(new RpcError("unavailable", `${this.address} is gone`));
  }

  /** The server goes away. */
  drain(): void {
    this.state = "draining";
    this.available = false;
    this.options.handler.onDraining();
  }

  /** Answers the oldest open call. */
  answer(reply: unknown): void {
    this.openCalls--;
    this.calls.shift()?.onReply(reply, undefined, 0);
  }

  #end(error: RpcError | undefined): void {
    if (this.state === "closed") return;
    const handled = this.state === "ready" ? "maybe" : "no";
    this.state = "closed";
    this.available = false;
    for (const call of this.calls.splice(0)) {
      this.openCalls--;
      const lost = error ?? new RpcError("unavailable", "closed");
      call.onFailure({ error: lost, handled, refused: false, retriesReturned: 0 });
    }
    this.options.handler.onClosed(error);
  }
}

/** A transport without bytes: the test says what becomes of each connection and call. */
export class ScriptedTransport implements Transport {
  readonly name = "scripted";
  readonly connections: ScriptedConnection[] = [];
  /** Called with each new connection, before anything waits for it. */
  onConnect: (connection: ScriptedConnection) => void = () => undefined;

  connect(address: string, options: ConnectOptions): ClientConnection {
    const connection = new ScriptedConnection(address, options);
    this.connections.push(connection);
    this.onConnect(connection);
    return connection;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error("Nobody listens here"));
  }

  get last(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("No connection was asked for");
    return connection;
  }
}
