/**
 * What the gossip core says to the world, and what it is told.
 *
 * The core is a state machine: bytes and times go in, effects come out through one {@link GossipEffects} sink. It owns
 * no socket, timer, clock or randomness. A driver (the UDP/TCP shell, or a simulation):
 *
 * 1. calls `start(nowMs)` once its sockets are bound;
 * 2. hands every datagram to `receive` and every stream message to `receiveStream`;
 * 3. keeps one timer at the time last given to `effects.wake`, and calls `tick(nowMs)` when it is due. **After a stall
 *    it must drain its sockets first and tick afterwards**, or it would judge probes late whose answers already wait
 *    in the kernel;
 * 4. for `stream(to, bytes, fresh)`: frames `bytes` (say, u32 length + bytes) onto a stream. `to` is a `host:port` to dial
 *    (or to reuse a kept stream to) or, in a reply, the very key it gave to `receiveStream` for an incoming connection.
 *    With `fresh` it dials a new connection, reports `streamOpened(to)` when the peer's kernel accepts, and
 *    `streamFailed(to, why)` when it does not; afterwards it may keep that connection as the kept one.
 *    A kept stream that breaks is `streamFailed(to, "reset")`. A `to` of an incoming connection that is gone is dropped.
 *
 * All times are milliseconds of one monotonic clock.
 */

/** Where randomness comes from: ids of probes, shuffles, salts, challenges. */
export interface GossipRandom {
  /** A uniform integer in [0, 2^32). */
  u32(): number;
  /** `n` random bytes. For salts and challenges they must be unpredictable when keys are set. */
  bytes(n: number): Uint8Array;
}

/** What the core asks of its driver. Byte arrays are views that hold only during the call: send or copy them. */
export interface GossipEffects {
  /** Send one datagram of at most 1,200 bytes; loss is fine. */
  datagram(to: string, bytes: Uint8Array): void;
  /** Send one message over a stream; see the head of this file for `to` and `fresh`. */
  stream(to: string, bytes: Uint8Array, fresh: boolean): void;
  /** Call `tick` at this time. Replaces any earlier wish. */
  wake(atMs: number): void;
  /** Something the application may care about. */
  event(event: GossipEvent): void;
}

/** `dead` is a verdict of others after a failure, `left` the member's own last word. */
export type MemberState = "alive" | "suspect" | "dead" | "left";

/** One member as this node sees it. A snapshot: it does not change under the reader. */
export interface MemberView {
  readonly id: string;
  /** `host:port` of its gossip socket, datagrams and streams alike. */
  readonly address: string;
  /** Which life of this id: boot time in milliseconds, compared first. */
  readonly generation: number;
  /** Raised by the member itself, and only by it, to refute an accusation. */
  readonly incarnation: number;
  readonly state: MemberState;
}

/** How a record came or went. `left` and `failed` mean that its owner did, and tell a farewell from a loss. */
export type RecordChange = "put" | "removed" | "left" | "failed";

/** What the application hears. */
export type GossipEvent =
  /** A member appeared (`was` undefined) or changed state, incarnation or generation. */
  | { readonly type: "member"; readonly member: MemberView; readonly was: MemberState | undefined }
  /** A record of `owner` changed. `value` is absent unless `change` is "put"; the bytes belong to the listener. */
  | {
      readonly type: "record";
      readonly owner: string;
      readonly generation: number;
      readonly key: string;
      readonly value: Uint8Array | undefined;
      readonly change: RecordChange;
    }
  /** The first exchange with a member has ended: the view is as full as that member's. */
  | { readonly type: "joined"; readonly via: string }
  /** Another process owns this id and wins (newer generation, else higher address). This core has stopped for good. */
  | { readonly type: "conflict"; readonly winner: MemberView }
  /** This process had lived before with a later generation (the clock went back); it goes on under this one. */
  | { readonly type: "generation"; readonly generation: number }
  /** A packet under a key id this node does not hold (0: under none), or a peer told us that it does not hold ours. ≤ 1/s. */
  | { readonly type: "keyMismatch"; readonly from: string; readonly keyId: number }
  /** A packet of another cluster. ≤ 1/s. */
  | { readonly type: "clusterMismatch"; readonly from: string }
  /** Pings by datagram to this member fail while pings by stream work: UDP is blocked or lost. ≤ 1 per member and minute. */
  | { readonly type: "datagramsLost"; readonly member: MemberView }
  /** `leave` has been told to enough members: it is safe to stop. */
  | { readonly type: "left" };

