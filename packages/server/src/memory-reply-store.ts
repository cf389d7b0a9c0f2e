import { type Clock, RpcError, systemClock } from "@pipit/protocol";
import { mayTake } from "./fair-share.ts";
import type { ReplyClaim, ReplyClaimRequest, ReplyStore, StoredReply } from "./reply-store.ts";

/** Options of {@link memoryReplyStore}. Of entries and of bytes each caller gets its fair share, 94 % when it is alone. */
export interface MemoryReplyStoreOptions {
  /** How long a reply is kept after it was given, in milliseconds; never less than the call had left. Default 600,000. */
  readonly ttlMs?: number | undefined;
  /** Entries, running ones included, before new calls are refused. Default 100,000. */
  readonly maxEntries?: number | undefined;
  /** Bytes of replies before new calls are refused. Replies of those that run by then are kept all the same, and come on top. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultTtlMs = 600_000;
const defaultMaxEntries = 100_000;
const defaultMaxBytes = 64 * 1024 * 1024;
/** What an entry is held to weigh beside its reply: keys, map, object. */
const entryOverheadBytes = 256;
/** An entry outlives its call's deadline by this much, in milliseconds: clocks run apart while packets travel. */
const deadlineMarginMs = 60_000;

/** What one caller takes of the store. */
interface Share {
  entries: number;
  bytes: number;
}

interface Entry {
  readonly owner: string;
  readonly requestDigest: string;
  expiresAtMs: number;
  weightBytes: number;
  reply: StoredReply | undefined;
  waiting: Waiting[];
}

/** A later sending of a call that runs. */
interface Waiting {
  readonly resolve: (reply: StoredReply) => void;
  readonly reject: (error: RpcError) => void;
}

/**
 * A {@link ReplyStore} in the memory of one process: it forgets with the process, so clients send a `once` call again only
 * to the instance and generation that got it. Unexpired entries are never evicted: a store that is full, or has no more room for
 * this caller, refuses new calls.
 */
export function memoryReplyStore(options: MemoryReplyStoreOptions = {}): ReplyStore {
  return new MemoryReplyStore(options);
}

class MemoryReplyStore implements ReplyStore {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  /** In the order in which they were finished or begun; finished ones move to the end. */
  readonly #entries = new Map<string, Entry>();
  /** By owner; none without entries. */
  readonly #shares = new Map<string, Share>();
  #bytes = 0;

  constructor(options: MemoryReplyStoreOptions) {
    this.#ttlMs = options.ttlMs ?? defaultTtlMs;
    this.#maxEntries = options.maxEntries ?? defaultMaxEntries;
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes;
    this.#clock = options.clock ?? systemClock;
    const given = { ttlMs: this.#ttlMs, maxEntries: this.#maxEntries, maxBytes: this.#maxBytes };
    for (const [name, value] of Object.entries(given)) {
      if (!(value > 0)) throw new RangeError(`Option ${name}: expected more than 0, got ${value}`);
    }
  }

  claim(request: ReplyClaimRequest): ReplyClaim {
    const now = this.#clock.now();
    this.#expire(now);
    const key = JSON.stringify([request.caller, request.method, request.key]);
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAtMs > now) return answer(known, request);
    if (known !== undefined) this.#remove(key, known);
    const weightBytes = entryOverheadBytes + 2 * key.length;
    if (!this.#hasRoom(request.owner, weightBytes)) {
      return { type: "full", retryAfterMs: this.#untilExpiry(now) };
    }
    const entry: Entry = {
      owner: request.owner,
      requestDigest: request.requestDigest,
      expiresAtMs: Number.POSITIVE_INFINITY,
      weightBytes,
      reply: undefined,
      waiting: [],
    };
    this.#entries.set(key, entry);
    this.#charge(entry, 1, weightBytes);
    return {
      type: "claimed",
      commit: (reply) => this.#commit(key, entry, reply, request.remainingMs),
      release: () => this.#release(key, entry),
    };
  }

  #commit(key: string, entry: Entry, reply: StoredReply, remainingMs: number): void {
    const keptMs = Math.max(this.#ttlMs, Number.isFinite(remainingMs) ? remainingMs + deadlineMarginMs : 0);
    entry.reply = reply;
    entry.expiresAtMs = this.#clock.now() + keptMs;
    const size = reply.type === "reply" ? reply.bytes.length : reply.message.length * 2 + (reply.data?.length ?? 0);
    entry.weightBytes += size;
    this.#charge(entry, 0, size);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const { resolve } of entry.waiting.splice(0)) resolve(reply);
  }

  #release(key: string, entry: Entry): void {
    this.#remove(key, entry);
    const error = new RpcError("unavailable", "The sending that was waited for was turned away before its handler ran");
    for (const { reject } of entry.waiting.splice(0)) reject(error);
  }

  /** Finished entries lie in about the order in which they expire: look at the oldest few. */
  #expire(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.reply === undefined) continue;
      if (entry.expiresAtMs > now) return;
      this.#remove(key, entry);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#charge(entry, -1, -entry.weightBytes);
  }

  #hasRoom(owner: string, weightBytes: number): boolean {
    const { entries, bytes } = this.#shares.get(owner) ?? { entries: 0, bytes: 0 };
    return (
      mayTake(entries, this.#maxEntries - this.#entries.size, this.#maxEntries) &&
      mayTake(bytes, this.#maxBytes - this.#bytes, this.#maxBytes, weightBytes)
    );
  }

  #charge({ owner }: Entry, entries: number, bytes: number): void {
    const share = this.#shares.get(owner) ?? { entries: 0, bytes: 0 };
    share.entries += entries;
    share.bytes += bytes;
    this.#bytes += bytes;
    if (share.entries > 0) this.#shares.set(owner, share);
    else this.#shares.delete(owner);
  }

  #untilExpiry(now: number): number {
    for (const { reply, expiresAtMs } of this.#entries.values()) {
      if (reply !== undefined) return Math.max(1, Math.ceil(expiresAtMs - now));
    }
    return this.#ttlMs;
  }
}

function answer(entry: Entry, { requestDigest }: ReplyClaimRequest): ReplyClaim {
  if (entry.requestDigest !== requestDigest) return { type: "mismatch" };
  if (entry.reply !== undefined) return { type: "replied", reply: entry.reply };
  return { type: "running", reply: new Promise((resolve, reject) => entry.waiting.push({ resolve, reject })) };
}
