/**
 * Exchanges of views over streams: joining, anti-entropy, the retries that heal a partition, and what observers live on.
 *
 *   start   view hash, and one 32-bit hash per bucket of ids (none: "send me all")
 *   same    the views agree
 *   entries the members in buckets that differ
 *   push    what the asker knows better, and in answer what the other side knows better still
 *
 * An exchange costs what differs, not the size of the cluster. It starts only when a ping showed another hash while both
 * views had been quiet for some rounds (news under way would settle it by itself), or when nobody agreed for long.
 */
import type { Reader, Writer } from "./bytes.ts";
import { Deadline } from "./deadline-heap.ts";
import type { Member } from "./members.ts";
import { updateOf } from "./members.ts";
import {
  ALIVE,
  DEAD,
  SUSPECT,
  MessageType,
  type Update,
  beginMessage,
  emptyUpdate,
  endMessage,
  readUpdateHead,
  readUpdateRest,
  writeUpdate,
} from "./messages.ts";
import { bucketCount } from "./config.ts";
import { type Node, STREAM_CHUNK_BYTES } from "./node.ts";
import { Reader as ByteReader } from "./bytes.ts";

const JOIN = 1;
const OBSERVER = 2;
const HASH_ONLY = 4;
const LAST = 1;
const FIRST = 2;
const FINAL = 1;
/** An exchange without a word for this long is given up. */
const PATIENCE_MS = 2_000;
/** Exchanges served per interval, joins apart. */
const MAX_SERVED = 4;
const MAX_BUCKETS = 1_024;
/** Tombstones a joiner is given, newest first, so that old news of the dead does not fool it. */
const MAX_TOMBSTONES = 4_096;
/** Members of an exchange that are told they are called dead elsewhere. Many exchanges share that work. */
const MAX_WARNED = 32;
/** An exchange that changed at most this many members is worth gossiping on. */
const GOSSIP_AT_MOST = 16;

export interface ReconcilerEvents {
  /** A claim from an exchange. True when it changed the view. */
  apply(update: Update, gossip: boolean, nowMs: number): boolean;
  pull(owners: readonly Member[], from: string, salt: Uint8Array | undefined, nowMs: number): void;
  probeNow(member: Member, nowMs: number): void;
  /** Asks an unknown receiver to prove itself, when keys are set. */
  writeChallenge(w: Writer, salt: Uint8Array | undefined): void;
}

interface Exchange {
  readonly to: string;
  readonly sequence: number;
  readonly flags: number;
  readonly untilMs: number;
  buckets: Set<number> | undefined;
  bucketMask: number;
  readonly seen: Set<Member>;
  readonly push: Set<Member>;
  readonly behind: Set<Member>;
  changed: number;
}

export class Reconciler {
  readonly #node: Node;
  readonly #events: ReconcilerEvents;
  #seeds: readonly string[];
  /** Who was last found at a seed's address: to look through a thousand members once, not each time. */
  readonly #atSeed = new Map<string, Member>();
  readonly #timer: Deadline;
  #exchange: Exchange | undefined;
  #joined = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #agreedMs = 0;
  /** The last exchange that was begun because nobody had agreed for long, until somebody agrees. */
  #overdue: Exchange | undefined;
  #servedSinceMs = Number.NEGATIVE_INFINITY;
  #served = 0;
  readonly #update: Update = emptyUpdate();
  readonly #inner = new ByteReader();

  constructor(node: Node, events: ReconcilerEvents) {
    this.#node = node;
    this.#events = events;
    this.#seeds = node.config.seeds ?? [];
    this.#timer = new Deadline((nowMs) => this.#onTimer(nowMs), false);
  }

  start(nowMs: number): void {
    this.#agreedMs = nowMs;
    this.#node.heap.set(this.#timer, nowMs);
  }

