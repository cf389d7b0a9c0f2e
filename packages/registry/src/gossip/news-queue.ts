/**
 * News to piggyback on whatever is sent. Two lanes: first what changes who is there (joins, deaths, farewells, records),
 * then what will settle by itself (suspicions, refutations), which under loss comes in floods. Within a lane: fewest
 * transmissions first, newest first among equals, each at most `limit` times. News about a subject replaces older news
 * about it, so the queue never outgrows the number of subjects.
 */
import type { Writer } from "./bytes.ts";
import { MESSAGE_HEAD_BYTES } from "./messages.ts";

/** Pieces too large for the room left that are passed over, in one row, before the packet counts as full. */
const MAX_MISSES = 8;
/** Replaced pieces are swept out once they outnumber the live ones by this many. */
const SWEEP_SLACK = 256;

interface News {
  readonly subject: string;
  readonly type: number;
  readonly body: Uint8Array;
  readonly lane: News[][];
  sent: number;
  replaced: boolean;
}

export class NewsQueue {
  /** Row t of a lane holds what was sent t times. */
  readonly #urgent: News[][] = [];
  readonly #ordinary: News[][] = [];
  readonly #bySubject = new Map<string, News>();
  readonly #taken: News[] = [];
  readonly #missed: News[] = [];
  #entries = 0;

  get size(): number {
    return this.#bySubject.size;
  }

  /** Adds news; `body` is kept, not copied. */
  add(subject: string, type: number, body: Uint8Array, urgent: boolean): void {
    const old = this.#bySubject.get(subject);
    if (old !== undefined) old.replaced = true;
    const lane = urgent ? this.#urgent : this.#ordinary;
    const news: News = { subject, type, body, lane, sent: 0, replaced: false };
    this.#bySubject.set(subject, news);
    rowOf(lane, 0).push(news);
    if (++this.#entries > 2 * this.#bySubject.size + SWEEP_SLACK) this.#sweep();
  }

  has(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  drop(subject: string): void {
    const old = this.#bySubject.get(subject);
    if (old === undefined) return;
    old.replaced = true;
    this.#bySubject.delete(subject);
  }

  clear(): void {
    this.#urgent.length = 0;
    this.#ordinary.length = 0;
    this.#bySubject.clear();
    this.#entries = 0;
  }

  /** Writes what fits below `maxBytes` of the writer and counts it as sent. */
  write(w: Writer, maxBytes: number, limit: number): void {
    if (this.#bySubject.size === 0) return;
    for (const row of this.#urgent) this.#take(row, w, maxBytes);
    for (const row of this.#ordinary) if (!this.#take(row, w, maxBytes)) break;
    // What was taken moves on only now, else one packet could carry it twice. Backwards, so that the newest stays last.
    const taken = this.#taken;
    for (let i = taken.length - 1; i >= 0; i--) {
      const news = taken[i] as News;
      news.sent++;
      if (news.sent < limit) rowOf(news.lane, news.sent).push(news);
      else {
        this.#bySubject.delete(news.subject);
        this.#entries--;
      }
    }
    taken.length = 0;
  }

  /** Takes from the newest on. False when the packet is full. */
  #take(row: News[], w: Writer, maxBytes: number): boolean {
    const missed = this.#missed;
    let i = row.length - 1;
    for (; i >= 0 && missed.length < MAX_MISSES; i--) {
      const news = row[i] as News;
      if (news.replaced) {
        this.#entries--;
      } else if (w.pos + MESSAGE_HEAD_BYTES + news.body.length > maxBytes) {
        missed.push(news);
      } else {
        w.u8(news.type);
        w.u16(news.body.length);
        w.raw(news.body);
        this.#taken.push(news);
      }
    }
    if (row.length !== i + 1) row.length = i + 1;
    const full = missed.length === MAX_MISSES;
    while (missed.length > 0) row.push(missed.pop() as News);
    return !full;
  }

  #sweep(): void {
    this.#entries = this.#bySubject.size;
    for (const lane of [this.#urgent, this.#ordinary])
      for (let t = 0; t < lane.length; t++) lane[t] = (lane[t] as News[]).filter((news) => !news.replaced);
  }
}

function rowOf(lane: News[][], sent: number): News[] {
  while (lane.length <= sent) lane.push([]);
  return lane[sent] as News[];
}
