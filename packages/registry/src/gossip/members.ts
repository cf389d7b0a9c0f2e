/**
 * Who is known, in which life and state: the table, and the order-free checksum over what is alive.
 * Knows precedence and bookkeeping; decides nothing about what to do.
 */
import type { Deadline } from "./deadline-heap.ts";
import { fold } from "./hash.ts";
import { ALIVE, type RecordEntry, STATES, SUSPECT, type Update, idHash, tagHighOf, tagLowOf } from "./messages.ts";
import type { MemberView } from "./types.ts";

const NOTHING = new Uint8Array(0);

/** A suspicion as one node holds it. */
export interface Suspicion {
  startMs: number;
  /** Hashes of the ids of those who accuse, the first one included. */
  readonly accusers: number[];
  /** True when this node is one of them. */
  own: boolean;
  readonly deadline: Deadline;
}

/** One member. Mutable, owned by the table. */
export class Member {
  // What each probe reads lies together: with thousands of members, fetching it is most of what a probe costs.
  rank: number;
  tagHigh: number;
  tagLow: number;
  address: string;
  salt: Uint8Array | undefined;
  generation: number;
  /** Probes in a row that only the stream answered. */
  streamOnly = 0;
  readonly id: string;
  readonly idHash: number;
  incarnation: number;
  extra: Uint8Array = NOTHING;
  /** Highest record version applied, and the highest that was forgotten with a tombstone. */
  recordVersion = 0;
  forgottenVersion = 0;
  records: Map<string, RecordEntry> | undefined = undefined;
  suspicion: Suspicion | undefined = undefined;
  /** When the state last changed. */
  changedMs = 0;
  /** When it was last probed by hint, and last said to answer by stream only: of few members, so apart. */
  notes: { reportedMs: number; warnedMs: number } | undefined = undefined;
  pullingUntilMs = 0;
  /** What it adds to the view hash: 0, 0 unless live. */
  hashHigh = 0;
  hashLow = 0;
  liveIndex = -1;
  inProbeOrder = false;
  nextOfTag: Member | undefined = undefined;

  constructor(u: Update) {
    this.id = u.id;
    this.idHash = idHash(u.id);
    this.address = u.address;
    this.generation = u.generation;
    this.incarnation = u.incarnation;
    this.rank = u.rank;
    this.tagHigh = u.tagHigh;
    this.tagLow = u.tagLow;
    this.salt = u.salt;
    this.extra = u.extra;
  }

  /** Alive or suspect. */
  get live(): boolean {
    return this.rank <= SUSPECT;
  }

  noted(): { reportedMs: number; warnedMs: number } {
    this.notes ??= { reportedMs: Number.NEGATIVE_INFINITY, warnedMs: Number.NEGATIVE_INFINITY };
    return this.notes;
  }

  view(): MemberView {
    return {
      id: this.id,
      address: this.address,
      generation: this.generation,
      incarnation: this.incarnation,
      state: STATES[this.rank] ?? "dead",
    };
  }
}

export class MemberTable {
  readonly byId: Map<string, Member> = new Map();
  /** Alive and suspect members, this node included, in no order. */
  readonly live: Member[] = [];
  hashHigh = 0;
  hashLow = 0;
  /** When the hash last changed. */
  changedMs: number = Number.NEGATIVE_INFINITY;
  readonly #byTag = new Map<number, Member>();

  /** The member in this very life. */
  byTag(tagHigh: number, tagLow: number): Member | undefined {
    let m = this.#byTag.get(tagLow);
    while (m !== undefined && (m.tagHigh !== tagHigh || m.tagLow !== tagLow)) m = m.nextOfTag;
    return m;
  }

  add(u: Update, nowMs: number): Member {
    const m = new Member(u);
    this.byId.set(m.id, m);
    this.#link(m);
    m.changedMs = nowMs;
    if (m.live) this.#enlist(m);
    this.rehash(m, nowMs);
    return m;
  }