  setSeeds(seeds: readonly string[]): void {
    this.#seeds = seeds.slice();
    this.#atSeed.clear();
    if (!this.#joined && this.#timer.isSet) this.#node.heap.set(this.#timer, this.#node.nowMs);
  }

  /** An observer's hint: look again now. */
  lookNow(nowMs: number): void {
    if (nowMs - this.#lastStartMs >= this.#node.timing.syncIntervalMs) this.#node.heap.set(this.#timer, nowMs);
  }

  #onTimer(nowMs: number): void {
    const node = this.#node;
    const t = node.timing;
    let nextMs: number;
    if (node.observer) {
      this.#observe(nowMs);
      nextMs = t.observePeriodMs;
    } else if (!this.#joined && this.#seeds.length > 0) {
      // Gossip may have named others before the first exchange: any of them will do, too.
      const [m] = node.pick(1, () => node.below(2) === 0);
      const seed = this.#seedToTry();
      if (m !== undefined) this.#begin(m.address, m.salt, JOIN, nowMs);
      else if (seed !== undefined) this.#begin(seed, undefined, JOIN, nowMs);
      nextMs = t.joinRetryMs;
    } else {
      this.#reconnect(nowMs);
      nextMs = t.reconnectPeriodMs;
    }
    // Half to one and a half of the period: nodes that were cut off together do not return together.
    node.heap.set(this.#timer, nowMs + nextMs / 2 + node.below(nextMs));
  }

  #seedToTry(): string | undefined {
    const others = this.#seeds.filter((seed) => seed !== this.#node.self.address);
    return others[this.#node.below(Math.max(1, others.length))];
  }

  #observe(nowMs: number): void {
    const [m] = this.#node.pick(1, () => false);
    if (m !== undefined && this.#joined) {
      this.#begin(m.address, m.salt, OBSERVER | HASH_ONLY, nowMs);
      return;
    }
    const seed = this.#seedToTry();
    if (seed !== undefined) this.#begin(seed, undefined, OBSERVER | JOIN, nowMs);
  }

  /** One dead member, or one seed that is not a live member, each time, for ever. */
  #reconnect(nowMs: number): void {
    const node = this.#node;
    const table = node.table;
    const lost: Member[] = [];
    if (table.byId.size > table.live.length) for (const m of table.byId.values()) if (m.rank === DEAD) lost.push(m);
    const seeds = this.#seeds.filter((seed) => !this.#isLive(seed));
    const choice = node.below(lost.length + seeds.length);
    const to = lost[choice]?.address ?? seeds[choice - lost.length];
    if (to !== undefined && !this.#isLive(to)) this.#begin(to, undefined, 0, nowMs);
  }

  #isLive(address: string): boolean {
    const table = this.#node.table;
    const held = this.#atSeed.get(address);
    if (held?.live === true && held.address === address && table.byId.get(held.id) === held) return true;
    const found = table.live.find((m) => m.address === address);
    if (found !== undefined && this.#seeds.includes(address)) this.#atSeed.set(address, found);
    return found !== undefined;
  }

  /** A peer's hash was seen in an ack. */
  viewSeen(m: Member, hashHigh: number, hashLow: number, quietRounds: number, nowMs: number): void {
    const node = this.#node;
    const t = node.timing;
    const table = node.table;
    if (!t.syncGate) {
      if (nowMs - this.#lastStartMs >= t.syncIntervalMs) this.#begin(m.address, m.salt, JOIN, nowMs);
      return;
    }
    if (hashHigh === table.hashHigh && hashLow === table.hashLow) {
      this.#agreedMs = nowMs;
      this.#overdue = undefined;
      return;
    }
    const quiet = quietRounds > t.syncQuietRounds && nowMs - table.changedMs > t.syncQuietRounds * t.gossipIntervalMs;
    const long = nowMs - this.#agreedMs > t.syncDisagreeMs || this.#isOverdueUnanswered(nowMs);
    if (!quiet && !long) return;
    if (nowMs - this.#lastStartMs < t.syncIntervalMs) return;
    if (!this.#begin(m.address, m.salt, 0, nowMs) || !long) return;
    this.#agreedMs = nowMs;
    this.#overdue = this.#exchange;
  }

  /** Then the next peer is asked, and not after as long again: what gossip has missed is missed for seconds already. */
  #isOverdueUnanswered(nowMs: number): boolean {
    return this.#overdue !== undefined && this.#overdue === this.#exchange && nowMs >= this.#overdue.untilMs;
  }

  #begin(to: string, salt: Uint8Array | undefined, flags: number, nowMs: number): boolean {
    if (this.#exchange !== undefined && nowMs < this.#exchange.untilMs) return false;
    const node = this.#node;
    node.stats.syncs++;
    this.#lastStartMs = nowMs;
    this.#exchange = {
      to,
      sequence: node.nextSequence(),
      flags,
      untilMs: nowMs + PATIENCE_MS,
      buckets: undefined,
      bucketMask: 0,
      seen: new Set(),
      push: new Set(),
      behind: new Set(),
      changed: 0,
    };
    const w = node.beginStream();
    this.#events.writeChallenge(w, salt);
    this.#writeStart(w, this.#exchange);
    node.endStream(to, salt, false);
    return true;
  }

  /** The peer did not believe us yet; with the echo goes the question again. False when nothing was asked there. */
  resume(w: Writer, from: string): boolean {
    if (this.#exchange === undefined || this.#exchange.to !== from) return false;
    this.#writeStart(w, this.#exchange);
    return true;
  }

  #writeStart(w: Writer, exchange: Exchange): void {
    const node = this.#node;
    const table = node.table;
    if (!node.observer) node.writeMember(w, node.self);
    const start = beginMessage(w, MessageType.syncStart);
    w.u32(exchange.sequence);
    w.u8(exchange.flags);
    w.u32(table.hashHigh);
    w.u32(table.hashLow);
    const count = (exchange.flags & (JOIN | HASH_ONLY)) !== 0 ? 0 : bucketCount(table.live.length);
    w.u16(count);
    if (count > 0) for (const hash of table.bucketHashes(count)) w.u32(hash);
    endMessage(w, start);
  }

  onStart(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const table = node.table;
    const sequence = r.u32();
    const flags = r.u8();
    const hashHigh = r.i32();
    const same = r.i32() === table.hashLow && hashHigh === table.hashHigh;
    const count = r.u16();
    if (!r.ok || node.observer || count > MAX_BUCKETS || (count & (count - 1)) !== 0 || r.left < 4 * count) return;
    if ((same && node.timing.syncGate) || (flags & HASH_ONLY) !== 0) {
      const w = node.beginStream();
      const start = beginMessage(w, MessageType.syncSame);
      w.u32(sequence);
      w.u8(same ? 1 : 0);
      endMessage(w, start);
      node.endStream(from, salt, false);
      return;
    }
    if ((flags & JOIN) === 0 && !this.#mayServe(nowMs)) return;
    const differing = new Set<number>();
    if (count > 0) {
      const mine = table.bucketHashes(count);
      for (let b = 0; b < count; b++) if (r.i32() !== mine[b]) differing.add(b);
    }
    const members: Member[] = [];
    for (const m of table.live) if (count === 0 || differing.has(m.idHash & (count - 1))) members.push(m);
    if ((flags & (JOIN | OBSERVER)) !== 0) this.#addTombstones(members, count, differing);
    this.#send(MessageType.syncEntries, sequence, members, 0, { count, differing }, from, salt);
  }

  #mayServe(nowMs: number): boolean {
    if (nowMs - this.#servedSinceMs >= this.#node.timing.syncIntervalMs) {
      this.#servedSinceMs = nowMs;
      this.#served = 0;
    }
    return this.#served++ < MAX_SERVED;
  }

  #addTombstones(members: Member[], count: number, differing: ReadonlySet<number>): void {
    const dead: Member[] = [];
    for (const m of this.#node.table.byId.values())
      if (!m.live && (count === 0 || differing.has(m.idHash & (count - 1)))) dead.push(m);
    if (dead.length > MAX_TOMBSTONES) dead.sort((a, b) => b.changedMs - a.changedMs).length = MAX_TOMBSTONES;
    for (const m of dead) members.push(m);
  }

  /** Cuts the members over as many messages as it takes. */
  #send(
    type: number,
    sequence: number,
    members: readonly Member[],
    flags: number,
    head: { count: number; differing: ReadonlySet<number> } | undefined,
    to: string,
    salt: Uint8Array | undefined,
  ): void {
    const node = this.#node;
    let i = 0;
    let first = true;
    do {
      const w = node.beginStream();
      const start = beginMessage(w, type);
      w.u32(sequence);
      const flagsAt = w.pos;
      w.u8(0);
      if (first && head !== undefined) {
        w.u16(head.count);
        w.u16(head.differing.size);
        for (const b of head.differing) w.u16(b);
      }
      while (i < members.length && w.pos - start < STREAM_CHUNK_BYTES) this.#writeEntry(w, members[i++] as Member);
      w.bytes[flagsAt] =
        flags | (type === MessageType.syncEntries ? (i === members.length ? LAST : 0) | (first ? FIRST : 0) : 0);
      endMessage(w, start);
      node.endStream(to, salt, false);
      first = false;
    } while (i < members.length);
  }

  #writeEntry(w: Writer, m: Member): void {
    w.u32(m.recordVersion);
    const at = w.pos;
    w.u16(0);
    writeUpdate(w, updateOf(m, this.#node.self.idHash));
    w.patchU16(at, w.pos - at - 2);
  }

  /** Reads one entry into the shared update. Returns the record version, or −1 when malformed. */
  #readEntry(r: Reader): number {
    const recordVersion = r.u32();
    const length = r.u16();
    const at = r.pos;
    r.skip(length);
    if (!r.ok) return -1;
    const inner = this.#inner.reset(r.bytes, at, at + length);
    readUpdateHead(inner, this.#update);
    return readUpdateRest(inner, this.#update) ? recordVersion : -1;
  }

  onSame(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const exchange = this.#take(r.u32(), from);
    const same = r.u8() === 1;
    if (!r.ok || exchange === undefined) return;
    this.#exchange = undefined;
    if (same) {
      this.#agreedMs = nowMs;
      this.#arrived(from);
    } else this.#begin(from, salt, OBSERVER, nowMs);
  }

  #take(sequence: number, from: string): Exchange | undefined {
    const exchange = this.#exchange;
    return exchange !== undefined && exchange.sequence === sequence && exchange.to === from ? exchange : undefined;
  }

  #arrived(via: string): void {
    if (this.#joined) return;
    this.#joined = true;
    this.#node.effects.event({ type: "joined", via });
  }

  onEntries(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const exchange = this.#take(r.u32(), from);
    const flags = r.u8();
    if (!r.ok || exchange === undefined) return;
    if ((flags & FIRST) !== 0) {
      exchange.bucketMask = r.u16() - 1;
      exchange.buckets = new Set();
      for (let n = r.u16(); n > 0 && r.ok; n--) exchange.buckets.add(r.u16());
    }
    this.#merge(r, exchange, nowMs);
    if ((flags & LAST) === 0) return;
    this.#exchange = undefined;
    this.#finish(exchange, from, salt, nowMs);
    this.#arrived(from);
  }

  /** Applies the entries; notes where this node knows better or worse. */
  #merge(r: Reader, exchange: Pick<Exchange, "flags" | "seen" | "push" | "behind" | "changed">, nowMs: number): void {
    const node = this.#node;
    let warned = 0;
    while (r.left > 0) {
      const recordVersion = this.#readEntry(r);
      if (recordVersion < 0) return;
      const u = this.#update;
      const held = node.table.byId.get(u.id);
      if (held !== undefined && claimIsOlder(u, held)) {
        exchange.push.add(held);
        exchange.seen.add(held);
        continue;
      }
      // Called dead elsewhere and alive here: not believed by hearsay this old, but asked about, and the member told.
      if (!node.observer && held?.rank === ALIVE && held !== node.self && isDeathOf(u, held)) {
        exchange.seen.add(held);
        if (warned++ < MAX_WARNED) this.#warn(held, u, nowMs);
        continue;
      }
      // A joiner learns everybody; only surprises are news to others.
      const gossip = (exchange.flags & (JOIN | OBSERVER)) === 0 && exchange.changed < GOSSIP_AT_MOST;
      if (this.#events.apply(u, gossip, nowMs)) exchange.changed++;
      const m = node.table.byId.get(u.id);
      if (m === undefined) continue;
      exchange.seen.add(m);
      if (m.live && m.generation === u.generation && m !== node.self) {
        if (recordVersion > m.recordVersion) exchange.behind.add(m);
        else if (recordVersion < m.recordVersion) exchange.push.add(m);
      }
    }
  }

  #warn(m: Member, u: Update, nowMs: number): void {
    const node = this.#node;
    const w = node.beginDatagram();
    const start = beginMessage(w, MessageType.update);
    writeUpdate(w, u);
    endMessage(w, start);
    node.endDatagram(m.address, m.salt);
    this.#events.probeNow(m, nowMs);
  }

  #finish(exchange: Exchange, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    if (exchange.behind.size > 0) this.#events.pull([...exchange.behind], from, salt, nowMs);
    if (node.observer) {
      this.#dropUnseen(exchange, nowMs);
      return;
    }
    const push = exchange.push;
    for (const m of node.table.live) {
      if (exchange.seen.has(m)) continue;
      if (exchange.bucketMask < 0 || exchange.buckets?.has(m.idHash & exchange.bucketMask) === true) push.add(m);
    }
    if (push.size > 0) this.#send(MessageType.syncPush, exchange.sequence, [...push], 0, undefined, from, salt);
  }

