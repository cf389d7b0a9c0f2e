/**
 * What is claimed about other members, and the one place where a claim changes the view (`apply`). Also what follows from a
 * change, and the forgetting of those who are long gone.
 */
import type { Reader } from "./bytes.ts";
import { MAX_GENERATION } from "./config.ts";
import { Deadline } from "./deadline-heap.ts";
import type { Judge } from "./judge.ts";
import { type Member, isNewer } from "./members.ts";
import {
  DEAD,
  LEFT,
  type RecordEntry,
  STATES,
  SUSPECT,
  type Update,
  emptyUpdate,
  readUpdateHead,
  readUpdateRest,
} from "./messages.ts";
import type { Node } from "./node.ts";
import type { OwnLife } from "./own-life.ts";
import type { Prober } from "./prober.ts";
import type { RecordBook } from "./record-book.ts";

/** Bounds of the period at which what is past its time is forgotten. */
const COLLECT_MIN_MS = 1_000;
const COLLECT_MAX_MS = 60_000;

/** Who else must know what became of a member. */
export interface ClaimsParts {
  readonly prober: Prober;
  readonly judge: Judge;
  readonly book: RecordBook;
  readonly ownLife: OwnLife;
}

export class Claims {
  readonly #node: Node;
  readonly #parts: ClaimsParts;
  readonly #update: Update = emptyUpdate();
  readonly #collect: Deadline;

  constructor(node: Node, parts: ClaimsParts) {
    this.#node = node;
    this.#parts = parts;
    this.#collect = new Deadline((nowMs) => this.#onCollect(nowMs), false);
  }

  /** From now on those who are long gone are forgotten. */
  start(nowMs: number): void {
    this.#node.heap.set(this.#collect, nowMs + this.#collectPeriodMs());
  }

  /** A claim came by gossip. */
  onUpdate(r: Reader, nowMs: number): void {
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
          this.#parts.judge.addAccuser(known, u.accuser, nowMs, () => node.tellMember(known, body.slice()));
        }
        return;
      }
    }
    if (readUpdateRest(r, u)) this.apply(u, r.bytes.slice(start, r.end), nowMs);
    else node.stats.packetsDropped++;
  }

  /**
   * The one place where a claim changes the view. `news` is what to gossip on: the bytes as they came, "gossip" to
   * encode them again, or "quiet". True when the view changed.
   */
  apply(u: Update, news: Uint8Array | "gossip" | "quiet", nowMs: number): boolean {
    const node = this.#node;
    if (u.id === node.self.id) {
      this.#parts.ownLife.onClaim(u, nowMs);
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
      this.#parts.judge.clear(m);
      node.table.assign(m, u, nowMs);
    }
    if (u.salt !== undefined && m.live) node.envelope.vouch(u.salt, u.id);
    if (u.rank === SUSPECT) this.#parts.judge.heard(m, u.accuser, nowMs);
    this.changed(m, was, generation, records);
    if (news === "gossip") node.tell(m);
    else if (news !== "quiet") node.tellMember(m, news);
    return true;
  }

  /** The view changed: bookkeeping and events that follow. `was`, `generation` and `records` are from before. */
  changed(
    m: Member,
    was: number | undefined,
    generation: number,
    records: ReadonlyMap<string, RecordEntry> | undefined,
  ): void {
    const node = this.#node;
    const { prober, book } = this.#parts;
    const wasLive = was !== undefined && was <= SUSPECT;
    if (m.live) prober.enlist(m);
    else node.news.drop(`\n${m.id}`);
    // A tombstone of somebody never seen alive is no event.
    if (was === undefined && !m.live) return;
    node.effects.event({ type: "member", member: m.view(), was: was === undefined ? undefined : STATES[was] });
    const relived = generation !== m.generation;
    if (records !== undefined && wasLive && (!m.live || relived))
      book.vanished(m, generation, records, m.rank === LEFT ? "left" : "failed");
    if (!wasLive && m.live && !relived) book.returned(m);
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
    this.#parts.judge.clear(m);
    this.#parts.book.forget(m);
    this.#node.news.drop(m.id);
    this.#node.table.remove(m, nowMs);
  }

  #onCollect(nowMs: number): void {
    const node = this.#node;
    const t = node.timing;
    for (const m of node.table.byId.values()) {
      if (m.records !== undefined) this.#parts.book.collect(m, nowMs);
      const ttlMs = m.rank === DEAD ? t.deadTtlMs : t.leftTtlMs;
      if (!m.live && m !== node.self && nowMs - m.changedMs >= ttlMs) this.#forget(m, nowMs);
    }
    node.heap.set(this.#collect, nowMs + this.#collectPeriodMs());
  }

  #collectPeriodMs(): number {
    const t = this.#node.timing;
    return Math.min(COLLECT_MAX_MS, Math.max(COLLECT_MIN_MS, Math.min(t.deadTtlMs, t.leftTtlMs) / 4));
  }
}
