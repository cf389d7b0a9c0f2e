import type { CallSource, WheelEntry, WheelSlot } from "@pipit/protocol";
import type { Waiting } from "./admission.ts";
import type { ServerCall } from "./server-call.ts";

/** A call that waits for a place, no longer than it may. */
export class QueuedCall implements Waiting, WheelEntry {
  readonly call: ServerCall;
  readonly source: CallSource;
  readonly criticality: 0 | 1 | 2;
  readonly answerByMs: number;
  /** Moment at which it stops waiting: its own deadline, or the end of the longest wait. */
  readonly deadlineMs: number;
  wheelSlot: WheelSlot | undefined = undefined;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly #onGone: (queued: QueuedCall) => void;

  /** @param onGone it waited too long, or was cancelled meanwhile */
  constructor(call: ServerCall, onGone: (queued: QueuedCall) => void) {
    this.call = call;
    this.source = call.incoming.source;
    this.criticality = call.criticality;
    this.answerByMs = call.deadlineMs;
    const { clock, resolved } = call.core;
    this.deadlineMs = Math.min(call.deadlineMs, clock.now() + resolved.maxQueueWaitMs);
    this.#onGone = onGone;
  }

  /** Cancel and time reach it from now on. */
  wait(): void {
    const { call } = this;
    call.incoming.handler = call;
    call.whenEnded = () => this.#gone();
    call.core.wheel.add(this);
  }

  /** It got its place, or lost its turn: either way it waits no more. */
  leave(): ServerCall {
    this.call.whenEnded = undefined;
    this.call.core.wheel.remove(this);
    return this.call;
  }

  onDeadline(): void {
    this.#gone();
  }

  #gone(): void {
    this.leave();
    this.#onGone(this);
  }
}
