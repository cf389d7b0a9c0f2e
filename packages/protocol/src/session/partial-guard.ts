import type { Clock } from "../clock.ts";
import type { Session } from "./session.ts";

/**
 * How long no part of an unfinished message may come, in milliseconds. Longer than the wait for a frame: one that shares a slow path
 * with others has its turn only now and then.
 */
const stalledMessageMs = 30_000;

/** Ends connections that hold a preface, a frame or a message open: a peer that sends a byte now and then pins memory for nothing. */
export class PartialGuard {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #session: Session;
  #disarm: (() => void) | undefined;

  /** @param timeoutMs longest wait for the rest of a preface or frame */
  constructor(clock: Clock, timeoutMs: number, session: Session) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#session = session;
  }

  /** Bytes came, or the stream has just opened. */
  check(): void {
    if (this.#disarm !== undefined || this.#session.closed) return;
    if (this.#session.partial) this.#watchFrame();
    else if (this.#session.unfinished) this.#watchMessage();
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  #watchFrame(): void {
    const { frames } = this.#session;
    this.#after(this.#timeoutMs, () => {
      if (!this.#session.partial || this.#session.frames !== frames) return;
      this.#session.fault(`No whole frame for ${this.#timeoutMs} ms after its first byte`);
    });
  }

  #watchMessage(): void {
    const { chunks } = this.#session;
    this.#after(stalledMessageMs, () => {
      if (!this.#session.unfinished || this.#session.chunks !== chunks) return;
      this.#session.fault(`No part of an unfinished message for ${stalledMessageMs} ms`);
    });
  }

  /** Due timers run before sockets are read: after a stall the rest may lie there. So it looks one turn later. */
  #after(delayMs: number, judge: () => void): void {
    const look = (): void => {
      this.#disarm = undefined;
      judge();
      this.check();
    };
    const due = (): void => {
      this.#disarm = this.#clock.after(0, look, { background: true });
    };
    this.#disarm = this.#clock.after(delayMs, due, { background: true });
  }
}
