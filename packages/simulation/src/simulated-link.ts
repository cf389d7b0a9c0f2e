import type { Random, StreamPeer } from "@pipit/protocol";
import { between } from "./seeded-random.ts";
import { SimulatedStream } from "./simulated-stream.ts";
import { type Packet, SimulatedWire, type Timeline } from "./simulated-wire.ts";

/** A direction of a connection: from the client to the server, or back. */
export type Direction = "toServer" | "toClient";

/** Size of the pieces in which bytes travel: at most so many, or drawn anew for each piece between 1 and 65,536. */
export type PieceBytes = number | "random";

/** The process at one end: it can be frozen or gone. */
export interface LinkHost {
  /** Calls back into the application, or keeps the call until it can run. */
  readonly run: (fn: () => void) => void;
  readonly isFrozen: () => boolean;
}

/** What a connection is made of. */
export interface LinkOptions {
  readonly id: number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly client: LinkHost;
  readonly server: LinkHost;
  /** Who the server sees, and who the client sees. */
  readonly clientPeer: StreamPeer;
  readonly serverPeer: StreamPeer;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerMs: number;
  readonly windowBytes: number;
  readonly pieceBytes: PieceBytes;
  readonly copiesWrites: boolean;
  readonly isCut: () => boolean;
  /** Told of each packet that arrives. */
  readonly onPacket?: ((link: SimulatedLink, direction: Direction, packet: Packet) => void) | undefined;
}

/** One simulated connection, as the one who tests sees it: both ends, what they sent, and the faults. */
export class SimulatedLink {
  /** Counts from 1 in the order in which connections were made. */
  readonly id: number;
  /** Address of the connecting end, as the server sees it. */
  readonly clientAddress: string;
  /** Address that was connected to. */
  readonly serverAddress: string;
  /** @internal */
  readonly clientStream: SimulatedStream;
  /** @internal */
  readonly serverStream: SimulatedStream;
  readonly #wires: Readonly<Record<Direction, SimulatedWire>>;
  readonly #sentBytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #cutAtBytes: Record<Direction, number> = {
    toServer: Number.POSITIVE_INFINITY,
    toClient: Number.POSITIVE_INFINITY,
  };

  /** @internal Links come with connections. */
  constructor(options: LinkOptions) {
    const { timeline, onPacket } = options;
    this.id = options.id;
    this.clientAddress = options.clientPeer.address;
    this.serverAddress = options.serverPeer.address;
    this.clientStream = this.#createStream(options, options.client, options.serverPeer, "toServer");
    this.serverStream = this.#createStream(options, options.server, options.clientPeer, "toClient");
    this.#wires = {
      toServer: new SimulatedWire(timeline, options, (packet) => {
        onPacket?.(this, "toServer", packet);
        this.serverStream.receive(packet);
      }),
      toClient: new SimulatedWire(timeline, options, (packet) => {
        onPacket?.(this, "toClient", packet);
        this.clientStream.receive(packet);
      }),
    };
  }

  /** Both ends are closed. */
  get isClosed(): boolean {
    return this.clientStream.isClosed && this.serverStream.isClosed;
  }

  /** Bytes put on the wire so far in one direction; the faults of {@link cutAfterBytes} count the same way. */
  sentBytes(direction: Direction): number {
    return this.#sentBytes[direction];
  }

  /** Resets the connection now, at both ends; whatever is on the way or unread is lost. */
  reset(): void {
    this.silence();
    this.clientStream.reset();
    this.serverStream.reset();
  }

  /**
   * Resets the connection once exactly `count` bytes have gone that way, counted from its beginning: those arrive, not one
   * more does. With a count already reached it is reset at once.
   */
  cutAfterBytes(direction: Direction, count: number): void {
    this.#cutAtBytes[direction] = count;
    if (this.#sentBytes[direction] >= count) this.#cut();
  }

  /** Bytes, ends and resets vanish without a word: a peer that lost its power. Without a direction, both. */
  silence(direction?: Direction): void {
    if (direction !== "toClient") this.#wires.toServer.silence();
    if (direction !== "toServer") this.#wires.toClient.silence();
  }

  /** The application at one end stops reading, whatever it believes, until {@link resumeReading}. */
  stopReading(end: "client" | "server"): void {
    this.#stream(end).stopReading(true);
  }

  resumeReading(end: "client" | "server"): void {
    this.#stream(end).stopReading(false);
  }

  /** @internal The partition is over. */
  resend(): void {
    this.#wires.toServer.resend();
    this.#wires.toClient.resend();
  }

  /** @internal The process at one end is running again. */
  wake(end: "client" | "server"): void {
    this.#stream(end).wake();
  }

  #stream(end: "client" | "server"): SimulatedStream {
    return end === "client" ? this.clientStream : this.serverStream;
  }

  #createStream(options: LinkOptions, host: LinkHost, peer: StreamPeer, direction: Direction): SimulatedStream {
    const { timeline, random, pieceBytes, windowBytes, copiesWrites } = options;
    return new SimulatedStream(peer, {
      send: (packet) => this.#send(direction, packet),
      dropSent: () => this.#wires[direction].drop(),
      turn: (fn) => timeline.at(timeline.now(), () => host.run(fn)),
      run: host.run,
      isFrozen: host.isFrozen,
      pieceBytes: pieceBytes === "random" ? () => randomPieceBytes(random) : () => pieceBytes,
      joinsReads: pieceBytes === "random" || pieceBytes >= 65_536,
      windowBytes,
      copiesWrites,
    });
  }

  #send(direction: Direction, packet: Packet): void {
    if (packet.type !== "data") return this.#wires[direction].send(packet);
    const leftBytes = this.#cutAtBytes[direction] - this.#sentBytes[direction];
    const bytes = packet.bytes.byteLength < leftBytes ? packet.bytes : packet.bytes.subarray(0, leftBytes);
    this.#sentBytes[direction] += bytes.byteLength;
    if (bytes.byteLength > 0) this.#wires[direction].send({ type: "data", bytes });
    if (bytes.byteLength === leftBytes) this.#cut();
  }

  #cut(): void {
    this.#wires.toServer.finish({ type: "reset" });
    this.#wires.toClient.finish({ type: "reset" });
  }
}

/** Sizes over all orders of magnitude alike, so that single bytes and whole messages both come up often. */
function randomPieceBytes(random: Random): number {
  return between(random, 1, 2 ** between(random, 0, 16));
}
