import {
  type CallAcceptor,
  type ClientConnection,
  type Compression,
  type ConnectionHandler,
  createTransport,
  defaultLimits,
  type IncomingCall,
  type Listener,
  type RpcError,
  type Service,
  type SessionLimits,
  type StreamPeer,
} from "@pipit/protocol";
import {
  seededRandom,
  type SimulatedLink,
  simulatedNetwork,
  type SimulatedNetwork,
  type VirtualClock,
  virtualClock,
} from "@pipit/simulation";

/** Two ends on the simulated network, below client and server. */
export interface WirePair {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly connection: ClientConnection;
  readonly listener: Listener;
  /** Calls that reached the acceptor, in order. */
  readonly calls: IncomingCall[];
  /** What the connection told its owner. */
  readonly states: string[];
  closedWith(): RpcError | undefined;
  /** Opens one more connection: to the same listener unless told. */
  connect(address?: string): ClientConnection;
}

/** Options of {@link wirePair}. */
export interface WirePairOptions {
  readonly contract: Service;
  /** What the server declares, when it differs. */
  readonly serverContract?: Service | undefined;
  readonly onCall?: ((call: IncomingCall) => void) | undefined;
  readonly clientLimits?: Partial<SessionLimits> | undefined;
  readonly serverLimits?: Partial<SessionLimits> | undefined;
  readonly maxConnections?: number | undefined;
  readonly authenticate?: ((peer: StreamPeer) => unknown) | undefined;
  readonly seed?: number | undefined;
  readonly latencyMs?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
  readonly copiesWrites?: boolean | undefined;
  readonly clientCompression?: ((clock: VirtualClock) => Compression) | undefined;
  readonly serverCompression?: ((clock: VirtualClock) => Compression) | undefined;
  readonly ready?: (() => boolean) | undefined;
  /** Told of each connection before any byte is on it. */
  readonly onLink?: ((link: SimulatedLink) => void) | undefined;
}

export async function wirePair(options: WirePairOptions): Promise<WirePair> {
  const { contract, serverContract = contract, seed = 1, latencyMs = 1 } = options;
  const clock = virtualClock();
  const network = simulatedNetwork({
    clock,
    random: seededRandom(seed),
    latencyMs,
    bytesPerSecond: options.bytesPerSecond,
    copiesWrites: options.copiesWrites,
    ...(options.onLink === undefined ? {} : { onLink: options.onLink }),
  });
  const server = createTransport(network.host("server"), { compression: options.serverCompression?.(clock) });
  const client = createTransport(network.host("client"), { compression: options.clientCompression?.(clock) });
  const calls: IncomingCall[] = [];
  const acceptor: CallAcceptor = {
    lookup: (name, method) => (name === serverContract.name ? serverContract.methods[method] : undefined),
    onCall(call) {
      calls.push(call);
      options.onCall?.(call);
    },
    ready: options.ready ?? (() => true),
    load: () => undefined,
    ...(options.authenticate === undefined ? {} : { authenticate: options.authenticate }),
  };
  const listener = await clock.runUntil(
    server.listen(
      {},
      {
        clock,
        random: seededRandom(seed + 1),
        limits: { ...defaultLimits, ...options.serverLimits },
        acceptor,
        identity: { id: "server", generation: "1" },
        maxConnections: options.maxConnections,
      },
    ),
  );
  const states: string[] = [];
  let closed: RpcError | undefined;
  const handler: ConnectionHandler = {
    onReady: () => states.push("ready"),
    onLoad: () => {},
    onDraining: () => states.push("draining"),
    onClosed(error) {
      states.push("closed");
      closed = error;
    },
  };
  const connect = (address = listener.address): ClientConnection =>
    client.connect(address, {
      clock,
      random: seededRandom(seed + 2),
      limits: { ...defaultLimits, ...options.clientLimits },
      handler,
      connectTimeoutMs: 5000,
    });
  return { clock, network, connection: connect(), listener, calls, states, closedWith: () => closed, connect };
}
