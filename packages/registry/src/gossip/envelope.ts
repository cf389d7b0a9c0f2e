/**
 * The outside of a packet: version, cluster, and, when keys are set, the seal.
 *
 *   plain    version u8 = 1 | flags u8 | cluster u32 | body
 *   sealed   version u8 = 1 | flags u8 | cluster u32 | key id u32 | salt 16 | counter u48 | sealed body | tag 16
 *   notice   version u8 = 1 | flags u8 | cluster u32 | reason u8 | key id u32      (unauthenticated: leads to an event only)
 *
 * Each sender has a random salt, new at each start, and seals under HKDF(cluster key, its salt) with a counter as nonce:
 * no nonce repeats, whatever clocks or restarts do. The associated data is the flags, the cluster's name and the
 * *receiver's* salt. A salt stands for one life of one id, so a packet for another receiver, or for an earlier life of
 * this one, does not open. A sender's salt is believed when an already believed member vouches for it (it rides in the
 * member's record) or after one fresh challenge; until then nothing of its packets is used but challenges and echoes.
 * Packets to a receiver whose salt is not known yet are "unaddressed": they can lead to a challenge and to nothing else.
 */
import { AEAD_TAG_BYTES, type Aead, type PacketKey } from "./aead.ts";
import type { Writer } from "./bytes.ts";
import { checkKeys } from "./config.ts";
import { hashName } from "./hash.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { GossipEvent, GossipRandom } from "./types.ts";

const VERSION = 1;
const SEALED = 1;
const ADDRESSED = 2;
const NOTICE = 4;
const PLAIN_HEAD_BYTES = 6;
const SEALED_HEAD_BYTES = 32;
export const SALT_BYTES = 16;
export const NOTICE_BYTES = 11;

/**
 * Salts held without a member's name behind them: joiners under challenge, observers. Past it one of them is forgotten
 * by lot. By age, more strangers at once than this would each push out the one before it within a round trip and answer
 * the new challenge by doing so again: nobody would ever get in. By lot some do in each round, and the rest follow.
 */
export const MAX_LOOSE_PEERS = 2_048;
/** Least time between two events, or two notices, about strangers. */
const STRANGER_INTERVAL_MS = 1_000;
const NO_SALT = new Uint8Array(SALT_BYTES);

/** A sender as its salt shows it. */
export interface Peer {
  readonly salt: Uint8Array;
  readonly window: ReplayWindow;
  readonly keys: Map<number, PacketKey>;
  believed: boolean;
  /** Id of the member whose record carries this salt, if any. */
  memberId: string | undefined;
  /** What it must echo to be believed. */
  challenge: Uint8Array | undefined;
  lastKeyId: number;
  /** Its place among those without a name; -1 when it has one. */
  looseIndex: number;
}

/** What became of a packet. */
export type Opened =
  /** Read `bytes` from `start` to `end`. `peer` is undefined when no keys are set. */
  | {
      readonly bytes: Uint8Array;
      readonly start: number;
      readonly end: number;
      readonly peer: Peer | undefined;
      readonly addressed: boolean;
    }
  /** Dropped; `notice` is what may be answered (never more than came in), `event` what to tell the application. */
  | { readonly notice: Uint8Array | undefined; readonly event: GossipEvent | undefined };

interface MutableOpened {
  bytes: Uint8Array;
  start: number;
  end: number;
  peer: Peer | undefined;
  addressed: boolean;
}

export class Envelope {
  readonly salt: Uint8Array | undefined;
  readonly #aead: Aead | undefined;
  readonly #clusterTag: number;
  readonly #associated: Uint8Array;
  #keys: { readonly id: number; readonly key: Uint8Array }[] = [];
  #own = new Map<number, PacketKey>();
  #counter = 0;
  #sealed: Uint8Array;
  readonly #peers = new Map<number, Peer>();
  readonly #loose: Peer[] = [];
  readonly #random: GossipRandom;
  #lastEventMs = Number.NEGATIVE_INFINITY;
  #lastNoticeMs = Number.NEGATIVE_INFINITY;
  readonly #opened: MutableOpened = { bytes: NO_SALT, start: 0, end: 0, peer: undefined, addressed: false };

