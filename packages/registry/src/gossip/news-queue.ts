/**
 * News to piggyback on whatever is sent: fewest transmissions first, newest first among equals, each at most `limit`
 * times; news about a subject replaces older news about it, so the queue never outgrows the number of subjects.
 */
import type { Writer } from "./bytes.ts";
import { MESSAGE_HEAD_BYTES } from "./messages.ts";

interface News {
  readonly subject: string;
  readonly type: number;
  readonly body: Uint8Array;
  replaced: boolean;
}

export class NewsQueue {
  /** Row t holds what was sent t times. */
  readonly #rows: News[][] = [];
  readonly #bySubject = new Map<string, News>();
  readonly #moved: News[] = [];

  get size(): number {
    return this.#bySubject.size;
  }

  /** Adds news; `body` is kept, not copied. */
  add(subject: string, type: number, body: Uint8Array): void {
    const old = this.#bySubject.get(subject);
    if (old !== undefined) old.replaced = true;
    const news: News = { subject, type, body, replaced: false };
    this.#bySubject.set(subject, news);
    this.#row(0).push(news);
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
    this.#rows.length = 0;
    this.#bySubject.clear();
  }

  /** Writes what fits below `maxBytes` of the writer and counts it as sent. Returns how many pieces went. */
  fill(w: Writer, maxBytes: number, limit: number): number {
    if (this.#bySubject.size === 0) return 0;
    let written = 0;
    const rows = this.#rows.length;
    for (let t = 0; t < rows; t++) {
      const row = this.#rows[t] as News[];
      let kept = 0;
      let i = row.length - 1;
      // From the newest; what is skipped for its size slides down over the gaps afterwards.
      const skipped: News[] = [];
      for (; i >= 0; i--) {
        const news = row[i] as News;
        if (news.replaced) continue;
        const need = MESSAGE_HEAD_BYTES + news.body.length;
        if (w.pos + need > maxBytes) {
          skipped.push(news);
          if (skipped.length > 8) {
            i--;
            break;
          }
          continue;
        }
        w.u8(news.type);
        w.u16(news.body.length);
        w.raw(news.body);
        written++;
        if (t + 1 >= limit) this.#bySubject.delete(news.subject);
        else this.#moved.push(news);
      }
      kept = i + 1;
      row.length = kept;
      for (let s = skipped.length - 1; s >= 0; s--) row.push(skipped[s] as News);
      if (this.#moved.length > 0) {
        this.#pending(t + 1);
      }
      if (skipped.length > 8) break;
    }
    this.#flush();
    return written;
  }

  // Moved news joins its next row only after the pass, else it would be sent twice in one packet.
  readonly #waiting: { row: number; news: News[] }[] = [];

  #pending(row: number): void {
    this.#waiting.push({ row, news: this.#moved.splice(0) });
  }

  #flush(): void {
    for (const { row, news } of this.#waiting) {
      const to = this.#row(row);
      for (let i = news.length - 1; i >= 0; i--) to.push(news[i] as News);
    }
    this.#waiting.length = 0;
  }

  #row(t: number): News[] {
    while (this.#rows.length <= t) this.#rows.push([]);
    return this.#rows[t] as News[];
  }
}
