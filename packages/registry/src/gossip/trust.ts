/**
 * Who may be believed, when keys are set. A packet whose seal is right may still be a replay of another time: nothing of it is
 * used but challenges and echoes until its sender has echoed a fresh challenge (or a member vouched for its salt, which
 * `envelope.ts` knows of). What is sent to a sender in doubt never outweighs what it sent.
 */
import type { Reader, Writer } from "./bytes.ts";
import { type Peer, SALT_BYTES } from "./envelope.ts";
import { MessageType, beginMessage, endMessage } from "./messages.ts";
import type { Node } from "./node.ts";

/** A packet from somebody in doubt. */
export interface Doubtful {
  readonly peer: Peer;
  /** Whether it was sealed for this very life of this node. */
  readonly addressed: boolean;
  readonly from: string;
  readonly byStream: boolean;
  /** Its size on the wire. */
  readonly bytesIn: number;
}

export interface TrustEvents {
  /** The sender has shown that it lives now: what follows in its packet counts. */
  believed(r: Reader, packet: Doubtful, nowMs: number): void;
  /** Writes again, for the receiver that a stream goes to, what it was asked before it believed this node. */
  resume(w: Writer, to: string): void;
  /** The same for a datagram: the probe under way to the member with this salt. */
  probeAgain(w: Writer, salt: Uint8Array): void;
}

export class Trust {
  readonly #node: Node;
  readonly #events: TrustEvents;
  /** The last challenge sent to a receiver whose salt was not known; good for one exchange. */
  #standing: Uint8Array | undefined;

  constructor(node: Node, events: TrustEvents) {
    this.#node = node;
    this.#events = events;
  }

  /** Reads no more than challenges and echoes, until an echo meets a challenge. */
  doubt(r: Reader, packet: Doubtful, nowMs: number): void {
    let theirs: Uint8Array | undefined;
    while (r.left > 0) {
      const type = r.u8();
      const length = r.u16();
      const at = r.pos;
      r.skip(length);
      if (!r.ok) return;
      if (type === MessageType.challenge && length === SALT_BYTES) theirs = r.bytes.slice(at, at + length);
      if (type !== MessageType.echo || !packet.addressed) continue;
      if (!this.#met(packet.peer, r.bytes.subarray(at, at + length))) continue;
      if (theirs !== undefined) this.#answer(theirs, packet);
      this.#events.believed(r, packet, nowMs);
      return;
    }
    this.#node.stats.packetsDropped++;
    this.#challenge(packet, theirs);
  }

  #met(peer: Peer, echo: Uint8Array): boolean {
    if (!sameBytes(echo, peer.challenge) && !sameBytes(echo, this.#standing)) return false;
    peer.challenge = undefined;
    peer.believed = true;
    return true;
  }

  #challenge({ peer, from, byStream, bytesIn }: Doubtful, theirs: Uint8Array | undefined): void {
    const node = this.#node;
    const w = byStream ? node.beginStream() : node.beginDatagram();
    if (theirs !== undefined) writeBlob(w, MessageType.echo, theirs);
    // Also when it is believed already: the challenge is what makes it ask again, this time addressed to this life.
    peer.challenge ??= node.random.bytes(SALT_BYTES);
    writeBlob(w, MessageType.challenge, peer.challenge);
    if (byStream) node.endStream(from, peer.salt, false);
    else if (w.pos + node.envelope.tailBytes <= bytesIn) node.endBareDatagram(from, peer.salt);
  }

  /** Put in front of the first question to somebody unknown, so that its answer can be believed. */
  writeChallenge(w: Writer, salt: Uint8Array | undefined): void {
    const node = this.#node;
    if (node.envelope.salt === undefined || salt !== undefined) return;
    this.#standing = node.random.bytes(SALT_BYTES);
    writeBlob(w, MessageType.challenge, this.#standing);
  }

  /** A believed peer does not believe us yet. */
  onChallenge(r: Reader, from: string, byStream: boolean, peer: Peer | undefined): void {
    if (peer === undefined || r.left !== SALT_BYTES) return;
    this.#answer(r.view(SALT_BYTES).slice(), { from, byStream, peer });
  }

  #answer(challenge: Uint8Array, { from, byStream, peer }: Pick<Doubtful, "from" | "byStream" | "peer">): void {
    const node = this.#node;
    const w = byStream ? node.beginStream() : node.beginDatagram();
    writeBlob(w, MessageType.echo, challenge);
    if (byStream) {
      this.#events.resume(w, from);
      node.endStream(from, peer.salt, false);
      return;
    }
    this.#events.probeAgain(w, peer.salt);
    node.endBareDatagram(from, peer.salt);
  }
}

function writeBlob(w: Writer, type: number, bytes: Uint8Array): void {
  const start = beginMessage(w, type);
  w.raw(bytes);
  endMessage(w, start);
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
