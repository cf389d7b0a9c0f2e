import type { DeadlineWheel, WheelEntry, WheelSlot } from "@pipit/protocol";
import type { ClientCall } from "./client-call.ts";

/**
 * Bounds the silent parts of a stream for which nobody gave a deadline: the wait until the server accepts it, and that
 * from the end of its input to the one reply.
 */
export class StreamTimer implements WheelEntry {
  deadlineMs: number = Number.POSITIVE_INFINITY;
  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly #wheel: DeadlineWheel;
  readonly #onLate: () => void;

  constructor(wheel: DeadlineWheel, onLate: () => void) {
    this.#wheel = wheel;
    this.#onLate = onLate;
  }

  start(deadlineMs: number): void {
    this.#wheel.remove(this);
    this.deadlineMs = deadlineMs;
    this.#wheel.add(this);
  }

  stop(): void {
    this.#wheel.remove(this);
  }

  onDeadline(): void {
    this.#onLate();
  }
}

/** A silent part of the call begins. */
export function watchSilence(call: ClientCall): void {
  const rare = call.useRare();
  rare.timer ??= new StreamTimer(call.core.wheel, () =>
    call.expire(rare.inputEnded ? "No reply came" : "No server accepted the stream"),
  );
  rare.timer.start(call.core.turn.now() + call.plan.timeoutMs);
}