  /** An observer has no opinion of its own: whom its member does not list is gone. */
  #dropUnseen(exchange: Exchange, nowMs: number): void {
    for (const m of this.#node.table.live.slice()) {
      if (exchange.seen.has(m) && m.live) continue;
      if (exchange.bucketMask >= 0 && exchange.buckets?.has(m.idHash & exchange.bucketMask) !== true) continue;
      if (exchange.seen.has(m)) continue;
      this.#events.apply({ ...updateOf(m, 0), rank: DEAD }, false, nowMs);
    }
  }

  onPush(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const sequence = r.u32();
    const flags = r.u8();
    if (!r.ok || node.observer) return;
    const merged = {
      flags: 0,
      seen: new Set<Member>(),
      push: new Set<Member>(),
      behind: new Set<Member>(),
      changed: 0,
    };
    this.#merge(r, merged, nowMs);
    if (merged.behind.size > 0) this.#events.pull([...merged.behind], from, salt, nowMs);
    if ((flags & FINAL) === 0 && merged.push.size > 0)
      this.#send(MessageType.syncPush, sequence, [...merged.push], FINAL, undefined, from, salt);
  }
}

/** True when what is held is later than the claim. Suspicion is no difference: it settles by itself. */
function claimIsOlder(u: Update, held: Member): boolean {
  if (u.generation !== held.generation) return u.generation < held.generation;
  if (u.incarnation !== held.incarnation) return u.incarnation < held.incarnation;
  return verdict(u.rank) < verdict(held.rank);
}

function isDeathOf(u: Update, held: Member): boolean {
  return u.rank === DEAD && u.generation === held.generation;
}

function verdict(rank: number): number {
  return rank === SUSPECT ? ALIVE : rank;
}
