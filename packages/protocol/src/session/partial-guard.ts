import type { Clock } from "../clock.ts";
import type { Session } from "./session.ts";

/** Ends connections that hold a preface or a frame open: a peer that sends a byte now and then pins memory for nothing. */
export class PartialGuard {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #session: Session;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock, timeoutMs: number, session: Session) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#session = session;
  }

  /** Bytes came, or the stream has just opened. */
  check(): void {
    if (this.#disarm !== undefined || !this.#session.partial || this.#session.closed) return;
    const { frames } = this.#session;
    this.#disarm = this.#clock.after(
      this.#timeoutMs,
      () => {
        this.#disarm = undefined;
        if (this.#session.partial && this.#session.frames === frames) {
          this.#session.fault(`No whole frame for ${this.#timeoutMs} ms after its first byte`);
        } else this.check();
      },
      { background: true },
    );
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }
}
