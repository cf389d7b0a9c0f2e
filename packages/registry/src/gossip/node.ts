/**
 * What the parts of the core share: configuration, tables, the heap, the buffers packets are built in, and counters.
 * Each part (prober, judge, spreader, reconciler, records) is a file; `core.ts` wires them and hands messages out.
 */
import { Writer } from "./bytes.ts";
import { type GossipConfig, type GossipTiming, resolveTiming, retransmitLimit } from "./config.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import { Envelope } from "./envelope.ts";
import { Member, MemberTable, updateOf } from "./members.ts";
import {
  ALIVE,
  MESSAGE_HEAD_BYTES,
  MessageType,
  type Update,
  beginMessage,
  emptyUpdate,
  endMessage,
  tagHighOf,
  tagLowOf,
  writeUpdate,
} from "./messages.ts";
import { NewsQueue } from "./news-queue.ts";
import type { GossipEffects, GossipRandom, GossipStats } from "./types.ts";

/** Stream contents are cut into messages of about this size. */
export const STREAM_CHUNK_BYTES = 32_768;

export class Node {
  readonly config: GossipConfig;
  readonly timing: Readonly<GossipTiming>;
  readonly random: GossipRandom;
  readonly effects: GossipEffects;
  readonly envelope: Envelope;
  readonly table: MemberTable = new MemberTable();
  readonly heap: DeadlineHeap = new DeadlineHeap();
  readonly news: NewsQueue = new NewsQueue();
  readonly self: Member;
  readonly observer: boolean;
  readonly stats: GossipStats = {
    datagramsSent: 0,
    datagramBytesSent: 0,
    streamMessagesSent: 0,
    streamBytesSent: 0,
    packetsDropped: 0,
    probes: 0,
    probesFailed: 0,
    suspicions: 0,
    refutations: 0,
    confirmations: 0,
    deathsAnnounced: 0,
    syncs: 0,
  };
  localHealth = 0;
  /** "leaving" after `leave`, "stopped" after a lost conflict. */
  phase: "new" | "running" | "leaving" | "stopped" = "new";
  nowMs = 0;
  /** When anybody's packet was last read. */
  heardMs: number = Number.NEGATIVE_INFINITY;
  #sequence: number;
  readonly #datagram: Writer;
  readonly #stream: Writer;
  readonly #maxBody: number;
  /** Longest body that news can have: past it no datagram would ever carry it. */
  readonly maxNewsBytes: number;

  constructor(config: GossipConfig, random: GossipRandom, effects: GossipEffects) {
    this.timing = resolveTiming(config);
    this.config = config;
    this.random = random;
    this.effects = effects;
    this.observer = config.member === false;
    const max = this.timing.maxDatagramBytes;
    this.envelope = new Envelope(config.cluster ?? "pipit", config.aead, config.keys, random, max);
    this.#maxBody = max - this.envelope.tailBytes;
    this.maxNewsBytes = this.#maxBody - this.envelope.headBytes - MESSAGE_HEAD_BYTES;
    this.#datagram = new Writer(max);
    this.#stream = new Writer(4_096, this.timing.maxStreamBytes);
    this.#sequence = random.u32();
    const me: Update = {
      ...emptyUpdate(),
      tagHigh: tagHighOf(config.id, config.generation),
      tagLow: tagLowOf(config.id, config.generation),
      id: config.id,
      address: config.address,
      generation: config.generation,
      rank: ALIVE,
      salt: this.envelope.salt,
    };
    this.self = this.observer ? new Member(me) : this.table.add(me, Number.NEGATIVE_INFINITY);
  }

  /** Numbers of probes and exchanges. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor((this.random.u32() / 2 ** 32) * n);
  }

  /** Timeouts and the probe period stretch with poor local health. */
  stretch(ms: number): number {
    return ms * (this.localHealth + 1);
  }

  /** Lifeguard's awareness: moves the score within its bounds. */
  feel(change: number): void {
    if (!this.timing.localHealth) return;
    this.localHealth = Math.min(this.timing.localHealthMax, Math.max(0, this.localHealth + change));
  }

  /** Live members other than this one, at random, without those that `skip` names. At most `count`. */
  pick(count: number, skip: (m: Member) => boolean): Member[] {
    const live = this.table.live;
    const chosen: Member[] = [];
    if (live.length <= 3 * count + 2) {
      for (const m of live) if (m !== this.self && !skip(m)) chosen.push(m);
      for (let i = chosen.length - 1; i > 0; i--) {
        const j = this.below(i + 1);
        const moved = chosen[i] as Member;
        chosen[i] = chosen[j] as Member;
        chosen[j] = moved;
      }
      if (chosen.length > count) chosen.length = count;
      return chosen;
    }
    for (let tries = 8 * count; tries > 0 && chosen.length < count; tries--) {
      const m = live[this.below(live.length)] as Member;
      if (m !== this.self && !chosen.includes(m) && !skip(m)) chosen.push(m);
    }
    return chosen;
  }

  beginDatagram(): Writer {
    this.envelope.begin(this.#datagram);
    return this.#datagram;
  }

  /** Fills the rest with news, up to `maxBytes` on the wire, and sends. */
  endDatagram(to: string, salt: Uint8Array | undefined, maxBytes: number = this.timing.maxDatagramBytes): void {
    const w = this.#datagram;
    if (this.news.size > 0)
      this.news.write(w, Math.min(this.#maxBody, maxBytes - this.envelope.tailBytes), this.newsLimit());
    this.sendDatagram(to, this.envelope.finish(w, salt));
  }

  /** Sends without news. */
  endBareDatagram(to: string, salt: Uint8Array | undefined): void {
    this.sendDatagram(to, this.envelope.finish(this.#datagram, salt));
  }

  sendDatagram(to: string, bytes: Uint8Array): void {
    this.stats.datagramsSent++;
    this.stats.datagramBytesSent += bytes.length;
    this.effects.datagram(to, bytes);
  }

  beginStream(): Writer {
    this.envelope.begin(this.#stream);
    return this.#stream;
  }

  endStream(to: string, salt: Uint8Array | undefined, fresh: boolean): void {
    this.sendStream(to, this.envelope.finish(this.#stream, salt), fresh);
  }

  sendStream(to: string, bytes: Uint8Array, fresh: boolean): void {
    this.stats.streamMessagesSent++;
    this.stats.streamBytesSent += bytes.length;
    this.effects.stream(to, bytes, fresh);
  }

  newsLimit(): number {
    return retransmitLimit(this.timing, this.table.live.length);
  }

  /** Writes the member as it is seen here; a suspicion or death in this node's name. */
  writeMember(w: Writer, m: Member): void {
    const start = beginMessage(w, MessageType.update);
    writeUpdate(w, updateOf(m, this.self.idHash));
    endMessage(w, start);
  }

  /** Queues the member as it is seen here. */
  tell(m: Member): void {
    const w = SCRATCH;
    w.pos = 0;
    writeUpdate(w, updateOf(m, this.self.idHash));
    this.tellMember(m, w.bytes.slice(0, w.pos));
  }

  /** Queues the member in the bytes its news came in. Suspicions and refutations yield to who is there at all. */
  tellMember(m: Member, body: Uint8Array): void {
    this.tellRaw(m.id, MessageType.update, body, !m.live || (m.rank === ALIVE && m.incarnation === 0));
  }

  /** Queues news. Set by the spreader, which starts a round when none is due. */
  tellRaw: (subject: string, type: number, body: Uint8Array, urgent: boolean) => void = () => {};
}

/** Updates are at most 4 + … + 64 + 255 bytes and what later versions append. */
const SCRATCH = new Writer(2_048, 65_536);
