/**
 * From "nothing answered" to "dead": suspicions, their confirmation by peers, and the verdict.
 *
 *   alive ──accused──▶ suspect ──time is up──▶ being confirmed ──nobody knows better──▶ dead
 *     ▲                   │ ▲                        │
 *     └──── refuted ──────┘ └──── vindicated ────────┘
 *
 * Departures from SWIM and Lifeguard: no verdict without asking peers and the subject itself over streams; those who only
 * heard of a suspicion let the accusers go first; a subject whose kernel accepts streams is frozen, not dead, and gets
 * longer, and so does everybody from a node that hears nobody; a port that refuses two members is a dead process, and the
 * verdict follows at once.
 */
import type { Reader } from "./bytes.ts";
import { Deadline } from "./deadline-heap.ts";
import type { Member } from "./members.ts";
import { ALIVE, DEAD, MessageType, SUSPECT, beginMessage, endMessage } from "./messages.ts";
import { suspicionMinMs, suspicionTimeoutMs } from "./config.ts";
import type { Node } from "./node.ts";
import type { Prober } from "./prober.ts";

/** Answers of peers wanted before a verdict, when there are as many to ask. */
const ANSWERS_WANTED = 2;
/** Share of the confirmation time within which an asked peer answers, and after which it pings a second time. */
const ANSWER_SHARE = 0.6;
const SECOND_PING_SHARE = 0.2;
/** Confirmations on behalf of others under way at once. */
const MAX_ERRANDS = 256;

const UNREACHED = 0;
const REACHED = 1;
const REFUSED = 2;

interface Confirmation {
  readonly sequence: number;
  readonly generation: number;
  readonly urgent: boolean;
  readonly asked: Set<string>;
  readonly deadline: Deadline;
  readonly startMs: number;
  round: number;
  waitingFor: number;
  answers: number;
  refusals: number;
  refusedMe: boolean;
  accepted: boolean;
}

export interface JudgeEvents {
  /** The member changed state by this node's own judgement. */
  changed(member: Member, was: number): void;
}

export class Judge {
  readonly #node: Node;
  readonly #prober: Prober;
  readonly #events: JudgeEvents;
  readonly #open = new Map<Member, Confirmation>();
  readonly #bySequence = new Map<number, Member>();
  #errands = 0;

  constructor(node: Node, prober: Prober, events: JudgeEvents) {
    this.#node = node;
    this.#prober = prober;
    this.#events = events;
  }

  /** This node's own probe failed. */
  accuse(m: Member, refused: boolean, nowMs: number): void {
    const node = this.#node;
    if (m.rank === ALIVE) {
      node.table.setRank(m, SUSPECT, nowMs);
      this.#suspect(m, node.self.idHash, nowMs);
      this.#events.changed(m, ALIVE);
      node.tell(m);
    } else {
      this.addAccuser(m, node.self.idHash, nowMs, () => node.tell(m));
    }
    if (refused && !this.#open.has(m)) this.#confirm(m, true, nowMs);
  }

  /** Somebody else's suspicion was taken over: `m` is suspect since now. */
  heard(m: Member, accuser: number, nowMs: number): void {
    this.#suspect(m, accuser, nowMs);
  }

  #suspect(m: Member, accuser: number, nowMs: number): void {
    const node = this.#node;
    node.stats.suspicions++;
    this.clear(m);
    m.suspicion = {
      startMs: nowMs,
      accusers: [accuser],
      own: accuser === node.self.idHash,
      deadline: new Deadline((at) => this.#onTimeUp(m, at), true),
    };
    this.#schedule(m, nowMs);
  }

  /** One more accuser of the same life. `isNews` is called when others should hear of it too. */
  addAccuser(m: Member, accuser: number, nowMs: number, isNews: () => void): void {
    const s = m.suspicion;
    if (s === undefined || s.accusers.includes(accuser)) return;
    if (s.accusers.length <= this.#node.timing.suspicionConfirmations) {
      s.accusers.push(accuser);
      isNews();
    }
    if (accuser === this.#node.self.idHash) s.own = true;
    if (!this.#open.has(m)) this.#schedule(m, nowMs);
  }

  /** The suspicion is answered, or the member gone. */
  clear(m: Member): void {
    this.#endConfirmation(m);
    if (m.suspicion === undefined) return;
    this.#node.heap.cancel(m.suspicion.deadline);
    m.suspicion = undefined;
  }

  #schedule(m: Member, nowMs: number): void {
    const node = this.#node;
    const s = m.suspicion;
    if (s === undefined || node.observer) return;
    const timeout = suspicionTimeoutMs(node.timing, node.table.live.length, s.accusers.length - 1);
    const grace = s.own ? 0 : node.timing.witnessGraceMs;
    node.heap.set(s.deadline, Math.max(nowMs, s.startMs + timeout + grace));
  }

  #onTimeUp(m: Member, nowMs: number): void {
    if (m.rank !== SUSPECT) return;
    if (this.#node.timing.confirmBeforeKill) this.#confirm(m, false, nowMs);
    else this.#kill(m, nowMs);
  }

  #confirm(m: Member, urgent: boolean, nowMs: number): void {
    const node = this.#node;
    node.stats.confirmations++;
    const sequence = node.nextSequence();
    const c: Confirmation = {
      sequence,
      generation: m.generation,
      urgent,
      asked: new Set(),
      deadline: new Deadline((at) => this.#onAnswersDue(m, c, at), true),
      startMs: nowMs,
      round: 1,
      waitingFor: 0,
      answers: 0,
      refusals: 0,
      refusedMe: urgent,
      accepted: false,
    };
    this.#open.set(m, c);
    this.#bySequence.set(sequence, m);
    if (m.suspicion !== undefined) node.heap.cancel(m.suspicion.deadline);
    this.#prober.await(sequence, { member: m, onAnswer: (_byStream, at) => this.#vindicate(m, c, at) });
    node.heap.set(c.deadline, nowMs + node.timing.confirmTimeoutMs);
    this.#prober.ping(m, sequence);
    if (!urgent && node.timing.streamPing) {
      this.#prober.streamPing(m, sequence, true);
      this.#prober.dial(m.address, {
        onOpened: () => {
          c.accepted = true;
        },
        onFailed: (reason, at) => {
          if (reason !== "refused") return;
          c.refusedMe = true;
          this.#weigh(m, c, at);
        },
      });
    }
    this.#ask(m, c);
  }