  constructor(
    cluster: string,
    aead: Aead | undefined,
    keys: readonly Uint8Array[] | undefined,
    random: GossipRandom,
    maxDatagramBytes: number,
  ) {
    this.#clusterTag = hashName(cluster, 0);
    this.#aead = aead;
    this.#random = random;
    this.#sealed = new Uint8Array(maxDatagramBytes + 256);
    this.#associated = new Uint8Array(2 + cluster.length + SALT_BYTES);
    this.#associated[0] = VERSION;
    for (let i = 0; i < cluster.length; i++) this.#associated[2 + i] = cluster.charCodeAt(i);
    this.salt = keys === undefined ? undefined : random.bytes(SALT_BYTES);
    if (keys !== undefined) this.setKeys(keys);
  }

  /** Bytes before the body. */
  get headBytes(): number {
    return this.salt === undefined ? PLAIN_HEAD_BYTES : SEALED_HEAD_BYTES;
  }

  /** Bytes after the body. */
  get tailBytes(): number {
    return this.salt === undefined ? 0 : AEAD_TAG_BYTES;
  }

  get primaryKeyId(): number {
    return this.#keys[0]?.id ?? 0;
  }

  /** @throws TypeError when this envelope was made without keys. */
  setKeys(keys: readonly Uint8Array[]): void {
    const aead = this.#aead;
    const salt = this.salt;
    if (aead === undefined || salt === undefined)
      throw new TypeError("Set gossip keys: this node was started without keys, wanted it started with some");
    checkKeys(keys);
    this.#keys = keys.map((key) => ({ id: aead.keyId(key), key }));
    this.#own = new Map(this.#keys.map(({ id, key }) => [id, this.#own.get(id) ?? aead.derive(key, salt)]));
    for (const peer of this.#peers.values()) {
      for (const id of peer.keys.keys()) if (!this.#own.has(id)) peer.keys.delete(id);
    }
  }

  /** Leaves room for the head; the body is then written behind it. */
  begin(w: Writer): void {
    w.pos = 0;
    const head = this.headBytes;
    while (w.bytes.length < head) w.u8(0);
    w.pos = head;
  }

  /** Completes the packet for the receiver with this salt (undefined: not known). The result is a view of a reused buffer. */
  finish(w: Writer, receiverSalt: Uint8Array | undefined): Uint8Array {
    const salt = this.salt;
    if (salt === undefined) {
      this.#head(w.bytes, 0);
      return w.bytes.subarray(0, w.pos);
    }
    const total = w.pos + AEAD_TAG_BYTES;
    if (this.#sealed.length < total) this.#sealed = new Uint8Array(total * 2);
    const out = this.#sealed;
    const flags = receiverSalt === undefined ? SEALED : SEALED | ADDRESSED;
    const keyId = this.primaryKeyId;
    const counter = this.#counter++;
    this.#head(out, flags);
    put32(out, 6, keyId);
    for (let i = 0; i < SALT_BYTES; i++) out[10 + i] = salt[i] as number;
    put32(out, 26, counter >>> 0);
    const high = Math.floor(counter / 2 ** 32);
    out[30] = high;
    out[31] = high >>> 8;
    const key = this.#own.get(keyId) as PacketKey;
    const plain = w.bytes.subarray(SEALED_HEAD_BYTES, w.pos);
    key.seal(counter, this.#associate(flags, receiverSalt), plain, out, SEALED_HEAD_BYTES);
    return out.subarray(0, total);
  }

  /** Opens a packet. The result is reused by the next call. */
  open(from: string, bytes: Uint8Array, nowMs: number): Opened | undefined {
    if (bytes.length < PLAIN_HEAD_BYTES || bytes[0] !== VERSION) return undefined;
    const flags = bytes[1] as number;
    if (flags > 7) return undefined;
    const foreign = get32(bytes, 2) !== this.#clusterTag;
    if ((flags & NOTICE) !== 0) return this.#onNotice(from, bytes, flags, nowMs);
    if (foreign) return this.#refuse(from, bytes, CLUSTER, 0, nowMs);
    const o = this.#opened;
    if (this.salt === undefined) {
      if (flags !== 0) {
        const keyId = bytes.length >= 10 ? get32(bytes, 6) >>> 0 : 0;
        return this.#refuse(from, bytes, KEY, keyId, nowMs);
      }
      o.bytes = bytes;
      o.start = PLAIN_HEAD_BYTES;
      o.end = bytes.length;
      o.peer = undefined;
      o.addressed = true;
      return o;
    }
    if ((flags & SEALED) === 0) return this.#refuse(from, bytes, KEY, 0, nowMs);
    if (bytes.length < SEALED_HEAD_BYTES + AEAD_TAG_BYTES) return undefined;
    const keyId = get32(bytes, 6) >>> 0;
    if (!this.#own.has(keyId)) return this.#refuse(from, bytes, KEY, keyId, nowMs);
    return this.#unseal(bytes, flags, keyId);
  }

  #unseal(bytes: Uint8Array, flags: number, keyId: number): Opened | undefined {
    const index = saltIndex(bytes, 10);
    let peer = this.#peers.get(index);
    if (peer !== undefined && !sameBytes(peer.salt, bytes, 10)) return undefined;
    const key = this.#keyOf(peer, keyId, bytes);
    if (key === undefined) return undefined;
    const counter = (get32(bytes, 26) >>> 0) + ((bytes[30] as number) | ((bytes[31] as number) << 8)) * 2 ** 32;
    const addressed = (flags & ADDRESSED) !== 0;
    const associated = this.#associate(flags, addressed ? this.salt : undefined);
    const body = key.open(counter, associated, bytes.subarray(SEALED_HEAD_BYTES));
    if (body === undefined) return undefined;
    if (peer === undefined) {
      peer = newPeer(bytes.slice(10, 10 + SALT_BYTES));
      peer.keys.set(keyId, key);
      this.#peers.set(index, peer);
      this.#hold(peer);
    }
    if (!peer.window.accept(counter)) return undefined;
    peer.lastKeyId = keyId;
    const o = this.#opened;
    o.bytes = body;
    o.start = 0;
    o.end = body.length;
    o.peer = peer;
    o.addressed = addressed;
    return o;
  }

  #keyOf(peer: Peer | undefined, keyId: number, bytes: Uint8Array): PacketKey | undefined {
    const held = peer?.keys.get(keyId);
    if (held !== undefined) return held;
    const clusterKey = this.#keys.find((k) => k.id === keyId);
    if (clusterKey === undefined || this.#aead === undefined) return undefined;
    const key = this.#aead.derive(clusterKey.key, bytes.slice(10, 10 + SALT_BYTES));
    peer?.keys.set(keyId, key);
    return key;
  }

  /** A believed member vouches for this salt. */
  vouch(salt: Uint8Array, memberId: string): void {
    if (this.salt === undefined) return;
    const index = saltIndex(salt, 0);
    let peer = this.#peers.get(index);
    if (peer === undefined) {
      peer = newPeer(salt);
      this.#peers.set(index, peer);
    }
    this.#letGo(peer);
    peer.believed = true;
    peer.memberId = memberId;
    peer.challenge = undefined;
  }

  /** This life of a member is over or forgotten: its salt must prove itself again. */
  disown(salt: Uint8Array): void {
    const index = saltIndex(salt, 0);
    const peer = this.#peers.get(index);
    if (peer === undefined) return;
    this.#peers.delete(index);
    this.#letGo(peer);
  }

  peerOf(salt: Uint8Array): Peer | undefined {
    return this.#peers.get(saltIndex(salt, 0));
  }

  #hold(peer: Peer): void {
    if (this.#loose.length === MAX_LOOSE_PEERS) {
      const lot = this.#loose[this.#random.u32() % MAX_LOOSE_PEERS] as Peer;
      this.#letGo(lot);
      this.#peers.delete(saltIndex(lot.salt, 0));
    }
    peer.looseIndex = this.#loose.length;
    this.#loose.push(peer);
  }

  #letGo(peer: Peer): void {
    if (peer.looseIndex < 0) return;
    const last = this.#loose.pop() as Peer;
    if (last !== peer) {
      this.#loose[peer.looseIndex] = last;
      last.looseIndex = peer.looseIndex;
    }
    peer.looseIndex = -1;
  }

  #associate(flags: number, salt: Uint8Array | undefined): Uint8Array {
    const a = this.#associated;
    a[1] = flags;
    const s = salt ?? NO_SALT;
    const at = a.length - SALT_BYTES;
    for (let i = 0; i < SALT_BYTES; i++) a[at + i] = s[i] as number;
    return a;
  }

