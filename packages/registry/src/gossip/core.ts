/**
 * The gossip core: wires the parts, opens packets, hands messages out, and says what the parts know. The protocol is told
 * in `docs/membership.md`.
 */
import { Reader } from "./bytes.ts";
import { Claims } from "./claims.ts";
import type { GossipConfig } from "./config.ts";
import { Deadline } from "./deadline-heap.ts";
import type { Opened, Peer } from "./envelope.ts";
import { Judge } from "./judge.ts";
import type { Member } from "./members.ts";
import { LEFT, MessageType, STATES } from "./messages.ts";
import { Node } from "./node.ts";
import { OwnLife } from "./own-life.ts";
import { Prober } from "./prober.ts";
import { Reconciler } from "./reconciler.ts";
import { RecordBook } from "./record-book.ts";
import { RingWatch } from "./ring-watch.ts";
import { Spreader } from "./spreader.ts";
import { Trust } from "./trust.ts";
import type {
  GossipCore,
  GossipEffects,
  GossipRandom,
  GossipStats,
  MemberView,
  OwnedRecord,
  StreamFailure,
} from "./types.ts";

/** Rounds a leaving node stays to say farewell. */
const FAREWELL_ROUNDS = 2;
/** Members told at once of a farewell. */
const FAREWELL_FANOUT = 8;
/**
 * Builds a core. It is silent until `start`.
 * @throws RangeError or TypeError that names the bad field.
 */
export function createGossipCore(config: GossipConfig, random: GossipRandom, effects: GossipEffects): GossipCore {
  return new Core(config, random, effects);
}

class Core implements GossipCore {
  readonly #node: Node;
  readonly #spreader: Spreader;
  readonly #prober: Prober;
  readonly #ring: RingWatch;
  readonly #judge: Judge;
  readonly #reconciler: Reconciler;
  readonly #book: RecordBook;
  readonly #claims: Claims;
  readonly #trust: Trust;
  readonly #reader = new Reader();
  readonly #body = new Reader();
  #wokenForMs = Number.POSITIVE_INFINITY;

