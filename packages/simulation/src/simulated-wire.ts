import type { Random } from "@pipit/protocol";
import { Fifo } from "./fifo.ts";
import { between } from "./seeded-random.ts";

/** Where events are put: virtual time, or turns of the real event loop that know no time. */
export interface Timeline {
  now(): number;
  /** Calls `fn` at a moment, in a turn of its own; calls for one moment keep their order. */
  at(atMs: number, fn: () => void): void;
}

/** What travels between the two kernels. */
export type Packet =
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "fin" }
  | { readonly type: "reset" }
  /** The application at the other end has read so many bytes. */
  | { readonly type: "read"; readonly count: number };

/** How one direction behaves. */
export interface WireOptions {
  readonly latencyMs: number;
  /** Each packet takes up to this much longer; order is kept, as TCP does. */
  readonly jitterMs: number;
  readonly bytesPerMs: number;
  readonly random: Random;
  /** Asked at arrival: a partition holds packets back, as retransmission would. */
  readonly isCut: () => boolean;
}

/** One direction of a connection: packets arrive in order, each in a turn of its own. */
export class SimulatedWire {
  readonly #timeline: Timeline;
  readonly #options: WireOptions;
  readonly #receive: (packet: Packet) => void;
  readonly #travelling = new Fifo<{ readonly packet: Packet; atMs: number }>();
  #busyUntilMs = 0;
  #lastAtMs = 0;
  #silent = false;

  constructor(timeline: Timeline, options: WireOptions, receive: (packet: Packet) => void) {
    this.#timeline = timeline;
    this.#options = options;
    this.#receive = receive;
  }

  send(packet: Packet): void {
    if (this.#silent) return;
    const { bytesPerMs, latencyMs, jitterMs, random } = this.#options;
    const sizeBytes = packet.type === "data" ? packet.bytes.byteLength : 0;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#timeline.now()) + sizeBytes / bytesPerMs;
    const jitter = jitterMs === 0 ? 0 : between(random, 0, 1_000) * (jitterMs / 1_000);
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#busyUntilMs + latencyMs + jitter);
    this.#travelling.push({ packet, atMs: this.#lastAtMs });
    this.#expect(this.#lastAtMs);
  }

  /** Forgets what travels: the sender's kernel gave the connection up, so nothing lost would be sent again. */
  drop(): void {
    this.#travelling.clear();
  }

  /** Sends a last packet; whatever is sent after it vanishes. */
  finish(packet: Packet): void {
    this.send(packet);
    this.#silent = true;
  }

  /** From now on everything vanishes, and nobody is told. */
  silence(): void {
    this.#silent = true;
    this.drop();
  }

  /** The partition is over: what it held back is sent again. */
  resend(): void {
    const againAtMs = this.#timeline.now() + this.#options.latencyMs;
    this.#lastAtMs = Math.max(this.#lastAtMs, againAtMs);
    for (const entry of this.#travelling) {
      if (entry.atMs > againAtMs) continue;
      entry.atMs = againAtMs;
      this.#expect(againAtMs);
    }
  }

  #expect(atMs: number): void {
    this.#timeline.at(atMs, () => this.#arrive());
  }

  /** One packet per turn. A call whose packet was dropped or held back finds none that is due. */
  #arrive(): void {
    const first = this.#travelling.first;
    if (first === undefined || first.atMs > this.#timeline.now() || this.#options.isCut()) return;
    this.#travelling.shift();
    this.#receive(first.packet);
  }
}
