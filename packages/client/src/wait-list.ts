import { type Clock, RpcError } from "@pipit/protocol";

/** How often the timer that keeps the process alive is set again, in milliseconds. Any value does. */
const aliveMs = 60_000;

/**
 * All waiting calls of a client: bounds them, and keeps the process alive for them. A call that is sent has a socket to do
 * that; one that waits for a registry or a backoff has nothing, and its promise must settle all the same.
 */
export class WaitList {
  readonly #clock: Clock;
  readonly #max: number;
  #size = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether one more may wait. */
  get full(): boolean {
    return this.#size >= this.#max;
  }

  /** One more waits. */
  add(): void {
    this.#size++;
    if (this.#cancel === undefined) this.#stayAlive();
  }

  /** One that waited does so no more. */
  delete(): void {
    this.#size--;
    if (this.#size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The error for a call that finds it full. */
  refusal(): RpcError {
    return new RpcError("resource_exhausted", `${this.#max} calls wait for a connection already`, { handled: "no" });
  }

  #stayAlive(): void {
    this.#cancel = this.#clock.after(aliveMs, () => this.#stayAlive());
  }
}