  constructor(config: GossipConfig, random: GossipRandom, effects: GossipEffects) {
    const node = new Node(config, random, effects);
    this.#node = node;
    this.#spreader = new Spreader(node);
    this.#prober = new Prober(node, {
      failed: (m, refused, nowMs) => this.#judge.accuse(m, refused, nowMs),
      viewSeen: (m, high, low, quiet, nowMs) => this.#reconciler.viewSeen(m, high, low, quiet, nowMs),
    });
    this.#ring = new RingWatch(node, (m) => this.#prober.streamPing(m, node.nextSequence(), false));
    this.#judge = new Judge(node, this.#prober, {
      changed: (m, was) => this.#claims.changed(m, was, m.generation, m.records),
    });
    this.#reconciler = new Reconciler(node, {
      apply: (update, gossip, nowMs) => this.#claims.apply(update, gossip ? "gossip" : "quiet", nowMs),
      pull: (owners, from, salt, nowMs) => this.#book.pull(owners, from, salt, nowMs),
      probeNow: (m, nowMs) => this.#prober.probeNow(m, nowMs),
      writeChallenge: (w, salt) => this.#trust.writeChallenge(w, salt),
    });
    this.#book = new RecordBook(node);
    const ownLife = new OwnLife(node, { relived: (nowMs) => this.#book.restart(nowMs), lost: () => this.#stop() });
    this.#claims = new Claims(node, { prober: this.#prober, judge: this.#judge, book: this.#book, ownLife });
    this.#trust = new Trust(node, {
      believed: (r, { from, byStream, bytesIn, peer }, nowMs) =>
        this.#messages(r, from, byStream, bytesIn, peer, nowMs),
      resume: (w, to) => this.#reconciler.resume(w, to),
      probeAgain: (w, salt) => {
        const probe = this.#prober.pendingTo(salt);
        if (probe !== undefined) this.#prober.writePingFor(w, probe);
      },
    });
  }

  start(nowMs: number): void {
    const node = this.#node;
    if (node.phase !== "new") return;
    node.phase = "running";
    node.nowMs = nowMs;
    if (!node.observer) {
      this.#prober.start(nowMs);
      this.#ring.start(nowMs);
      node.tell(node.self);
      if (node.self.recordVersion > 0) this.#book.restart(nowMs);
    }
    this.#reconciler.start(nowMs);
    this.#claims.start(nowMs);
    this.#rewake();
  }

  tick(nowMs: number): void {
    const node = this.#node;
    const heap = node.heap;
    node.nowMs = nowMs;
    const lateMs = heap.first === undefined ? 0 : nowMs - heap.first.atMs;
    // A stall of our own: whoever seems silent may have answered while we did not look.
    const stalled = lateMs > node.timing.ackTimeoutMs && node.timing.localHealth;
    if (stalled) node.feel(1);
    for (let due = heap.first; due !== undefined && due.atMs <= nowMs; due = heap.first) {
      if (stalled && due.judges && nowMs - due.atMs > node.timing.ackTimeoutMs) {
        heap.set(due, nowMs + node.timing.ackTimeoutMs);
        continue;
      }
      heap.cancel(due);
      due.run(nowMs);
    }
    this.#wokenForMs = Number.POSITIVE_INFINITY;
    this.#rewake();
  }

  #rewake(): void {
    const first = this.#node.heap.first;
    if (first === undefined || first.atMs === this.#wokenForMs) return;
    this.#wokenForMs = first.atMs;
    this.#node.effects.wake(first.atMs);
  }

  receive(from: string, bytes: Uint8Array, nowMs: number): void {
    this.#open(from, bytes, false, nowMs);
  }

  receiveStream(from: string, bytes: Uint8Array, nowMs: number): void {
    if (bytes.length <= this.#node.timing.maxStreamBytes) this.#open(from, bytes, true, nowMs);
  }

  #open(from: string, bytes: Uint8Array, byStream: boolean, nowMs: number): void {
    const node = this.#node;
    if (node.phase === "new" || node.phase === "stopped") return;
    node.nowMs = nowMs;
    const opened = node.envelope.open(from, bytes, nowMs);
    if (opened === undefined) node.stats.packetsDropped++;
    else if (!("peer" in opened)) this.#refuseStranger(opened, from, byStream);
    else if (opened.peer !== undefined && !(opened.peer.believed && opened.addressed)) {
      const { peer, addressed } = opened;
      const r = this.#reader.reset(opened.bytes, opened.start, opened.end);
      this.#trust.doubt(r, { peer, addressed, from, byStream, bytesIn: bytes.length }, nowMs);
    } else {
      node.heardMs = nowMs;
      const r = this.#reader.reset(opened.bytes, opened.start, opened.end);
      this.#messages(r, from, byStream, bytes.length, opened.peer, nowMs);
    }
    this.#rewake();
  }

  #refuseStranger(opened: Exclude<Opened, { peer: unknown }>, from: string, byStream: boolean): void {
    const node = this.#node;
    node.stats.packetsDropped++;
    if (opened.event !== undefined) node.effects.event(opened.event);
    if (opened.notice === undefined) return;
    if (byStream) node.sendStream(from, opened.notice, false);
    else node.sendDatagram(from, opened.notice);
  }

  #messages(r: Reader, from: string, byStream: boolean, bytesIn: number, peer: Peer | undefined, nowMs: number): void {
    while (r.left > 0) {
      const type = r.u8();
      const length = r.u16();
      const at = r.pos;
      r.skip(length);
      if (!r.ok) {
        this.#node.stats.packetsDropped++;
        return;
      }
      const body = this.#body.reset(r.bytes, at, at + length);
      this.#message(type, body, from, byStream, bytesIn, peer, nowMs);
      if (this.#node.phase === "stopped") return;
    }
  }

  #message(
    type: number,
    r: Reader,
    from: string,
    byStream: boolean,
    bytesIn: number,
    peer: Peer | undefined,
    nowMs: number,
  ): void {
    const salt = peer?.salt;
    switch (type) {
      case MessageType.ping:
      case MessageType.streamPing:
        return this.#prober.onPing(r, from, byStream, bytesIn, salt);
      case MessageType.ack:
      case MessageType.streamAck:
        return this.#prober.onAck(r, byStream, nowMs);
      case MessageType.update:
        return this.#claims.onUpdate(r, nowMs);
      case MessageType.rumor:
        return this.#book.onRumor(r, r.bytes.subarray(r.pos, r.end), from, salt, nowMs);
      case MessageType.pingRequest:
        return this.#prober.onPingRequest(r, from, salt, nowMs);
      case MessageType.nack:
        return this.#prober.onNack(r);
      case MessageType.challenge:
        return this.#trust.onChallenge(r, from, byStream, peer);
    }
    if (!byStream) return;
    switch (type) {
      case MessageType.confirm:
        return this.#judge.onConfirm(r, from, salt, nowMs);
      case MessageType.confirmReply:
        return this.#judge.onConfirmReply(r, nowMs);
      case MessageType.syncStart:
        return this.#reconciler.onStart(r, from, salt, nowMs);
      case MessageType.syncSame:
        return this.#reconciler.onSame(r, from, salt, nowMs);
      case MessageType.syncEntries:
        return this.#reconciler.onEntries(r, from, salt, nowMs);
      case MessageType.syncPush:
        return this.#reconciler.onPush(r, from, salt, nowMs);
      case MessageType.pull:
        return this.#book.onPull(r, from, salt);
      case MessageType.records:
        return this.#book.onRecords(r, nowMs);
    }
  }

  #stop(): void {
    this.#prober.stop();
    this.#ring.stop();
  }

  // ---- what the driver and the application say

  streamOpened(to: string, nowMs: number): void {
    this.#node.nowMs = nowMs;
    this.#prober.onOpened(to, nowMs);
    this.#rewake();
  }

  streamFailed(to: string, reason: StreamFailure, nowMs: number): void {
    const node = this.#node;
    if (node.phase === "stopped") return;
    node.nowMs = nowMs;
    const awaited = this.#prober.onFailed(to, reason, nowMs);
    if (!awaited && reason !== "unreachable" && node.phase === "running" && !node.observer) {
      for (const m of node.table.live) if (m.address === to) this.#prober.probeNow(m, nowMs);
    }
    this.#rewake();
  }

  report(memberId: string, nowMs: number): void {
    const node = this.#node;
    if (node.phase !== "running") return;
    node.nowMs = nowMs;
    const m = node.table.byId.get(memberId);
    if (node.observer) this.#reconciler.lookNow(nowMs);
    else if (m !== undefined) this.#prober.probeNow(m, nowMs);
    this.#rewake();
  }

  put(key: string, value: Uint8Array, nowMs: number): void {
    this.#node.nowMs = nowMs;
    this.#book.put(key, value, nowMs);
    this.#rewake();
  }

  remove(key: string, nowMs: number): boolean {
    this.#node.nowMs = nowMs;
    const removed = this.#book.remove(key, nowMs);
    this.#rewake();
    return removed;
  }

  leave(nowMs: number): void {
    const node = this.#node;
    if (node.phase !== "running") return;
    node.nowMs = nowMs;
    node.phase = "leaving";
    this.#stop();
    const farewell = new Deadline(() => node.effects.event({ type: "left" }), false);
    if (!node.observer) {
      node.table.setRank(node.self, LEFT, nowMs);
      node.tell(node.self);
      this.#spreader.burst(FAREWELL_FANOUT);
    }
    node.heap.set(farewell, nowMs + (node.observer ? 0 : FAREWELL_ROUNDS * node.timing.gossipIntervalMs));
    this.#rewake();
  }

  setSeeds(seeds: readonly string[]): void {
    this.#reconciler.setSeeds(seeds);
    this.#rewake();
  }

  setKeys(keys: readonly Uint8Array[]): void {
    this.#node.envelope.setKeys(keys);
  }

  keyUsage(): ReadonlyMap<number, number> {
    const node = this.#node;
    const usage = new Map<number, number>();
    if (node.envelope.salt === undefined) return usage;
    for (const m of node.table.live) {
      const id = m === node.self ? node.envelope.primaryKeyId : this.#lastKeyId(m);
      usage.set(id, (usage.get(id) ?? 0) + 1);
    }
    return usage;
  }

  #lastKeyId(m: Member): number {
    return m.salt === undefined ? 0 : (this.#node.envelope.peerOf(m.salt)?.lastKeyId ?? 0);
  }

  members(): MemberView[] {
    return this.#node.table.live.map((m) => m.view());
  }

  member(id: string): MemberView | undefined {
    return this.#node.table.byId.get(id)?.view();
  }

  records(): OwnedRecord[] {
    const all: OwnedRecord[] = [];
    for (const m of this.#node.table.live) {
      const state = STATES[m.rank] ?? "alive";
      for (const { key, value } of m.records?.values() ?? [])
        if (value !== undefined) all.push({ owner: m.id, generation: m.generation, key, value, state });
    }
    return all;
  }

  viewHash(): string {
    const { hashHigh, hashLow } = this.#node.table;
    return hex(hashHigh) + hex(hashLow);
  }

  get localHealth(): number {
    return this.#node.localHealth;
  }

  get size(): { readonly members: number; readonly tombstones: number } {
    const { byId, live } = this.#node.table;
    return { members: byId.size, tombstones: byId.size - live.length };
  }

  get self(): MemberView {
    return this.#node.self.view();
  }

  get stats(): GossipStats {
    return this.#node.stats;
  }
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
