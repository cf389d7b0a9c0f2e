/**
 * A cluster of real gossip cores in virtual time: datagrams and streams with latency, loss, cuts; stalls, crashes and
 * restarts; all from one seed. Streams behave as TCP does where it matters: dialling takes a round trip and its SYN is
 * retried after 1 s and 3 s; lost segments come late (200, 400 … ms), never out of order; a stalled process accepts and
 * answers later; a dead process refuses; a dead host is silent.
 */
import { type DatagramConditions, type DatagramNetwork, datagramNetwork, seededRandom } from "@pipit/simulation";
import {
  type Aead,
  type GossipConfig,
  type GossipCore,
  type GossipEvent,
  type GossipTiming,
  createGossipCore,
} from "../../src/gossip/index.ts";
import { EventHeap } from "./event-heap.ts";

/** What a lost host costs a dialler before it gives up. */
const DIAL_TIMEOUT_MS = 3_000;
/** Datagrams that wait in the kernel of a stalled process. */
const BACKLOG_DATAGRAMS = 1_000;
const FIRST_GENERATION = 1_700_000_000_000;
const UDP_HEAD_BYTES = 28;

export interface WorldOptions {
  readonly seed: number;
  readonly network?: Partial<DatagramConditions>;
  readonly timing?: Partial<GossipTiming>;
  readonly keys?: readonly Uint8Array[];
  readonly aead?: Aead;
  /** After a stall, due timers run before queued packets are read: the mistake the driver must not make. Default false. */
  readonly timersFirst?: boolean;
  readonly onEvent?: (node: SimNode, event: GossipEvent, nowMs: number) => void;
  /** Sees every datagram as it is sent. */
  readonly onDatagram?: (from: SimNode, to: string, bytes: Uint8Array, nowMs: number) => void;
}

export interface SimNode {
  readonly index: number;
  readonly id: string;
  readonly address: string;
  core: GossipCore;
  /** "down": the process is gone and its kernel refuses. "dark": the whole host is. */
  state: "up" | "down" | "dark";
  life: number;
  /** When the core wishes to be woken, and when its timer fires next: a wish for later than that waits until then. */
  wakeMs: number;
  timerMs: number;
  stalledUntilMs: number;
  /** Timers run, sockets are not read. */
  deafUntilMs: number;
  backlog: Arrival[];
  /** Sent since `resetTraffic`, IP and UDP heads included; streams without. */
  packets: number;
  bytes: number;
  received: number;
  lastGeneration: number;
}

type Arrival =
  | { readonly kind: "datagram"; readonly from: string; readonly bytes: Uint8Array }
  | { readonly kind: "stream"; readonly from: string; readonly bytes: Uint8Array }
  | { readonly kind: "opened"; readonly to: string }
  | { readonly kind: "failed"; readonly to: string; readonly reason: "refused" | "reset" | "unreachable" };

/** Something for a node in one life of it. No arrival: its timer. */
interface NodeEvent {
  readonly node: SimNode;
  readonly life: number;
  readonly arrival: Arrival | undefined;
}

interface Connection {
  readonly from: SimNode;
  readonly to: SimNode;
  readonly fromLife: number;
  readonly toLife: number;
  /** No segment arrives before the one sent earlier: per direction. */
  lastForthMs: number;
  lastBackMs: number;
}

export class World {
  nowMs = 0;
  readonly nodes: SimNode[] = [];
  readonly network: DatagramNetwork;
  readonly options: WorldOptions;
  /** Folds in every datagram: equal seeds must give equal traces. */
  trace = 0;
  /** Events handled, for the speed test. */
  events = 0;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #heap = new EventHeap<NodeEvent | (() => void)>();
  readonly #byAddress = new Map<string, SimNode>();
  readonly #connections = new Map<number, Connection>();
  readonly #kept = new Map<number, number>();
  #nextConnection = 1;
  #boot: { node: SimNode; ready: boolean } | undefined;