  /** Asks the next few peers, over streams, what they know of the subject. */
  #ask(m: Member, c: Confirmation): void {
    const node = this.#node;
    const peers = node.pick(node.timing.confirmPeers, (p) => p === m || p.rank !== ALIVE || c.asked.has(p.id));
    c.waitingFor += peers.length;
    for (const peer of peers) {
      c.asked.add(peer.id);
      const w = node.beginStream();
      node.writeMember(w, m);
      const start = beginMessage(w, MessageType.confirm);
      w.u32(c.sequence);
      w.u8(c.refusedMe ? 1 : 0);
      w.u16(node.timing.confirmTimeoutMs);
      w.u32(m.tagHigh);
      w.u32(m.tagLow);
      endMessage(w, start);
      node.endStream(peer.address, peer.salt, false);
    }
  }

  /** A peer answered. What it knows better was an update in the same packet, and has been applied by now. */
  onConfirmReply(r: Reader, nowMs: number): void {
    const sequence = r.u32();
    const outcome = r.u8();
    const m = this.#bySequence.get(sequence);
    const c = m === undefined ? undefined : this.#open.get(m);
    if (!r.ok || m === undefined || c === undefined) return;
    if (outcome === REACHED) {
      this.#vindicate(m, c, nowMs);
      return;
    }
    c.waitingFor--;
    c.answers++;
    if (outcome === REFUSED) c.refusals++;
    this.#weigh(m, c, nowMs);
  }

  #weigh(m: Member, c: Confirmation, nowMs: number): void {
    if (this.#open.get(m) !== c) return;
    if (c.refusedMe && c.refusals > 0) this.#kill(m, nowMs);
    else if (c.waitingFor <= 0 && c.answers > 0 && !c.urgent) this.#onAnswersDue(m, c, nowMs);
  }

  #onAnswersDue(m: Member, c: Confirmation, nowMs: number): void {
    const node = this.#node;
    const s = m.suspicion;
    if (this.#open.get(m) !== c || s === undefined || m.rank !== SUSPECT || m.generation !== c.generation) {
      this.#endConfirmation(m);
      return;
    }
    if (c.urgent) {
      // Refused here, not elsewhere: no strong evidence after all. The suspicion takes its usual course.
      const alone = node.table.live.length <= 2;
      this.#endConfirmation(m);
      if (alone) this.#kill(m, nowMs);
      else this.#schedule(m, nowMs);
      return;
    }
    // Not one packet of anybody since it asked, nor a refusal: this node is the deaf one, as likely as not.
    const deaf = !c.refusedMe && node.heardMs < c.startMs && node.table.live.length > 2;
    if (
      (c.accepted || (deaf && c.round >= node.timing.confirmRounds)) &&
      nowMs - s.startMs < node.timing.frozenTimeoutMs
    ) {
      this.#endConfirmation(m);
      node.heap.set(s.deadline, nowMs + suspicionMinMs(node.timing, node.table.live.length));
      return;
    }
    const wanted = Math.min(ANSWERS_WANTED, node.table.live.length - 2);
    if (c.answers < wanted && c.round < node.timing.confirmRounds) {
      c.round++;
      this.#ask(m, c);
      node.heap.set(c.deadline, nowMs + node.timing.confirmTimeoutMs);
      return;
    }
    this.#kill(m, nowMs);
  }

  /** The subject, or a peer that reached it, answered: the suspicion starts over, and the subject is told, to refute it. */
  #vindicate(m: Member, c: Confirmation, nowMs: number): void {
    if (this.#open.get(m) !== c) return;
    this.#endConfirmation(m);
    const s = m.suspicion;
    if (s === undefined || m.rank !== SUSPECT) return;
    s.startMs = nowMs;
    s.accusers.length = 1;
    this.#schedule(m, nowMs);
    this.#prober.streamPing(m, this.#node.nextSequence(), false);
  }

  #endConfirmation(m: Member): void {
    const c = this.#open.get(m);
    if (c === undefined) return;
    this.#open.delete(m);
    this.#bySequence.delete(c.sequence);
    this.#prober.unawait(c.sequence);
    this.#node.heap.cancel(c.deadline);
  }

  #kill(m: Member, nowMs: number): void {
    const node = this.#node;
    this.clear(m);
    node.stats.deathsAnnounced++;
    node.table.setRank(m, DEAD, nowMs);
    this.#events.changed(m, SUSPECT);
    node.tell(m);
  }

  /** A peer asks what this node knows of a subject: look, and answer with the member as known here. */
  onConfirm(r: Reader, from: string, salt: Uint8Array | undefined, nowMs: number): void {
    const node = this.#node;
    const sequence = r.u32();
    const urgent = r.u8() === 1;
    const timeoutMs = r.u16();
    const tagHigh = r.i32();
    const tagLow = r.i32();
    if (!r.ok || node.observer) return;
    const m = node.table.byTag(tagHigh, tagLow);
    if (m === undefined || m === node.self || !m.live || this.#errands >= MAX_ERRANDS) {
      this.#reply(m, sequence, m === node.self ? REACHED : UNREACHED, from, salt);
      return;
    }
    this.#lookFor(m, urgent, timeoutMs, nowMs, (outcome) => this.#reply(m, sequence, outcome, from, salt));
  }

  #lookFor(m: Member, urgent: boolean, timeoutMs: number, nowMs: number, answer: (outcome: number) => void): void {
    const node = this.#node;
    const prober = this.#prober;
    const incarnation = m.incarnation;
    const generation = m.generation;
    const sequence = node.nextSequence();
    const endMs = nowMs + timeoutMs * ANSWER_SHARE;
    let pinged = 1;
    let refused = false;
    let ended = false;
    this.#errands++;
    const end = (outcome: number): void => {
      if (ended) return;
      ended = true;
      this.#errands--;
      prober.unawait(sequence);
      node.heap.cancel(deadline);
      answer(outcome);
    };
    const deadline = new Deadline((at) => {
      const known = m.generation !== generation || m.incarnation !== incarnation || !m.live;
      if (known || at >= endMs) end(refused ? REFUSED : UNREACHED);
      else if (refused) end(REFUSED);
      else {
        if (pinged++ === 1) prober.ping(m, sequence);
        node.heap.set(deadline, endMs);
      }
    }, false);
    prober.await(sequence, { member: m, onAnswer: () => end(REACHED) });
    prober.ping(m, sequence);
    if (urgent) {
      prober.streamPing(m, sequence, true);
      prober.dial(m.address, {
        onOpened: () => {},
        onFailed: (reason, at) => {
          if (reason !== "refused" || ended) return;
          refused = true;
          node.heap.set(deadline, Math.min(endMs, at + node.timing.refusedWaitMs));
        },
      });
    }
    node.heap.set(deadline, Math.min(endMs, nowMs + timeoutMs * SECOND_PING_SHARE));
  }

  #reply(m: Member | undefined, sequence: number, outcome: number, to: string, salt: Uint8Array | undefined): void {
    const node = this.#node;
    const w = node.beginStream();
    if (m !== undefined) node.writeMember(w, m);
    const start = beginMessage(w, MessageType.confirmReply);
    w.u32(sequence);
    w.u8(outcome);
    endMessage(w, start);
    node.endStream(to, salt, false);
  }
}
