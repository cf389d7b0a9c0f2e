import type { ByteConnectOptions, ByteListener, ByteStream, ListenAddress, Random } from "@pipit/protocol";
import { RpcError } from "@pipit/protocol";
import { type Accept, PortTable, splitAddress } from "./port-table.ts";
import { seededRandom } from "./seeded-random.ts";
import { SimulatedHost } from "./simulated-host.ts";
import { type Direction, type PieceBytes, SimulatedLink } from "./simulated-link.ts";
import type { Packet } from "./simulated-wire.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Bytes that the kernels of both ends hold together: near what Linux gives a fresh connection. */
const minWindowBytes = 262_144;
/** Largest piece in which bytes travel unless told: what Node reads from a socket at once. */
const defaultPieceBytes = 65_536;

/** Options of {@link simulatedNetwork}. */
export interface SimulatedNetworkOptions {
  readonly clock: VirtualClock;
  /** Draws jitter and piece sizes. Default `seededRandom(1)`. */
  readonly random?: Random | undefined;
  /** One way, in milliseconds. Default 0. */
  readonly latencyMs?: number | undefined;
  /** Each packet takes up to this much longer. Default 0. */
  readonly jitterMs?: number | undefined;
  /** Of each connection, each way. Default Infinity. */
  readonly bytesPerSecond?: number | undefined;
  /**
   * Bytes that both kernels hold before the sender has to keep the rest. Default 262,144, or twice what fits on the way
   * (bandwidth × round trip) when that is more, as Linux would grow it.
   */
  readonly windowBytes?: number | undefined;
  /** Bytes travel in pieces of at most this size; `1` is one byte at a time, `"random"` draws each. Default 65,536. */
  readonly pieceBytes?: PieceBytes | undefined;
  /**
   * The kernel copies what it takes, as a real one does, and streams say so (`ByteStream.copiesWrites`). Default false: the very
   * arrays arrive, so that a writer that uses them again is found out.
   */
  readonly copiesWrites?: boolean | undefined;
  /** The streams say they cannot be read by strangers. Default false. */
  readonly secure?: boolean | undefined;
  /** Told of each new connection before any byte is on it: the place to arm faults. */
  readonly onLink?: ((link: SimulatedLink) => void) | undefined;
  /** Told of each packet that arrives: the trace of a run. */
  readonly onPacket?: ((event: PacketEvent) => void) | undefined;
}

/** One packet that arrived. */
export interface PacketEvent {
  readonly atMs: number;
  /** {@link SimulatedLink.id} of its connection. */
  readonly linkId: number;
  readonly direction: Direction;
  readonly type: Packet["type"];
  /** Payload of data, or bytes that the application has read. */
  readonly sizeBytes: number;
}

/** Hosts that reach each other by name, with latency, bandwidth and faults, in virtual time. */
export interface SimulatedNetwork {
  /** The host of that name; made at first use, and anew after it crashed. */
  host(name: string): SimulatedHost;
  /** Connections that stand, oldest first. */
  readonly links: readonly SimulatedLink[];
  /** Nothing passes between the two groups, either way, until {@link heal}; what was sent meanwhile then arrives late. */
  partition(some: readonly string[], others: readonly string[]): void;
  /** Ends all partitions. */
  heal(): void;
}