  constructor(options: WorldOptions) {
    this.options = options;
    this.#random = seededRandom(options.seed);
    this.network = datagramNetwork(seededRandom(options.seed ^ 0x5bd1e995), options.network);
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor((this.#random.u32() / 2 ** 32) * n);
  }

  chance(share: number): boolean {
    return this.#random.u32() / 2 ** 32 < share;
  }

  add(id: string, address: string, config: Partial<GossipConfig> = {}): SimNode {
    const node: SimNode = {
      index: this.nodes.length,
      id,
      address,
      core: undefined as unknown as GossipCore,
      state: "up",
      life: 0,
      wakeMs: Number.POSITIVE_INFINITY,
      timerMs: Number.POSITIVE_INFINITY,
      stalledUntilMs: 0,
      deafUntilMs: 0,
      backlog: [],
      packets: 0,
      bytes: 0,
      received: 0,
      lastGeneration: FIRST_GENERATION - 1,
    };
    this.nodes.push(node);
    this.#byAddress.set(address, node);
    this.#build(node, config);
    return node;
  }

  #build(node: SimNode, config: Partial<GossipConfig>): void {
    const { timing, keys, aead } = this.options;
    const life = ++node.life;
    node.state = "up";
    node.wakeMs = Number.POSITIVE_INFINITY;
    node.timerMs = Number.POSITIVE_INFINITY;
    node.stalledUntilMs = 0;
    node.deafUntilMs = 0;
    node.backlog = [];
    const generation =
      config.generation ?? Math.max(node.lastGeneration + 1, FIRST_GENERATION + Math.floor(this.nowMs));
    node.lastGeneration = generation;
    const random = seededRandom(this.#random.u32() * 2 ** 20 + (this.#random.u32() >>> 12));
    const whole: GossipConfig = { id: node.id, address: node.address, timing, keys, aead, ...config, generation };
    node.core = createGossipCore(whole, random, {
      datagram: (to, bytes) => {
        if (node.life === life) this.#sendDatagram(node, to, bytes);
      },
      stream: (to, bytes, fresh) => {
        if (node.life === life) this.#sendStream(node, to, bytes, fresh);
      },
      wake: (atMs) => {
        if (node.life !== life || node.state !== "up") return;
        node.wakeMs = atMs;
        this.#arm(node);
      },
      event: (event) => this.options.onEvent?.(node, event, this.nowMs),
    });
  }

  start(node: SimNode): void {
    node.core.start(this.nowMs);
  }

  /** The process dies (its kernel refuses from now on), or with "dark" its host (silence). */
  crash(node: SimNode, state: "down" | "dark"): void {
    node.state = state;
    node.life++;
    node.backlog = [];
    if (state !== "down") return;
    // The kernel of a dead process resets its connections: both ends of kept ones hear of it.
    for (const [key, id] of this.#kept) {
      const c = this.#connections.get(id);
      if (c === undefined) this.#kept.delete(key);
      else if (c.to === node && c.from.state === "up" && c.from !== node) {
        this.#kept.delete(key);
        if (this.network.isOpen(node.address, c.from.address))
          this.#arrive(c.from, this.network.latencyMs(), { kind: "failed", to: node.address, reason: "reset" });
      }
    }
  }

  /** Another life under the same id and address, with nothing remembered. */
  restart(node: SimNode, config: Partial<GossipConfig> = {}): void {
    node.life++;
    this.#build(node, config);
    node.core.start(this.nowMs);
  }

  /** The process does nothing for a while; its kernel goes on receiving. */
  stall(node: SimNode, forMs: number): void {
    if (node.state !== "up") return;
    node.stalledUntilMs = this.nowMs + forMs;
    const life = node.life;
    this.at(node.stalledUntilMs, () => {
      if (node.life === life && node.stalledUntilMs <= this.nowMs) this.#resume(node);
    });
  }

  /** The process goes on with its timers and reads nothing for a while, as when its messages wait behind other work. */
  deafen(node: SimNode, forMs: number): void {
    if (node.state !== "up") return;
    node.deafUntilMs = this.nowMs + forMs;
    const life = node.life;
    this.at(node.deafUntilMs, () => {
      if (node.life === life && node.deafUntilMs <= this.nowMs) this.#resume(node);
    });
  }

  #resume(node: SimNode): void {
    const life = node.life;
    const backlog = node.backlog;
    node.backlog = [];
    const drain = (): void => {
      for (const arrival of backlog) if (node.life === life) this.#deliver(node, arrival);
    };
    if (this.options.timersFirst !== true) drain();
    if (node.life === life && node.wakeMs <= this.nowMs) this.#tick(node);
    if (this.options.timersFirst === true) drain();
  }

  #arm(node: SimNode): void {
    if (node.wakeMs >= node.timerMs) return;
    node.timerMs = node.wakeMs;
    this.#heap.push({ node, life: node.life, arrival: undefined }, node.wakeMs);
  }

