/**
 * Who is asked "are you there", when, and by whom: SWIM's round of probes with Lifeguard's nacks, a ping by stream
 * beside the indirect ones, and probes on a hint. A probe that nothing answers becomes an accusation (`judge.ts`).
 */
import { Deadline } from "./deadline-heap.ts";
import type { Reader, Writer } from "./bytes.ts";
import type { Member } from "./members.ts";
import { ALIVE, MessageType, beginMessage, endMessage } from "./messages.ts";
import type { Node } from "./node.ts";
import { ProbeOrder } from "./probe-order.ts";
import type { StreamFailure } from "./types.ts";

/** Share of the time left that helpers give a target before they answer "no": the nack must still arrive in time. */
const NACK_SHARE = 0.8;
/** Stream-only answers in a row before the application is told that datagrams are lost, and how often it is told. */
const STREAM_ONLY_LIMIT = 3;
const WARNING_INTERVAL_MS = 60_000;
/** Share of answers that came only by helpers, stream or a second ping above which datagrams count as lossy, and its smoothing. */
const LOSSY_SHARE = 0.04;
const LOSSY_SMOOTHING = 1 / 16;
/** Pings for others under way at once. */
const MAX_RELAYS = 1_024;

/** A ping whose answer somebody waits for. */
export interface Awaited {
  readonly member: Member;
  readonly onAnswer: (byStream: boolean, nowMs: number) => void;
}

/** Who wants to know how a fresh dial went. */
export interface Dial {
  readonly onOpened: (nowMs: number) => void;
  readonly onFailed: (reason: StreamFailure, nowMs: number) => void;
}

interface Probe {
  readonly member: Member;
  readonly sequence: number;
  readonly generation: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly hinted: boolean;
  /** The second try on a lossy network. */
  readonly again: boolean;
  readonly deadline: Deadline;
  helpers: number;
  nacks: number;
  indirect: boolean;
  refusedMs: number;
  dial: Dial | undefined;
}

export interface ProberEvents {
  /** Nothing answered. `refused`: the kernel of the member's host said that nobody listens. */
  failed(member: Member, refused: boolean, nowMs: number): void;
  /** The member's view, seen in an ack. */
  viewSeen(member: Member, hashHigh: number, hashLow: number, quietRounds: number, nowMs: number): void;
}

export class Prober {
  readonly #node: Node;
  readonly #events: ProberEvents;
  readonly #period: Deadline;
  readonly #order: ProbeOrder;
  readonly #awaited = new Map<number, Awaited>();
  readonly #probes = new Map<number, Probe>();
  readonly #dials = new Map<string, Dial[]>();
  #relays = 0;
  #lossy = 0;

  constructor(node: Node, events: ProberEvents) {
    this.#node = node;
    this.#events = events;
    this.#order = new ProbeOrder((n) => node.below(n));
    this.#period = new Deadline((nowMs) => this.#onPeriod(nowMs), false);
  }

  start(nowMs: number): void {
    // Nodes started together must not probe together.
    this.#node.heap.set(this.#period, nowMs + this.#node.below(this.#node.timing.probePeriodMs));
  }

