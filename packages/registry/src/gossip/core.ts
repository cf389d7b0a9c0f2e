/**
 * The gossip core: wires the parts, opens packets, hands messages out, and holds the one place where a claim about a
 * member changes the view (`#apply`). The protocol is told in `docs/membership.md`.
 */
import { Reader, type Writer } from "./bytes.ts";
import type { GossipConfig } from "./config.ts";
import { Deadline } from "./deadline-heap.ts";
import { type Opened, type Peer, SALT_BYTES } from "./envelope.ts";
import { Judge } from "./judge.ts";
import { type Member, isNewer } from "./members.ts";
import {
  ALIVE,
  DEAD,
  LEFT,
  MessageType,
  STATES,
  SUSPECT,
  type Update,
  beginMessage,
  emptyUpdate,
  endMessage,
  readUpdateHead,
  readUpdateRest,
} from "./messages.ts";
import { Node } from "./node.ts";
import { Prober } from "./prober.ts";
import { Reconciler } from "./reconciler.ts";
import { RecordBook } from "./record-book.ts";
import { RingWatch } from "./ring-watch.ts";
import { Spreader } from "./spreader.ts";
import type {
  GossipCore,
  GossipEffects,
  GossipRandom,
  GossipStats,
  MemberView,
  OwnedRecord,
  StreamFailure,
} from "./types.ts";

