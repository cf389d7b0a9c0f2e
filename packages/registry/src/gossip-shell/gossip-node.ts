import { joinHostPort } from "../address.ts";
import type { Clock } from "../clock.ts";
import { DEFAULT_TIMING, type GossipConfig, type GossipTiming } from "../gossip/config.ts";
import { createGossipCore } from "../gossip/core.ts";
import { nodeAead } from "../gossip/node-aead.ts";
import type { GossipCore, GossipEvent, GossipRandom } from "../gossip/types.ts";
import { afterReads } from "../system-clock.ts";
import { bindError } from "./bind-error.ts";
import { type DatagramSocket, openDatagramSocket } from "./datagram-socket.ts";
import { GossipStreams } from "./gossip-streams.ts";

/** Ports tried when any port will do and UDP does not have the one that TCP got. */
const maxPortTries = 16;
/** A timer this late means that the process stood still, and that its sockets hold what happened meanwhile. */
const stallMs = 50;
/** Passes over the sockets after a stall. Each reads some 32 datagrams, so this is a full receive buffer. */
const maxDrainPasses = 64;

/** What {@link openGossipNode} takes. */
export interface GossipNodeOptions {
  readonly id: string;
  /** Address to bind, an IP address. */
  readonly host: string;
  /** Port to bind for UDP and TCP alike; 0 for any. */
  readonly port: number;
  /** IP address that others reach this node at. */
  readonly advertise: string;
  readonly generation: number;
  readonly cluster: string | undefined;
  readonly keys: readonly Uint8Array[] | undefined;
  readonly member: boolean;
  readonly timing: Partial<GossipTiming> | undefined;
  readonly clock: Clock;
  readonly random: GossipRandom;
  /** Called while the core runs: must not call back into it. */
  readonly onEvent: (event: GossipEvent) => void;
  /** The event loop stood still for this long before a timer ran. */
  readonly onStall: (lateMs: number) => void;
  /** Called after each batch of events, when the core may be called again. */
  readonly onSettled: () => void;
}

/** A gossip core on real sockets: reads, obeys, keeps its one timer, and decides nothing. */
export interface GossipNode {
  /** The port that was bound. */
  readonly port: number;
  /** Calls the core. Its events have been delivered when this returns. */
  run<T>(use: (core: GossipCore, nowMs: number) => T): T;
  /** Open stream connections. */
  readonly connectionCount: number;
  /** Closes the sockets at once, without a farewell. Twice is fine. */
  close(): Promise<void>;
}

/**
 * Binds UDP and TCP on one port, and starts the core.
 *
 * @throws Error of the system when the port cannot be bound, with nothing left open.
 */
export async function openGossipNode(options: GossipNodeOptions): Promise<GossipNode> {
  const node = new Node(options);
  await node.open();
  return node;
}

class Node implements GossipNode {
  readonly #options: GossipNodeOptions;
  #core: GossipCore | undefined;
  #datagrams: DatagramSocket | undefined;
  #streams: GossipStreams;
  #port = 0;
  #closed = false;
  #readCount = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #draining = false;

  constructor(options: GossipNodeOptions) {
    this.#options = options;
    this.#streams = this.#createStreams();
  }

  get port(): number {
    return this.#port;
  }

  get connectionCount(): number {
    return this.#streams.connectionCount;
  }

  async open(): Promise<void> {
    await this.#bind();
    const { id, advertise, generation, cluster, keys, member, timing, random, clock } = this.#options;
    const config: GossipConfig = {
      id,
      address: joinHostPort(advertise, this.#port),
      generation,
      cluster,
      member,
      timing,
      ...(keys !== undefined && { keys, aead: nodeAead() }),
    };
    this.#core = createGossipCore(config, random, {
      datagram: (to, bytes) => this.#datagrams?.send(to, bytes),
      stream: (to, bytes, fresh) => this.#streams.send(to, bytes, fresh),
      wake: (atMs) => {
        this.#wakeAtMs = atMs;
      },
      event: (event) => this.#options.onEvent(this.#withAddress(event)),
    });
    this.#core.start(clock.now());
    this.#settle();
  }

  run<T>(use: (core: GossipCore, nowMs: number) => T): T {
    try {
      return use(this.#core as GossipCore, this.#options.clock.now());
    } finally {
      this.#settle();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#datagrams?.close();
    await this.#streams.close();
  }

  /** A stranger that came by stream is known to the core by a key of ours: to others its address says more. */
  #withAddress(event: GossipEvent): GossipEvent {
    if (event.type !== "keyMismatch" && event.type !== "clusterMismatch") return event;
    const from = this.#streams.remoteAddress(event.from);
    return from === undefined ? event : { ...event, from };
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        this.#port = await this.#streams.listen(port, host);
        this.#datagrams = await openDatagramSocket(this.#port, host, (from, bytes) => {
          this.#feed((core, nowMs) => core.receive(from, bytes, nowMs));
        });
        return;
      } catch (error) {
        await this.#streams.close();
        const taken = (error as { readonly code?: string }).code === "EADDRINUSE";
        if (port !== 0 || !taken || tries === maxPortTries) throw bindError(error, host, port);
        this.#streams = this.#createStreams();
      }
    }
  }

  #createStreams(): GossipStreams {
    const { timing, clock } = this.#options;
    return new GossipStreams({
      clock,
      maxFrameBytes: timing?.maxStreamBytes ?? DEFAULT_TIMING.maxStreamBytes,
      onMessage: (from, bytes) => this.#feed((core, nowMs) => core.receiveStream(from, bytes, nowMs)),
      onOpened: (to) => this.#feed((core, nowMs) => core.streamOpened(to, nowMs)),
      onFailed: (to, reason) => this.#feed((core, nowMs) => core.streamFailed(to, reason, nowMs)),
    });
  }

  #feed(use: (core: GossipCore, nowMs: number) => void): void {
    if (this.#closed || this.#core === undefined) return;
    this.#readCount += 1;
    this.run(use);
  }

  #settle(): void {
    this.#options.onSettled();
    this.#arm();
  }

  /** One timer. A wish for later than it stands is noted, and taken up when it fires: wishes move on with every packet. */
  #arm(): void {
    if (this.#closed || this.#draining || this.#wakeAtMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = this.#wakeAtMs;
    const waitMs = Math.max(0, this.#wakeAtMs - this.#options.clock.now());
    this.#cancelTimer = this.#options.clock.after(waitMs, () => this.#due());
  }

  #due(): void {
    const lateMs = this.#options.clock.now() - this.#timerAtMs;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    if (this.#options.clock.now() < this.#wakeAtMs) return this.#arm();
    if (lateMs >= stallMs) this.#options.onStall(lateMs);
    // Node runs timers before it reads sockets, so the answers to what is about to be judged late may wait in the
    // kernel. Read first: one pass always, and after a stall until one pass brings nothing.
    this.#draining = true;
    let passes = lateMs >= stallMs ? maxDrainPasses : 1;
    let readBefore = -1;
    const pass = (): void => {
      if (this.#closed) return;
      passes -= 1;
      if (readBefore === this.#readCount) passes = 0;
      readBefore = this.#readCount;
      if (passes > 0) return afterReads(pass);
      this.#draining = false;
      this.#wakeAtMs = Number.POSITIVE_INFINITY; // a tick always wishes anew
      this.run((core, nowMs) => core.tick(nowMs));
    };
    afterReads(pass);
  }
}
