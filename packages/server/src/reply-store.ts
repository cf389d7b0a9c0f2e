import type { Awaitable, Code } from "@pipit/protocol";

/** What a `once` call was answered, as it is kept. */
export type StoredReply =
  | { readonly type: "reply"; readonly bytes: Uint8Array }
  | {
      readonly type: "error";
      readonly code: Code;
      readonly message: string;
      /** Name of a declared error, and its data. */
      readonly error?: string | undefined;
      readonly data?: Uint8Array | undefined;
    };

/** Which call a claim is for. Two calls with the same caller, method and key are the same call. */
export interface ReplyClaimRequest {
  /** The authenticated caller; empty for anonymous ones. */
  readonly caller: string;
  /**
   * For whom the entry takes room: `caller alice`, or of anonymous ones `host 10.0.0.1`, which they call from, an IPv6 one by its /64,
   * since a new connection or address costs them nothing. No name that a caller has is a host's. A store that is bounded gives each its share.
   */
  readonly owner: string;
  /** `helloworld.Greeter/sayHello`. */
  readonly method: string;
  /** The caller's idempotency key. */
  readonly key: string;
  /** SHA-256 of the request's bytes, hex: the same key with another request is a mistake. */
  readonly requestDigest: string;
  /** Time that the call has left, in milliseconds: the entry must outlive it. */
  readonly remainingMs: number;
}

/**
 * What a store answers to a claim.
 *
 * - `claimed`: nobody had it. The handler runs now; `commit` keeps its reply. Where an interceptor turned the call away and
 *   the handler never began, `release` is called instead. Of the two, one is called, once.
 * - `replied`: it has run. This was the reply.
 * - `running`: it runs now. `reply` gives its reply once there is one; where the claim is released it rejects, best with
 *   `unavailable`, so that the call is sent again.
 * - `mismatch`: the key was used for another request.
 * - `full`: no room; the call must not run.
 * - `lost`: it was claimed, and nobody knows how it ended: it may have run.
 */
export type ReplyClaim =
  | {
      readonly type: "claimed";
      /** Handed to the handler as `context.transaction`: effects made in it commit with the reply, or not at all. */
      readonly transaction?: unknown;
      commit(reply: StoredReply): Awaitable<void>;
      /**
       * Takes the claim back, as if it had never been made, and rolls its transaction back: the next sending may claim. Called
       * for `unavailable` and `resource_exhausted`, which ask for another sending. Without it that refusal is committed, and
       * answers every later sending.
       */
      release?(): Awaitable<void>;
    }
  | { readonly type: "replied"; readonly reply: StoredReply }
  | { readonly type: "running"; readonly reply: PromiseLike<StoredReply> }
  | { readonly type: "mismatch" }
  | { readonly type: "full"; readonly retryAfterMs: number }
  | { readonly type: "lost" };

/**
 * Remembers the replies of `once` calls, so that a second sending is answered from memory and the handler runs once (law
 * 5). A store for several instances keeps its entries where all see them, claims atomically, and answers `lost` for a claim
 * whose owner crashed; the clients then set `retry.sharedReplyStore`.
 */
export interface ReplyStore {
  /** Claims a call before its handler runs. A rejection answers the call with `internal`, and the handler does not run. */
  claim(request: ReplyClaimRequest): Awaitable<ReplyClaim>;
}