  #tick(node: SimNode): void {
    node.wakeMs = Number.POSITIVE_INFINITY; // a tick always wishes anew
    node.core.tick(this.nowMs);
  }

  at(atMs: number, run: () => void): void {
    this.#heap.push(run, atMs);
  }

  after(ms: number, run: () => void): void {
    this.at(this.nowMs + ms, run);
  }

  run(untilMs: number): void {
    const heap = this.#heap;
    for (let dueMs = heap.firstMs; dueMs <= untilMs; dueMs = heap.firstMs) {
      const event = heap.shift();
      if (event === undefined) break;
      this.nowMs = dueMs;
      this.events++;
      if (typeof event === "function") event();
      else this.#handle(event.node, event);
    }
    this.nowMs = untilMs;
  }

  #handle(node: SimNode, event: NodeEvent): void {
    if (event.life !== node.life || node.state !== "up") return;
    const stalled = node.stalledUntilMs > this.nowMs;
    if (event.arrival !== undefined) {
      if (!stalled && node.deafUntilMs <= this.nowMs) this.#deliver(node, event.arrival);
      else if (event.arrival.kind !== "datagram" || node.backlog.length < BACKLOG_DATAGRAMS)
        node.backlog.push(event.arrival);
      return;
    }
    if (this.nowMs !== node.timerMs) return;
    node.timerMs = Number.POSITIVE_INFINITY;
    if (stalled) return;
    if (node.wakeMs <= this.nowMs) this.#tick(node);
    else this.#arm(node);
  }

  #deliver(node: SimNode, arrival: Arrival): void {
    switch (arrival.kind) {
      case "datagram":
        node.received += arrival.bytes.length + UDP_HEAD_BYTES;
        return node.core.receive(arrival.from, arrival.bytes, this.nowMs);
      case "stream":
        node.received += arrival.bytes.length;
        return node.core.receiveStream(arrival.from, arrival.bytes, this.nowMs);
      case "opened":
        return node.core.streamOpened(arrival.to, this.nowMs);
      case "failed":
        return node.core.streamFailed(arrival.to, arrival.reason, this.nowMs);
    }
  }

  #arrive(node: SimNode, delayMs: number, arrival: Arrival): void {
    this.#heap.push({ node, life: node.life, arrival }, this.nowMs + delayMs);
  }

  #sendDatagram(from: SimNode, to: string, bytes: Uint8Array): void {
    if (from.state !== "up") return;
    if (bytes.length > 1_200) throw new Error(`Datagram of ${bytes.length} bytes, wanted at most 1200`);
    from.packets++;
    from.bytes += bytes.length + UDP_HEAD_BYTES;
    this.trace = mixTrace(this.trace, this.nowMs, from.index, bytes);
    this.options.onDatagram?.(from, to, bytes, this.nowMs);
    // Members learn of each other from boot by exchange only, else each run would begin with a gossip of a thousand joins.
    if (this.#boot?.node === from) return;
    const target = this.#byAddress.get(to);
    if (target === undefined || target.state !== "up") return;
    const delays = this.network.deliveries(from.address, to);
    if (delays.length === 0) return;
    const copy = bytes.slice();
    for (const delayMs of delays) this.#arrive(target, delayMs, { kind: "datagram", from: from.address, bytes: copy });
  }

  #sendStream(from: SimNode, to: string, bytes: Uint8Array, fresh: boolean): void {
    if (from.state !== "up") return;
    from.bytes += bytes.length;
    this.trace = mixTrace(this.trace, this.nowMs, from.index, bytes);
    const copy = bytes.slice();
    if (to.startsWith("#")) this.#reply(from, to, copy);
    else this.#dialOrReuse(from, to, copy, fresh);
  }

  #reply(from: SimNode, to: string, bytes: Uint8Array): void {
    const c = this.#connections.get(Number(to.slice(1)));
    if (c === undefined || c.to !== from || c.toLife !== from.life || c.fromLife !== c.from.life) return;
    if (this.#boot?.node === from && !this.#boot.ready && bytes.length > 120) return;
    const delayMs = this.#segment(from, c.from);
    if (delayMs === undefined) return;
    c.lastBackMs = Math.max(this.nowMs + delayMs, c.lastBackMs);
    this.#arrive(c.from, c.lastBackMs - this.nowMs, { kind: "stream", from: from.address, bytes });
  }

  #dialOrReuse(from: SimNode, to: string, bytes: Uint8Array, fresh: boolean): void {
    const target = this.#byAddress.get(to);
    const fail = (reason: "refused" | "reset" | "unreachable", delayMs: number): void =>
      this.#arrive(from, delayMs, { kind: "failed", to, reason });
    if (target === undefined || target.state === "dark" || !this.#bothOpen(from, target)) {
      fail("unreachable", DIAL_TIMEOUT_MS);
      return;
    }
    const key = from.index * 65_536 + target.index;
    const kept = fresh ? undefined : this.#connections.get(this.#kept.get(key) ?? 0);
    if (kept !== undefined && kept.fromLife === from.life && kept.toLife === target.life) {
      this.#forth(kept, target, bytes, 0);
      return;
    }
    const dialMs = this.#dialTime();
    if (dialMs === undefined) return fail("unreachable", DIAL_TIMEOUT_MS);
    if (target.state === "down") return fail("refused", dialMs);
    const id = this.#nextConnection++;
    const c: Connection = { from, to: target, fromLife: from.life, toLife: target.life, lastForthMs: 0, lastBackMs: 0 };
    this.#connections.set(id, c);
    const old = this.#kept.get(key);
    this.#kept.set(key, id);
    // Replies on the connection that is replaced may still be under way for a while.
    if (old !== undefined) this.after(10_000, () => this.#connections.delete(old));
    if (fresh) this.#arrive(from, dialMs, { kind: "opened", to });
    this.#forth(c, target, bytes, dialMs, id);
  }

  #forth(c: Connection, target: SimNode, bytes: Uint8Array, dialMs: number, id?: number): void {
    const delayMs = this.#segment(c.from, target);
    if (delayMs === undefined) return;
    const name = id ?? this.#kept.get(c.from.index * 65_536 + target.index);
    c.lastForthMs = Math.max(this.nowMs + dialMs + delayMs, c.lastForthMs);
    this.#arrive(target, c.lastForthMs - this.nowMs, { kind: "stream", from: `#${name}`, bytes });
  }

  #bothOpen(a: SimNode, b: SimNode): boolean {
    return this.network.isOpen(a.address, b.address) && this.network.isOpen(b.address, a.address);
  }

  /** A round trip, with SYN or its answer lost now and then. */
  #dialTime(): number | undefined {
    for (const backoffMs of [0, 1_000]) {
      if (!this.network.isLost() && !this.network.isLost())
        return backoffMs + this.network.latencyMs() + this.network.latencyMs();
    }
    return undefined;
  }

  /** Transit of one segment with its retransmissions, or undefined when the way is cut. */
  #segment(from: SimNode, to: SimNode): number | undefined {
    if (!this.#bothOpen(from, to)) return undefined;
    let lateMs = 0;
    for (let rtoMs = 200; this.network.isLost(); rtoMs *= 2) {
      lateMs += rtoMs;
      if (rtoMs > 10_000) return undefined;
    }
    return lateMs + this.network.latencyMs();
  }

  /**
   * Builds `count` members that all know each other, by letting each join through one member that knows all and then
   * leaves. Returns with the world at a quiet moment.
   */
  bootstrap(count: number, config: (index: number) => Partial<GossipConfig> = () => ({})): SimNode[] {
    const boot = this.add("boot", "boot:1");
    this.#boot = { node: boot, ready: false };
    this.start(boot);
    const members: SimNode[] = [];
    for (let i = 0; i < count; i++) {
      const node = this.add(`node-${i}`, `10.0.${i >> 8}.${i & 255}:7946`, { seeds: ["boot:1"], ...config(i) });
      members.push(node);
    }
    for (const node of members) this.start(node);
    let waitedMs = 0;
    while (boot.core.size.members < count + 1) {
      this.run(this.nowMs + 50);
      waitedMs += 50;
      if (waitedMs > 60_000) throw new Error(`Bootstrap: ${boot.core.size.members} of ${count + 1} arrived`);
    }
    this.#boot.ready = true;
    boot.core.leave(this.nowMs);
    while (members.some((m) => m.core.size.members < count)) {
      this.run(this.nowMs + 100);
      waitedMs += 100;
      if (waitedMs > 60_000) throw new Error("Bootstrap: not everybody has joined");
    }
    this.crash(boot, "dark");
    this.#byAddress.delete("boot:1");
    for (const m of members) m.core.setSeeds(members.slice(0, 3).map((s) => s.address));
    this.run(this.nowMs + 5_000);
    return members;
  }

  resetTraffic(): void {
    for (const node of this.nodes) {
      node.packets = 0;
      node.bytes = 0;
      node.received = 0;
    }
  }
}

function mixTrace(trace: number, nowMs: number, index: number, bytes: Uint8Array): number {
  let h = Math.imul(trace ^ Math.floor(nowMs * 1_000), 0x01000193);
  h = Math.imul(h ^ index, 0x01000193);
  h = Math.imul(h ^ bytes.length, 0x01000193);
  const last = bytes.length - 1;
  h ^= (bytes[last] as number) | ((bytes[last >> 1] as number) << 8) | ((bytes[last - 4] as number) << 16);
  return h ^ (h >>> 13);
}