/** Creates a {@link SimulatedNetwork}. One seed gives one run. */
export function simulatedNetwork(options: SimulatedNetworkOptions): SimulatedNetwork {
  const { clock, secure = false, copiesWrites = false, onLink, onPacket } = options;
  const random = options.random ?? seededRandom(1);
  const latencyMs = options.latencyMs ?? 0;
  const jitterMs = options.jitterMs ?? 0;
  const bytesPerMs = (options.bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1_000;
  const windowBytes = options.windowBytes ?? defaultWindowBytes(bytesPerMs, latencyMs);
  const pieceBytes = options.pieceBytes ?? defaultPieceBytes;

  const hosts = new Map<string, Machine>();
  const links = new Set<PlacedLink>();
  const cuts = new Set<string>();
  const held: (() => void)[] = [];
  let linkCount = 0;

  function machine(name: string): Machine {
    const known = hosts.get(name);
    if (known !== undefined && !known.host.isGone) return known;
    const made = {
      host: new SimulatedHost(name, clock, network),
      ports: known?.ports ?? new PortTable(name),
      dark: false,
    };
    hosts.set(name, made);
    return made;
  }

  const network = {
    connect: (from: SimulatedHost, address: string, { signal }: ByteConnectOptions) =>
      new Promise<ByteStream>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const target = splitAddress(address);
        if (target === undefined) {
          return reject(new RpcError("invalid_argument", `Address ${JSON.stringify(address)}: expected host:port`));
        }
        const abort = (): void => reject(signal.reason);
        signal.addEventListener("abort", abort, { once: true });
        const settle = (fn: () => void): void => {
          from.run(() => {
            signal.removeEventListener("abort", abort);
            fn();
          });
        };
        const fail = (why: string): void =>
          settle(() => reject(new RpcError("unavailable", `Cannot connect to ${address}: ${why}`)));
        if (!hosts.has(target.host)) return clock.turn(() => fail(`no host is called ${target.host}`));
        travel(from.hostName, target.host, () => {
          const { host, ports } = hosts.get(target.host) as Machine;
          const accept = host.refusesConnections ? undefined : ports.acceptAt(target.port);
          if (accept === undefined) return travel(target.host, from.hostName, () => fail("the connection was refused"));
          const link = createLink(from, host, address, accept);
          travel(target.host, from.hostName, () => {
            if (signal.aborted) link.clientStream.destroy();
            else settle(() => resolve(link.clientStream));
          });
        });
      }),

    listen(at: SimulatedHost, where: ListenAddress, accept: Accept): Promise<ByteListener> {
      return new Promise((resolve) => {
        if (where.path !== undefined)
          throw new TypeError(`Cannot listen on ${where.path}: the simulation has no paths`);
        resolve(machine(at.hostName).ports.listen(where.port ?? 0, accept));
      });
    },

    onThaw(host: SimulatedHost): void {
      for (const { link, client, server } of links) {
        if (client === host) link.wake("client");
        if (server === host) link.wake("server");
      }
    },

    onGone(host: SimulatedHost, silently: boolean): void {
      const gone = hosts.get(host.hostName);
      if (gone !== undefined) {
        gone.ports.clear();
        gone.dark = silently;
      }
      for (const { link, client, server } of links) {
        if (client !== host && server !== host) continue;
        if (silently) link.silence();
        if (client === host) link.clientStream.destroy();
        if (server === host) link.serverStream.destroy();
      }
    },
  };

  /** One packet of a handshake: held back by a partition, as it would be sent again. */
  function travel(from: string, to: string, arrive: () => void): void {
    clock.at(clock.now() + latencyMs, () => {
      if (cuts.has(pair(from, to))) held.push(() => travel(from, to, arrive));
      else if (hosts.get(to)?.dark !== true) arrive();
    });
  }

  function createLink(client: SimulatedHost, server: SimulatedHost, address: string, accept: Accept): SimulatedLink {
    const clientAddress = `${client.hostName}:${machine(client.hostName).ports.takePort()}`;
    const link = new SimulatedLink({
      id: ++linkCount,
      timeline: clock,
      random,
      client,
      server,
      clientPeer: { address: clientAddress, secure, local: false },
      serverPeer: { address, secure, local: false },
      latencyMs,
      jitterMs,
      bytesPerMs,
      windowBytes,
      pieceBytes,
      copiesWrites,
      isCut: () => cuts.has(pair(client.hostName, server.hostName)),
      onPacket: onPacket === undefined ? undefined : report,
    });
    for (const old of links) if (old.link.isClosed) links.delete(old);
    links.add({ link, client, server });
    onLink?.(link);
    server.run(() => accept(link.serverStream));
    return link;
  }

  function report(link: SimulatedLink, direction: Direction, packet: Packet): void {
    const sizeBytes = packet.type === "data" ? packet.bytes.byteLength : packet.type === "read" ? packet.count : 0;
    onPacket?.({ atMs: clock.now(), linkId: link.id, direction, type: packet.type, sizeBytes });
  }

  return {
    host: (name) => machine(name).host,
    get links() {
      return [...links].map((placed) => placed.link).filter((link) => !link.isClosed);
    },
    partition(some, others) {
      for (const a of some) for (const b of others) cuts.add(pair(a, b));
    },
    heal() {
      cuts.clear();
      for (const { link } of links) link.resend();
      for (const again of held.splice(0)) again();
    },
  };
}

/** A host and its ports. */
interface Machine {
  readonly host: SimulatedHost;
  readonly ports: PortTable;
  /** It lost its power: nothing that is sent there arrives. */
  dark: boolean;
}

/** A connection and the processes at its ends. */
interface PlacedLink {
  readonly link: SimulatedLink;
  readonly client: SimulatedHost;
  readonly server: SimulatedHost;
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function defaultWindowBytes(bytesPerMs: number, latencyMs: number): number {
  const onTheWayBytes = Number.isFinite(bytesPerMs) ? bytesPerMs * latencyMs * 2 : 0;
  return Math.max(minWindowBytes, onTheWayBytes * 2);
}
