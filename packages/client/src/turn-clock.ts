import type { Clock } from "@pipit/protocol";

/** A turn of the event loop longer than this, in milliseconds, is remembered: calls made in it may have been misdated. */
const longTurnMs = 20;
/** Remembered turns. A program whose every turn is that long has no use for deadlines of milliseconds. */
const rememberedTurns = 64;

/**
 * The clock, read once in a turn of the event loop: a reading costs as much as a tenth of a call. Whoever starts a call
 * after a long computation in the same turn gets a time that is too early; {@link lateBy} says by how much at most.
 */
export class TurnClock {
  readonly #clock: Clock;
  readonly #longTurns = new Map<number, number>();
  #nowMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time when this turn first asked. */
  now(): number {
    if (this.#nowMs === undefined) {
      this.#nowMs = this.#clock.now();
      this.#clock.soon(this.#turnEnds);
    }
    return this.#nowMs;
  }

  /** How long the turn went on in which {@link now} had said `readMs`; 0 for a short one. */
  lateBy(readMs: number): number {
    return this.#longTurns.get(readMs) ?? 0;
  }

  readonly #turnEnds = (): void => {
    const startedMs = this.#nowMs as number;
    this.#nowMs = undefined;
    const lengthMs = this.#clock.now() - startedMs;
    if (lengthMs < longTurnMs) return;
    this.#longTurns.set(startedMs, lengthMs);
    if (this.#longTurns.size <= rememberedTurns) return;
    const [oldest] = this.#longTurns.keys();
    if (oldest !== undefined) this.#longTurns.delete(oldest);
  };
}