/** Least time between two refutations: two hosts that fight over one address must not flood the rest. */
const REFUTE_INTERVAL_MS = 100;
/** Rounds a leaving node stays to say farewell. */
const FAREWELL_ROUNDS = 2;
/** Members told at once of a farewell. */
const FAREWELL_FANOUT = 8;
/** Bounds of the period at which what is past its time is forgotten. */
const COLLECT_MIN_MS = 1_000;
const COLLECT_MAX_MS = 60_000;
/** A claim far in the future would shut its subject out for ever. */
const MAX_GENERATION = 2 ** 48 - 1;

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
  readonly #reader = new Reader();
  readonly #body = new Reader();
  readonly #update: Update = emptyUpdate();
  readonly #collect: Deadline;
  readonly #refuteLater: Deadline;
  #lastRefuteMs = Number.NEGATIVE_INFINITY;
  #refuteAbove = -1;
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
      changed: (m, was, nowMs) => this.#changed(m, was, m.generation, m.records, nowMs),
    });
    this.#reconciler = new Reconciler(node, {
      apply: (update, gossip, nowMs) => this.#apply(update, gossip ? "gossip" : "quiet", nowMs),
      pull: (owners, from, salt, nowMs) => this.#book.pull(owners, from, salt, nowMs),
      probeNow: (m, nowMs) => this.#prober.probeNow(m, nowMs),
    });
    this.#reconciler.writeChallenge = (w, salt) => this.#writeChallengeTo(w, salt);
    this.#book = new RecordBook(node);
    this.#collect = new Deadline((nowMs) => this.#onCollect(nowMs), false);
    this.#refuteLater = new Deadline((nowMs) => this.#refute(nowMs), false);
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
    node.heap.set(this.#collect, nowMs + this.#collectPeriodMs());
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
      this.#doubt(opened.peer, opened, from, byStream, bytes.length, nowMs);
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
        return this.#onUpdate(r, nowMs);
      case MessageType.rumor:
        return this.#book.onRumor(r, r.bytes.subarray(r.pos, r.end), from, salt, nowMs);
      case MessageType.pingRequest:
        return this.#prober.onPingRequest(r, from, salt, nowMs);
      case MessageType.nack:
        return this.#prober.onNack(r);
      case MessageType.challenge:
        return this.#onChallenge(r, from, byStream, peer);
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

  // ---- who may be believed (keys only)

  /** A packet whose seal is right but whose sender has not shown that it lives now: only challenge and echo count. */
  #doubt(
    peer: Peer,
    opened: Exclude<Opened, { notice: unknown }>,
    from: string,
    byStream: boolean,
    bytesIn: number,
    nowMs: number,
  ): void {
    const r = this.#reader.reset(opened.bytes, opened.start, opened.end);
    const addressed = opened.addressed;
    let theirChallenge: Uint8Array | undefined;
    while (r.left > 0) {
      const type = r.u8();
      const length = r.u16();
      const at = r.pos;
      r.skip(length);
      if (!r.ok) return;
      if (type === MessageType.challenge && length === SALT_BYTES) theirChallenge = r.bytes.slice(at, at + length);
      if (type !== MessageType.echo || !addressed || !this.#met(peer, r.bytes.subarray(at, at + length))) continue;
      if (theirChallenge !== undefined) this.#answer(theirChallenge, from, byStream, peer);
      this.#messages(r, from, byStream, bytesIn, peer, nowMs);
      return;
    }
    this.#node.stats.packetsDropped++;
    this.#challenge(peer, theirChallenge, from, byStream, bytesIn);
  }

  #met(peer: Peer, echo: Uint8Array): boolean {
    if (!sameBytes(echo, peer.challenge) && !sameBytes(echo, this.#standing)) return false;
    peer.challenge = undefined;
    peer.believed = true;
    return true;
  }

  #challenge(peer: Peer, theirs: Uint8Array | undefined, from: string, byStream: boolean, bytesIn: number): void {
    const node = this.#node;
    const w = byStream ? node.beginStream() : node.beginDatagram();
    if (theirs !== undefined) writeBlob(w, MessageType.echo, theirs);
    // Also when it is believed already: the challenge is what makes it ask again, this time addressed to this life.
    peer.challenge ??= node.random.bytes(SALT_BYTES);
    writeBlob(w, MessageType.challenge, peer.challenge);
    if (byStream) node.endStream(from, peer.salt, false);
    else if (w.pos + node.envelope.tailBytes <= bytesIn) node.endBareDatagram(from, peer.salt);
  }

  /** Put in front of the first question to somebody unknown, so that its answer can be believed. */
  #writeChallengeTo(w: Writer, salt: Uint8Array | undefined): void {
    const node = this.#node;
    if (node.envelope.salt === undefined || salt !== undefined) return;
    this.#standing = node.random.bytes(SALT_BYTES);
    writeBlob(w, MessageType.challenge, this.#standing);
  }

  /** The last challenge sent to a receiver whose salt was not known; good for one exchange. */
  #standing: Uint8Array | undefined;

  /** A believed peer does not believe us yet. */
  #onChallenge(r: Reader, from: string, byStream: boolean, peer: Peer | undefined): void {
    if (peer === undefined || r.left !== SALT_BYTES) return;
    this.#answer(r.view(SALT_BYTES).slice(), from, byStream, peer);
  }

  #answer(challenge: Uint8Array, from: string, byStream: boolean, peer: Peer): void {
    const node = this.#node;
    const w = byStream ? node.beginStream() : node.beginDatagram();
    writeBlob(w, MessageType.echo, challenge);
    if (byStream) {
      this.#reconciler.resume(w, from);
      node.endStream(from, peer.salt, false);
      return;
    }
    const probe = this.#prober.pendingTo(peer.salt);
    if (probe !== undefined) this.#prober.writePingFor(w, probe);
    node.endBareDatagram(from, peer.salt);
  }

  // ---- claims about members

  #onUpdate(r: Reader, nowMs: number): void {
    const node = this.#node;
    const u = this.#update;
    const start = r.pos;
    readUpdateHead(r, u);
    const known = node.table.byTag(u.tagHigh, u.tagLow);
    const rank = u.rank & 3;
    if (known !== undefined && known !== node.self) {
      // Old news, most of what comes: dropped before it is decoded.
      if (u.incarnation < known.incarnation) return;
      if (u.incarnation === known.incarnation && rank <= known.rank) {
        if (rank === SUSPECT && known.rank === SUSPECT && r.ok && known.suspicion !== undefined) {
          const body = r.bytes.subarray(start, r.end);
          this.#judge.addAccuser(known, u.accuser, nowMs, () => node.tellMember(known, body.slice()));
        }
        return;
      }
    }
    if (readUpdateRest(r, u)) this.#apply(u, r.bytes.slice(start, r.end), nowMs);
    else node.stats.packetsDropped++;
  }

  /**
   * The one place where a claim changes the view. `news` is what to gossip on: the bytes as they came, "gossip" to
   * encode them again, or "quiet".
   */
  #apply(u: Update, news: Uint8Array | "gossip" | "quiet", nowMs: number): boolean {
    const node = this.#node;
    if (u.id === node.self.id) {
      this.#aboutSelf(u, nowMs);
      return false;
    }
    let m = node.table.byId.get(u.id);
    if (m !== undefined && !isNewer(u, m)) return false;
    if (u.generation > MAX_GENERATION || u.address.length === 0) return false;
    const was = m?.rank;
    const generation = m?.generation ?? u.generation;
    const records = m?.records;
    if (m === undefined) {
      if (!this.#makeRoom(nowMs)) return false;
      m = node.table.add(u, nowMs);
    } else {
      if (u.generation !== m.generation) {
        if (m.salt !== undefined) node.envelope.disown(m.salt);
        m.streamOnly = 0;
        m.pullingUntilMs = 0;
        m.notes = undefined;
      }
      this.#judge.clear(m);
      node.table.assign(m, u, nowMs);
    }
    if (u.salt !== undefined && m.live) node.envelope.vouch(u.salt, u.id);
    if (u.rank === SUSPECT) this.#judge.heard(m, u.accuser, nowMs);
    this.#changed(m, was, generation, records, nowMs);
    if (news === "gossip") node.tell(m);
    else if (news !== "quiet") node.tellMember(m, news);
    return true;
  }

  /** The view changed: bookkeeping and events that follow. */
  #changed(
    m: Member,
    was: number | undefined,
    generation: number,
    records:
      | ReadonlyMap<string, { version: number; key: string; value: Uint8Array | undefined; extra: Uint8Array }>
      | undefined,
    _nowMs: number,
  ): void {
    const node = this.#node;
    const wasLive = was !== undefined && was <= SUSPECT;
    if (m.live) this.#prober.enlist(m);
    else node.news.drop(`\n${m.id}`);
    // A tombstone of somebody never seen alive is no event.
    if (was === undefined && !m.live) return;
    node.effects.event({ type: "member", member: m.view(), was: was === undefined ? undefined : STATES[was] });
    const relived = generation !== m.generation;
    if (records !== undefined && wasLive && (!m.live || relived))
      this.#book.vanished(m, generation, records, m.rank === LEFT ? "left" : "failed");
    if (!wasLive && m.live && !relived) this.#book.returned(m);
  }

  #makeRoom(nowMs: number): boolean {
    const node = this.#node;
    const table = node.table;
    if (table.byId.size < node.timing.maxMembers) return true;
    let oldest: Member | undefined;
    for (const m of table.byId.values())
      if (!m.live && (oldest === undefined || m.changedMs < oldest.changedMs)) oldest = m;
    if (oldest === undefined) return false;
    this.#forget(oldest, nowMs);
    return true;
  }

  #forget(m: Member, nowMs: number): void {
    if (m.salt !== undefined) this.#node.envelope.disown(m.salt);
    this.#judge.clear(m);
    this.#node.news.drop(m.id);
    this.#node.table.remove(m, nowMs);
  }

  #onCollect(nowMs: number): void {
    const node = this.#node;
    const t = node.timing;
    for (const m of node.table.byId.values()) {
      if (m.records !== undefined) this.#book.collect(m, nowMs);
      const ttlMs = m.rank === DEAD ? t.deadTtlMs : t.leftTtlMs;
      if (!m.live && m !== node.self && nowMs - m.changedMs >= ttlMs) this.#forget(m, nowMs);
    }
    node.heap.set(this.#collect, nowMs + this.#collectPeriodMs());
  }

  #collectPeriodMs(): number {
    const t = this.#node.timing;
    return Math.min(COLLECT_MAX_MS, Math.max(COLLECT_MIN_MS, Math.min(t.deadTtlMs, t.leftTtlMs) / 4));
  }

  // ---- claims about this node

  #aboutSelf(u: Update, nowMs: number): void {
    const node = this.#node;
    const self = node.self;
    if (node.observer || u.generation < self.generation) return;
    if (u.generation === self.generation && u.incarnation < self.incarnation) return;
    if (u.address !== self.address && u.rank <= SUSPECT) {
      const wins = u.generation > self.generation || u.address > self.address;
      if (wins) this.#lose(u);
      else if (u.generation === self.generation) this.#raise(u.incarnation, nowMs);
      return;
    }
    if (u.generation > self.generation) {
      // A past life with a later clock. Its successor must come after it.
      const at = u.generation + 1;
      if (at > MAX_GENERATION) return;
      node.table.relive(self, at, 0, nowMs);
      node.effects.event({ type: "generation", generation: at });
      node.tell(self);
      this.#book.restart(nowMs);
      return;
    }
    if (node.phase === "leaving") return;
    // Accused, or an earlier start under this very generation got further: speak up above it.
    if (u.rank !== ALIVE || u.incarnation > self.incarnation) this.#raise(u.incarnation, nowMs);
  }

  #raise(above: number, nowMs: number): void {
    this.#refuteAbove = Math.max(this.#refuteAbove, above);
    if (nowMs - this.#lastRefuteMs >= REFUTE_INTERVAL_MS) this.#refute(nowMs);
    else if (!this.#refuteLater.isSet) this.#node.heap.set(this.#refuteLater, this.#lastRefuteMs + REFUTE_INTERVAL_MS);
  }

  #refute(nowMs: number): void {
    const node = this.#node;
    if (this.#refuteAbove < node.self.incarnation) return;
    this.#lastRefuteMs = nowMs;
    node.stats.refutations++;
    node.feel(1);
    node.self.incarnation = Math.min(this.#refuteAbove + 1, 0xffffffff);
    node.table.rehash(node.self, nowMs);
    node.tell(node.self);
  }

  #lose(u: Update): void {
    const node = this.#node;
    const winner: MemberView = {
      id: u.id,
      address: u.address,
      generation: u.generation,
      incarnation: u.incarnation,
      state: STATES[u.rank] ?? "alive",
    };
    node.phase = "stopped";
    this.#prober.stop();
    this.#ring.stop();
    node.heap.clear();
    node.news.clear();
    node.effects.event({ type: "conflict", winner });
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
    this.#prober.stop();
    this.#ring.stop();
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

function writeBlob(w: Writer, type: number, bytes: Uint8Array): void {
  const start = beginMessage(w, type);
  w.raw(bytes);
  endMessage(w, start);
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
