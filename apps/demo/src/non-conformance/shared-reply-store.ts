import { type ReplyClaim, type ReplyStore, RpcError } from "pipit";
import { type Database, transaction } from "../storage/database.ts";
import { decodeReply, encodeReply, type StoredReply } from "./stored-reply.ts";
import { UnitOfWork } from "./unit-of-work.ts";

type ReplyClaimRequest = Parameters<ReplyStore["claim"]>[0];

/** A reply is kept for this long, in milliseconds, and always longer than its call may be sent again. */
const keptMs = 3_600_000;
/** Margin beyond a call's deadline: clocks run apart while packets travel. */
const marginMs = 60_000;
/** Entries before new calls are refused. None is dropped before its time: that would be a promise broken. */
const maxEntries = 200_000;
/** When it is full, ask again after this long, in milliseconds. */
const fullRetryMs = 5000;
/** Claims between two looks for entries whose time is over. */
const pruneEvery = 100;

export const replySchema = `
CREATE TABLE IF NOT EXISTS reply (
  id TEXT PRIMARY KEY, digest TEXT NOT NULL, expires_ms INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reply_expiry ON reply (expires_ms);
`;

/** A call that runs here and now, and those that wait for its end. */
interface Running {
  readonly digest: string;
  readonly reply: Promise<StoredReply>;
  readonly resolve: (reply: StoredReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps the replies of `once` calls in a database that all instances share, each in the very transaction that makes the
 * call's changes. So there are no claims to be left behind by a crash: killed before the commit, the call has not happened and
 * another instance runs it; killed after it, the call has happened and every instance knows the reply.
 */
export class SharedReplyStore implements ReplyStore {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  #claims = 0;

  /** `now` is in ms since 1970: instances compare their times. */
  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  claim(request: ReplyClaimRequest): ReplyClaim {
    const id = JSON.stringify([request.caller, request.method, request.key]);
    if (++this.#claims % pruneEvery === 0) this.#prune();
    const running = this.#running.get(id);
    if (running !== undefined) {
      if (running.digest !== request.requestDigest) return { type: "mismatch" };
      return { type: "running", reply: running.reply };
    }
    const kept = this.#find(id);
    if (kept !== undefined) {
      if (kept.digest !== request.requestDigest) return { type: "mismatch" };
      return { type: "replied", reply: decodeReply(kept.body) };
    }
    if (this.#count() >= maxEntries) return { type: "full", retryAfterMs: fullRetryMs };
    const work = new UnitOfWork();
    const entry = this.#begin(id, request.requestDigest);
    return {
      type: "claimed",
      transaction: work,
      commit: (reply) => {
        this.#running.delete(id);
        try {
          if (!isTransient(reply)) this.#commit(id, request, reply, work);
          entry.resolve(reply);
        } catch (error) {
          entry.reject(error);
          throw error;
        }
      },
    };
  }

  #commit(id: string, { requestDigest, remainingMs }: ReplyClaimRequest, reply: StoredReply, work: UnitOfWork): void {
    transaction(this.#database, () => {
      // The same call ran at another instance too, which was quicker. Sent again, it gets the reply that counts.
      if (this.#find(id) !== undefined)
        throw new RpcError("unavailable", "Another instance answered this call meanwhile");
      // An error is an answer as well, but what it was to change does not happen.
      if (reply.type === "reply") work.apply();
      const expiresMs = this.#now() + Math.max(keptMs, Number.isFinite(remainingMs) ? remainingMs + marginMs : 0);
      this.#database
        .prepare("INSERT INTO reply VALUES (?, ?, ?, ?)")
        .run(id, requestDigest, Math.ceil(expiresMs), encodeReply(reply));
    });
  }

  #begin(id: string, digest: string): Running {
    let settle: Pick<Running, "resolve" | "reject"> | undefined;
    const reply = new Promise<StoredReply>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // Nobody may be waiting.
    reply.catch(() => {});
    const entry = { digest, reply, ...(settle as unknown as Pick<Running, "resolve" | "reject">) };
    this.#running.set(id, entry);
    return entry;
  }

  #find(id: string): { readonly digest: string; readonly body: Uint8Array } | undefined {
    return this.#database
      .prepare("SELECT digest, body FROM reply WHERE id = ? AND expires_ms > ?")
      .get(id, Math.floor(this.#now())) as { digest: string; body: Uint8Array } | undefined;
  }

  #count(): number {
    return (this.#database.prepare("SELECT count(*) AS count FROM reply").get() as { count: number }).count;
  }

  #prune(): void {
    transaction(this.#database, () =>
      this.#database.prepare("DELETE FROM reply WHERE expires_ms <= ?").run(Math.floor(this.#now())),
    );
  }
}

/**
 * Errors that say "not now" are not kept: the changes are not made, so that the call may run when it is sent again. Kept, they
 * would be the answer for an hour.
 */
function isTransient(reply: StoredReply): boolean {
  if (reply.type === "reply" || reply.error !== undefined) return false;
  return ["unavailable", "resource_exhausted", "cancelled", "deadline_exceeded", "internal"].includes(reply.code);
}