/** Why a stream could not carry a message. "refused" is an answer of the peer's kernel, the others are silence or a break. */
export type StreamFailure = "refused" | "reset" | "unreachable";

/** Counters since the start, for tests, metrics and the results table. */
export interface GossipStats {
  datagramsSent: number;
  datagramBytesSent: number;
  streamMessagesSent: number;
  streamBytesSent: number;
  /** Packets dropped before any of their content was used: malformed, foreign, unauthentic, replayed. */
  packetsDropped: number;
  probes: number;
  probesFailed: number;
  suspicions: number;
  refutations: number;
  confirmations: number;
  deathsAnnounced: number;
  syncs: number;
}

/** A record as the core keeps it: opaque bytes under a key, written by its owner only. */
export interface OwnedRecord {
  readonly owner: string;
  readonly generation: number;
  readonly key: string;
  readonly value: Uint8Array;
  /** State of the owner in this view. */
  readonly state: MemberState;
}

/** The sans-I/O membership core. Methods never throw on what comes from the network. */
export interface GossipCore {
  /** Starts probing and joins through the seeds. */
  start(nowMs: number): void;
  /** One datagram; `from` is the `host:port` it came from. */
  receive(from: string, bytes: Uint8Array, nowMs: number): void;
  /** One stream message; `from` is the address dialled, or a key of the driver's own (such as "#7") for an incoming stream. */
  receiveStream(from: string, bytes: Uint8Array, nowMs: number): void;
  /** A `fresh` stream to this address was accepted by the peer's kernel. */
  streamOpened(to: string, nowMs: number): void;
  /** A stream to this address failed. */
  streamFailed(to: string, reason: StreamFailure, nowMs: number): void;
  /** Runs what is due, in order. */
  tick(nowMs: number): void;
  /** A hint that this member may be in trouble (a reset RPC connection): probe it now. At most once per member and second. */
  report(memberId: string, nowMs: number): void;
  /**
   * Writes a record of this node and tells the cluster. Writing equal bytes is free.
   * @throws RangeError when the record encodes to more than 1,024 bytes (says how many), or the key is not 1 to 255 printable ASCII characters.
   * @throws TypeError on an observer (`member: false`), which owns nothing.
   */
  put(key: string, value: Uint8Array, nowMs: number): void;
  /** Deletes a record of this node. False when there was none. */
  remove(key: string, nowMs: number): boolean;
  /** Says farewell: members see `left`. The event "left" tells when it is safe to stop. */
  leave(nowMs: number): void;
  /** Replaces the seeds (`host:port`), say after they were resolved again. */
  setSeeds(seeds: readonly string[]): void;
  /** Replaces the keys. The first seals, all of them open. @throws TypeError when the core was built without keys. */
  setKeys(keys: readonly Uint8Array[]): void;
  /** How many live members last spoke under each key id, this node included: drop an old key when only the new id is left. */
  keyUsage(): ReadonlyMap<number, number>;
  /** Members that are alive or suspect, this node included. */
  members(): MemberView[];
  /** Any member still remembered, dead ones too. */
  member(id: string): MemberView | undefined;
  /** Records of members that are alive or suspect, this node's included. */
  records(): OwnedRecord[];
  /** Order-free 64-bit hash of the live view, as hex: equal on two nodes means equal views. */
  viewHash(): string;
  /** Local health: 0 is well, 8 very slow (Lifeguard). */
  readonly localHealth: number;
  /** Members remembered in any state, and how many of those are tombstones. */
  readonly size: { readonly members: number; readonly tombstones: number };
  readonly self: MemberView;
  readonly stats: GossipStats;
}
