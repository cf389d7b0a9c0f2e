import { type Clock, RpcError, systemClock } from "@pipit/protocol";
import { ExpiryQueue } from "./expiry-queue.ts";
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

/** A call that runs. */
interface Running {
  readonly owner: string;
  readonly requestDigest: string;
  readonly weightBytes: number;
  readonly waiting: Waiting[];
}

/** A call that was answered. */
interface Finished {
  readonly key: string;
  readonly owner: string;
  readonly requestDigest: string;
  readonly weightBytes: number;
  readonly reply: StoredReply;
  readonly expiresAtMs: number;
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
  readonly #running = new Map<string, Running>();
  readonly #finished = new Map<string, Finished>();
  /** The finished ones. A caller chooses its deadline, and may choose one past all others. */
  readonly #expiring = new ExpiryQueue<Finished>();
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
    const { owner, requestDigest, remainingMs } = request;
    const now = this.#clock.now();
    this.#expire(now);
    const key = JSON.stringify([request.caller, request.method, request.key]);
    const running = this.#running.get(key);
    if (running !== undefined) return running.requestDigest === requestDigest ? waitFor(running) : { type: "mismatch" };
    const finished = this.#finished.get(key);
    if (finished !== undefined) {
      return finished.requestDigest === requestDigest
        ? { type: "replied", reply: finished.reply }
        : { type: "mismatch" };
    }
    const weightBytes = entryOverheadBytes + 2 * key.length;
    if (!this.#hasRoom(owner, weightBytes)) return { type: "full", retryAfterMs: this.#untilExpiry(now) };
    const claimed: Running = { owner, requestDigest, weightBytes, waiting: [] };
    this.#running.set(key, claimed);
    this.#charge(owner, 1, weightBytes);
    return {
      type: "claimed",
      commit: (reply) => this.#commit(key, claimed, reply, remainingMs),
      release: () => this.#release(key, claimed),
    };
  }

  #commit(key: string, running: Running, reply: StoredReply, remainingMs: number): void {
    const { owner, requestDigest, weightBytes, waiting } = running;
    const keptMs = Math.max(this.#ttlMs, Number.isFinite(remainingMs) ? remainingMs + deadlineMarginMs : 0);
    const size = reply.type === "reply" ? reply.bytes.length : reply.message.length * 2 + (reply.data?.length ?? 0);
    this.#running.delete(key);
    const finished: Finished = {
      key,
      owner,
      requestDigest,
      weightBytes: weightBytes + size,
      reply,
      expiresAtMs: this.#clock.now() + keptMs,
    };
    this.#finished.set(key, finished);
    this.#expiring.add(finished);
    this.#charge(owner, 0, size);
    for (const { resolve } of waiting.splice(0)) resolve(reply);
  }

  #release(key: string, { owner, weightBytes, waiting }: Running): void {
    this.#running.delete(key);
    this.#charge(owner, -1, -weightBytes);
    const error = new RpcError("unavailable", "The sending that was waited for was turned away before its handler ran");
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  /** Each entry goes once, so that a claim has little to do on average, however many calls run. */
  #expire(now: number): void {
    while ((this.#expiring.first?.expiresAtMs ?? Number.POSITIVE_INFINITY) <= now) {
      const { key, owner, weightBytes } = this.#expiring.takeFirst() as Finished;
      this.#finished.delete(key);
      this.#charge(owner, -1, -weightBytes);
    }
  }

  #hasRoom(owner: string, weightBytes: number): boolean {
    const { entries, bytes } = this.#shares.get(owner) ?? { entries: 0, bytes: 0 };
    return (
      mayTake(entries, this.#maxEntries - this.#running.size - this.#finished.size, this.#maxEntries) &&
      mayTake(bytes, this.#maxBytes - this.#bytes, this.#maxBytes, weightBytes)
    );
  }

  #charge(owner: string, entries: number, bytes: number): void {
    const share = this.#shares.get(owner) ?? { entries: 0, bytes: 0 };
    share.entries += entries;
    share.bytes += bytes;
    this.#bytes += bytes;
    if (share.entries > 0) this.#shares.set(owner, share);
    else this.#shares.delete(owner);
  }

  #untilExpiry(now: number): number {
    const { first } = this.#expiring;
    return first === undefined ? this.#ttlMs : Math.max(1, Math.ceil(first.expiresAtMs - now));
  }
}

function waitFor({ waiting }: Running): ReplyClaim {
  return { type: "running", reply: new Promise((resolve, reject) => waiting.push({ resolve, reject })) };
}
