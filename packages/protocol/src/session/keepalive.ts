import type { Clock } from "../clock.ts";
import type { SessionLimits } from "./limits.ts";

/** What the keepalive watches. */
export interface Watched {
  /** When the newest bytes came, on the clock. */
  readonly receivedAtMs: number;
  /** Somebody waits for this peer. */
  readonly busy: boolean;
  ping(): void;
  /** Nothing came for the answer's time: the peer is gone, or frozen. */
  onSilent(silentMs: number): void;
}

/**
 * Finds peers that vanished without a word while calls wait for them: a ping after a time of silence, the end after
 * another without any answer. One timer per busy connection; none for an idle one.
 */
export class Keepalive {
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #watched: Watched;
  #disarm: (() => void) | undefined;
  #since = 0;
  #pingedAtMs: number | undefined;

  constructor(clock: Clock, limits: SessionLimits, watched: Watched) {
    this.#clock = clock;
    this.#limits = limits;
    this.#watched = watched;
  }

  /** A call was opened. Costs nothing while already watching. */
  watch(): void {
    if (this.#disarm !== undefined) return;
    this.#since = this.#clock.now();
    this.#pingedAtMs = undefined;
    this.#arm(this.#limits.keepaliveMs);
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  #arm(delayMs: number): void {
    // Whole milliseconds: a rest too small to move a clock that counts in doubles would be waited for for ever.
    this.#disarm = this.#clock.after(Math.ceil(delayMs), () => this.#due(), { background: true });
  }

  /** Due timers run before sockets are read: after a stall the answer may lie there. So look one turn later. */
  #due(): void {
    this.#disarm = this.#clock.after(0, () => this.#judge(), { background: true });
  }

  #judge(): void {
    this.#disarm = undefined;
    const watched = this.#watched;
    if (!watched.busy) return;
    const { keepaliveMs, keepaliveTimeoutMs } = this.#limits;
    const now = this.#clock.now();
    const heardAtMs = Math.max(watched.receivedAtMs, this.#since);
    if (this.#pingedAtMs !== undefined && heardAtMs < this.#pingedAtMs) {
      const waitedMs = now - this.#pingedAtMs;
      if (waitedMs >= keepaliveTimeoutMs) return watched.onSilent(now - heardAtMs);
      return this.#arm(keepaliveTimeoutMs - waitedMs);
    }
    this.#pingedAtMs = undefined;
    const silentMs = now - heardAtMs;
    if (silentMs < keepaliveMs) return this.#arm(keepaliveMs - silentMs);
    this.#pingedAtMs = now;
    watched.ping();
    this.#arm(keepaliveTimeoutMs);
  }
}