  /** Takes over all that the update says. */
  assign(m: Member, u: Update, nowMs: number): void {
    if (m.generation !== u.generation) {
      this.#unlink(m);
      m.generation = u.generation;
      m.tagHigh = u.tagHigh;
      m.tagLow = u.tagLow;
      this.#link(m);
      m.recordVersion = 0;
      m.forgottenVersion = 0;
      m.records = undefined;
    }
    m.address = u.address;
    m.incarnation = u.incarnation;
    m.salt = u.salt;
    m.extra = u.extra;
    this.setRank(m, u.rank, nowMs);
  }

  setRank(m: Member, rank: number, nowMs: number): void {
    if (m.rank !== rank) m.changedMs = nowMs;
    m.rank = rank;
    if (m.live && m.liveIndex < 0) this.#enlist(m);
    else if (!m.live && m.liveIndex >= 0) this.#delist(m);
    this.rehash(m, nowMs);
  }

  /** Moves a member to another life of its own (only this node does that to itself). */
  relive(m: Member, generation: number, incarnation: number, nowMs: number): void {
    this.#unlink(m);
    m.generation = generation;
    m.incarnation = incarnation;
    m.tagHigh = tagHighOf(m.id, generation);
    m.tagLow = tagLowOf(m.id, generation);
    this.#link(m);
    this.rehash(m, nowMs);
  }

  remove(m: Member, nowMs: number): void {
    this.setRank(m, 2, nowMs);
    this.#unlink(m);
    this.byId.delete(m.id);
  }

  /** Must follow every change of life, incarnation, liveness or record version. */
  rehash(m: Member, nowMs: number): void {
    let high = 0;
    let low = 0;
    if (m.live) {
      high = fold(fold(m.tagHigh, m.incarnation), m.recordVersion);
      low = fold(fold(m.tagLow, m.incarnation), m.recordVersion);
    }
    if (high === m.hashHigh && low === m.hashLow) return;
    this.hashHigh ^= m.hashHigh ^ high;
    this.hashLow ^= m.hashLow ^ low;
    m.hashHigh = high;
    m.hashLow = low;
    this.changedMs = nowMs;
  }

  /** XOR of the live hashes per bucket. */
  bucketHashes(count: number): Int32Array {
    const hashes = new Int32Array(count);
    for (const m of this.live) hashes[m.idHash & (count - 1)]! ^= m.hashLow;
    return hashes;
  }

  #enlist(m: Member): void {
    m.liveIndex = this.live.length;
    this.live.push(m);
  }

  #delist(m: Member): void {
    const last = this.live.pop() as Member;
    if (last !== m) {
      this.live[m.liveIndex] = last;
      last.liveIndex = m.liveIndex;
    }
    m.liveIndex = -1;
  }

  #link(m: Member): void {
    m.nextOfTag = this.#byTag.get(m.tagLow);
    this.#byTag.set(m.tagLow, m);
  }

  #unlink(m: Member): void {
    let at = this.#byTag.get(m.tagLow);
    if (at === m) {
      if (m.nextOfTag === undefined) this.#byTag.delete(m.tagLow);
      else this.#byTag.set(m.tagLow, m.nextOfTag);
    } else {
      while (at !== undefined && at.nextOfTag !== m) at = at.nextOfTag;
      if (at !== undefined) at.nextOfTag = m.nextOfTag;
    }
    m.nextOfTag = undefined;
  }
}

/** True when the claim is later than what is held: by generation, then incarnation, then state. */
export function isNewer(u: Update, m: Member): boolean {
  if (u.generation !== m.generation) return u.generation > m.generation;
  if (u.incarnation !== m.incarnation) return u.incarnation > m.incarnation;
  return u.rank > m.rank;
}

/** The member as a claim, ready to be written. */
export function updateOf(m: Member, accuser: number): Update {
  return {
    tagHigh: m.tagHigh,
    tagLow: m.tagLow,
    incarnation: m.incarnation,
    rank: m.rank,
    accuser: m.rank === ALIVE ? 0 : accuser,
    generation: m.generation,
    id: m.id,
    address: m.address,
    salt: m.salt,
    extra: m.extra,
  };
}