  stop(): void {
    this.#node.heap.cancel(this.#period);
    for (const probe of this.#probes.values()) this.#node.heap.cancel(probe.deadline);
    this.#probes.clear();
    this.#awaited.clear();
  }

  /** A new live member. */
  enlist(m: Member): void {
    if (m !== this.#node.self && !this.#node.observer) this.#order.enlist(m, this.#node.table.live.length);
  }

  #onPeriod(nowMs: number): void {
    const node = this.#node;
    const m = this.#order.next(node.table.live.length);
    if (m !== undefined) this.#probe(m, false, false, nowMs);
    node.heap.set(this.#period, nowMs + node.stretch(node.timing.probePeriodMs));
  }

  /** Probes at once because of a hint; by stream too, since a refused stream says more than silence. */
  probeNow(m: Member, nowMs: number): void {
    const node = this.#node;
    if (!m.live || m === node.self) return;
    const notes = m.noted();
    if (nowMs - notes.reportedMs < node.timing.reportIntervalMs) return;
    notes.reportedMs = nowMs;
    this.#probe(m, true, false, nowMs);
  }

  #probe(m: Member, hinted: boolean, again: boolean, nowMs: number): void {
    const node = this.#node;
    node.stats.probes++;
    const sequence = node.nextSequence();
    const probe: Probe = {
      member: m,
      sequence,
      generation: m.generation,
      startMs: nowMs,
      endMs: nowMs + node.stretch(node.timing.probeTimeoutMs),
      hinted,
      again,
      deadline: new Deadline((at) => this.#onSilence(probe, at), true),
      helpers: 0,
      nacks: 0,
      indirect: false,
      refusedMs: -1,
      dial: undefined,
    };
    this.#probes.set(sequence, probe);
    this.await(sequence, { member: m, onAnswer: (byStream, at) => this.#onAnswer(probe, byStream, at) });
    this.ping(m, sequence);
    if (hinted && node.timing.streamPing) {
      this.streamPing(m, sequence, true);
      this.#dialFor(probe);
    }
    node.heap.set(probe.deadline, nowMs + node.stretch(node.timing.ackTimeoutMs));
  }

  #dialFor(probe: Probe): void {
    probe.dial = { onOpened: () => {}, onFailed: (reason, at) => this.#onDialFailed(probe, reason, at) };
    this.dial(probe.member.address, probe.dial);
  }

  #onDialFailed(probe: Probe, reason: StreamFailure, nowMs: number): void {
    if (reason !== "refused" || this.#probes.get(probe.sequence) !== probe) return;
    probe.refusedMs = nowMs;
    // The datagram gets a short while to say otherwise: a firewall may refuse streams of a member that lives.
    const node = this.#node;
    const at = Math.max(nowMs, probe.startMs + node.timing.refusedWaitMs);
    if (at < probe.deadline.atMs) node.heap.set(probe.deadline, at);
  }

  #onAnswer(probe: Probe, byStream: boolean, nowMs: number): void {
    const node = this.#node;
    const m = probe.member;
    this.#forget(probe);
    node.feel(-1);
    this.#lossy += ((probe.indirect ? 1 : 0) - this.#lossy) * LOSSY_SMOOTHING;
    if (!byStream) {
      m.streamOnly = 0;
      return;
    }
    // A hinted probe pings by both ways at once, so a stream that is first there proves nothing about datagrams.
    if (probe.hinted || ++m.streamOnly < STREAM_ONLY_LIMIT) return;
    const notes = m.noted();
    if (nowMs - notes.warnedMs < WARNING_INTERVAL_MS) return;
    notes.warnedMs = nowMs;
    node.effects.event({ type: "datagramsLost", member: m.view() });
  }

  #onSilence(probe: Probe, nowMs: number): void {
    const node = this.#node;
    const m = probe.member;
    if (!m.live || m.generation !== probe.generation) {
      this.#forget(probe);
    } else if (probe.refusedMs >= 0 || (probe.indirect && nowMs >= probe.endMs)) {
      this.#forget(probe);
      // Where many answers come the long way round, one failed probe says little, and a flood of suspicions costs all.
      if (node.timing.retryWhenLossy && !probe.again && probe.refusedMs < 0 && this.#lossy > LOSSY_SHARE) {
        this.#probe(m, probe.hinted, true, nowMs);
        return;
      }
      node.stats.probesFailed++;
      if (probe.refusedMs < 0) node.feel(probe.helpers > 0 ? probe.helpers - probe.nacks : 1);
      this.#events.failed(m, probe.refusedMs >= 0, nowMs);
    } else {
      this.#askHelpers(probe, nowMs);
    }
  }

  #askHelpers(probe: Probe, nowMs: number): void {
    const node = this.#node;
    const m = probe.member;
    probe.indirect = true;
    const endMs = Math.max(probe.endMs, nowMs + node.timing.ackTimeoutMs);
    const helpers = node.pick(node.timing.indirectCount, (other) => other === m || other.rank !== ALIVE);
    for (const helper of helpers) {
      const w = node.beginDatagram();
      this.#accusation(w, m);
      const start = beginMessage(w, MessageType.pingRequest);
      w.u32(probe.sequence);
      w.u32(m.tagHigh);
      w.u32(m.tagLow);
      w.u32(node.self.tagHigh);
      w.u32(node.self.tagLow);
      w.u16(Math.round((endMs - nowMs) * NACK_SHARE));
      endMessage(w, start);
      node.endDatagram(helper.address, helper.salt);
    }
    probe.helpers = helpers.length;
    // Once more by hand: a second datagram halves the share of probes that plain loss fails.
    this.ping(m, probe.sequence);
    if (node.timing.streamPing && !probe.hinted) {
      this.streamPing(m, probe.sequence, false);
      this.#dialFor(probe);
    }
    node.heap.set(probe.deadline, endMs);
  }

  #forget(probe: Probe): void {
    this.#probes.delete(probe.sequence);
    this.#awaited.delete(probe.sequence);
    this.#node.heap.cancel(probe.deadline);
    if (probe.dial !== undefined) this.#hangUp(probe.member.address, probe.dial);
  }