  #head(out: Uint8Array, flags: number): void {
    out[0] = VERSION;
    out[1] = flags;
    put32(out, 2, this.#clusterTag);
  }

  #refuse(from: string, bytes: Uint8Array, reason: number, keyId: number, nowMs: number): Opened {
    let notice: Uint8Array | undefined;
    if (bytes.length >= NOTICE_BYTES && nowMs - this.#lastNoticeMs >= STRANGER_INTERVAL_MS / 10) {
      this.#lastNoticeMs = nowMs;
      notice = new Uint8Array(NOTICE_BYTES);
      this.#head(notice, NOTICE);
      notice[6] = reason;
      put32(notice, 7, keyId);
    }
    const event: GossipEvent =
      reason === KEY ? { type: "keyMismatch", from, keyId } : { type: "clusterMismatch", from };
    return { notice, event: this.#mayTell(nowMs) ? event : undefined };
  }

  #onNotice(from: string, bytes: Uint8Array, flags: number, nowMs: number): Opened | undefined {
    if (flags !== NOTICE || bytes.length !== NOTICE_BYTES || !this.#mayTell(nowMs)) return undefined;
    const event: GossipEvent =
      bytes[6] === KEY
        ? { type: "keyMismatch", from, keyId: get32(bytes, 7) >>> 0 }
        : { type: "clusterMismatch", from };
    return { notice: undefined, event };
  }

  #mayTell(nowMs: number): boolean {
    if (nowMs - this.#lastEventMs < STRANGER_INTERVAL_MS) return false;
    this.#lastEventMs = nowMs;
    return true;
  }
}

const KEY = 1;
const CLUSTER = 2;

function newPeer(salt: Uint8Array): Peer {
  return {
    salt,
    window: new ReplayWindow(),
    keys: new Map(),
    believed: false,
    memberId: undefined,
    challenge: undefined,
    lastKeyId: 0,
    looseIndex: -1,
  };
}

/** 48 bits of the salt as a number. Salts are random; two that collide cost the later one its packets. */
function saltIndex(bytes: Uint8Array, at: number): number {
  return (get32(bytes, at) >>> 0) + (((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)) >>> 0) * 2 ** 32;
}

function sameBytes(salt: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < SALT_BYTES; i++) if (salt[i] !== bytes[at + i]) return false;
  return true;
}

function get32(b: Uint8Array, at: number): number {
  return (
    (b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)
  );
}

function put32(b: Uint8Array, at: number, v: number): void {
  b[at] = v;
  b[at + 1] = v >>> 8;
  b[at + 2] = v >>> 16;
  b[at + 3] = v >>> 24;
}