  #hangUp(address: string, dial: Dial): void {
    const waiting = this.#dials.get(address);
    const at = waiting?.indexOf(dial) ?? -1;
    if (waiting === undefined || at < 0) return;
    waiting.splice(at, 1);
    if (waiting.length === 0) this.#dials.delete(address);
  }

  /** Registers who is told when a ping under this number is answered. */
  await(sequence: number, awaited: Awaited): void {
    this.#awaited.set(sequence, awaited);
  }

  unawait(sequence: number): void {
    this.#awaited.delete(sequence);
  }

  /** One ping by datagram. A member under accusation is told so first, so that its ack refutes it (Lifeguard's buddy rule). */
  ping(m: Member, sequence: number): void {
    const node = this.#node;
    const w = node.beginDatagram();
    this.#accusation(w, m);
    this.#writePing(w, MessageType.ping, m, sequence);
    node.endDatagram(m.address, m.salt);
  }

  /** One ping by stream. */
  streamPing(m: Member, sequence: number, fresh: boolean): void {
    const node = this.#node;
    const w = node.beginStream();
    this.#accusation(w, m);
    this.#writePing(w, MessageType.streamPing, m, sequence);
    node.endStream(m.address, m.salt, fresh);
  }

  #accusation(w: Writer, m: Member): void {
    if (m.rank !== ALIVE) this.#node.writeMember(w, m);
  }

  #writePing(w: Writer, type: number, m: Member, sequence: number): void {
    const start = beginMessage(w, type);
    w.u32(sequence);
    w.u32(m.tagHigh);
    w.u32(m.tagLow);
    this.#writeView(w);
    endMessage(w, start);
  }

  /** Sender, view hash and how long it has not changed: the tail of pings and acks. */
  #writeView(w: Writer): void {
    const node = this.#node;
    const table = node.table;
    w.u32(node.self.tagHigh);
    w.u32(node.self.tagLow);
    w.u32(table.hashHigh);
    w.u32(table.hashLow);
    w.u8(Math.min(255, Math.floor((node.nowMs - table.changedMs) / node.timing.gossipIntervalMs)));
  }

  /** A ping came. Answered only when it means this very life of this node. */
  onPing(r: Reader, from: string, byStream: boolean, bytesIn: number, salt: Uint8Array | undefined): void {
    const node = this.#node;
    const sequence = r.u32();
    const tagHigh = r.i32();
    const tagLow = r.i32();
    const sender = node.table.byTag(r.i32(), r.i32());
    r.skip(9);
    if (!r.ok || node.observer || tagHigh !== node.self.tagHigh || tagLow !== node.self.tagLow) return;
    const w = byStream ? node.beginStream() : node.beginDatagram();
    // A sender that is accused or believed dead is told, and refutes.
    const known = sender !== undefined && (node.envelope.salt !== undefined || sender.address === from);
    if (sender !== undefined && sender.rank !== ALIVE && (known || byStream)) node.writeMember(w, sender);
    if (byStream) node.writeMember(w, node.self);
    const start = beginMessage(w, byStream ? MessageType.streamAck : MessageType.ack);
    w.u32(sequence);
    this.#writeView(w);
    endMessage(w, start);
    if (byStream) node.endStream(from, salt, false);
    else if (known) node.endDatagram(from, salt);
    else node.endDatagram(from, salt, Math.min(bytesIn, node.timing.maxDatagramBytes));
  }

  onAck(r: Reader, byStream: boolean, nowMs: number): void {
    const sequence = r.u32();
    const tagHigh = r.i32();
    const tagLow = r.i32();
    const hashHigh = r.i32();
    const hashLow = r.i32();
    const quiet = r.u8();
    if (!r.ok) return;
    const awaited = this.#awaited.get(sequence);
    if (awaited === undefined) return;
    const asked = awaited.member;
    const sender =
      asked.tagHigh === tagHigh && asked.tagLow === tagLow ? asked : this.#node.table.byTag(tagHigh, tagLow);
    awaited.onAnswer(byStream, nowMs);
    if (sender !== undefined && sender.live) this.#events.viewSeen(sender, hashHigh, hashLow, quiet, nowMs);
  }

  onNack(r: Reader): void {
    const probe = this.#probes.get(r.u32());
    if (r.ok && probe !== undefined) probe.nacks++;
  }

  /** Pings for another member; its ack is passed on, its silence answered with a nack. */
  onPingRequest(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const theirs = r.u32();
    const target = node.table.byTag(r.i32(), r.i32());
    const sender = node.table.byTag(r.i32(), r.i32());
    const waitMs = r.u16();
    // Only members may make this node send to a third party.
    if (!r.ok || sender === undefined || !sender.live || target === undefined || node.observer) return;
    if (this.#relays >= MAX_RELAYS) return;
    const sequence = node.nextSequence();
    const deadline = new Deadline(() => {
      done();
      this.#answerRelay(MessageType.nack, theirs, from, salt, undefined);
    }, false);
    const done = (): void => {
      this.#relays--;
      this.#awaited.delete(sequence);
      node.heap.cancel(deadline);
    };
    this.#relays++;
    this.await(sequence, {
      member: target,
      onAnswer: () => {
        done();
        this.#answerRelay(MessageType.ack, theirs, from, salt, target);
      },
    });
    this.ping(target, sequence);
    node.heap.set(deadline, nowMs + waitMs);
  }

  #answerRelay(
    type: number,
    sequence: number,
    to: string,
    salt: Uint8Array | undefined,
    target: Member | undefined,
  ): void {
    const node = this.#node;
    const w = node.beginDatagram();
    // What the target answered to its accusation travels with the ack.
    if (target !== undefined && target.incarnation > 0) node.writeMember(w, target);
    const start = beginMessage(w, type);
    w.u32(sequence);
    if (type === MessageType.ack) this.#writeView(w);
    endMessage(w, start);
    node.endDatagram(to, salt);
  }

  /** Registers interest in the fresh dial that was just asked for. */
  dial(address: string, dial: Dial): void {
    const waiting = this.#dials.get(address);
    if (waiting === undefined) this.#dials.set(address, [dial]);
    else if (waiting.length < 16) waiting.push(dial);
  }

  onOpened(address: string, nowMs: number): void {
    const waiting = this.#dials.get(address);
    this.#dials.delete(address);
    for (const dial of waiting ?? []) dial.onOpened(nowMs);
  }

  /** True when somebody waited for this dial. */
  onFailed(address: string, reason: StreamFailure, nowMs: number): boolean {
    const waiting = this.#dials.get(address);
    this.#dials.delete(address);
    for (const dial of waiting ?? []) dial.onFailed(reason, nowMs);
    return waiting !== undefined;
  }

  /** The probe under way to this member, to be pinged again once a challenge is met. */
  pendingTo(salt: Uint8Array): Probe | undefined {
    for (const probe of this.#probes.values()) if (probe.member.salt === salt) return probe;
    return undefined;
  }

  writePingFor(w: Writer, probe: { readonly member: Member; readonly sequence: number }): void {
    this.#writePing(w, MessageType.ping, probe.member, probe.sequence);
  }
}
