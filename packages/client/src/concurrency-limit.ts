import { type Clock, RpcError } from "@pipit/protocol";
import { positive, whole } from "./checked-number.ts";

/** Bounds the calls of a service that are open at once. */
export interface ConcurrencyOptions {
  /** Calls open at once. */
  readonly max: number;
  /** Calls that wait for a place; those beyond fail with `resource_exhausted`. Default: `max`. */
  readonly maxQueued?: number | undefined;
  /** Longest wait for a place, in milliseconds. Default 1,000. */
  readonly maxWaitMs?: number | undefined;
}

interface Place {
  resolve(): void;
  reject(error: RpcError): void;
}

/** A counting semaphore with a short queue, first come first served. */
export class ConcurrencyLimit {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #maxQueued: number;
  readonly #maxWaitMs: number;
  readonly #queue = new Set<Place>();
  #open = 0;

  /** @throws RangeError for an option out of range */
  constructor(clock: Clock, options: ConcurrencyOptions) {
    const { max, maxQueued = max, maxWaitMs = 1000 } = options;
    this.#clock = clock;
    this.#max = whole("concurrency.max", max, 1);
    this.#maxQueued = whole("concurrency.maxQueued", maxQueued, 0);
    this.#maxWaitMs = positive("concurrency.maxWaitMs", maxWaitMs);
  }

  get open(): number {
    return this.#open;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Takes a place if one is free. Give it back by {@link leave}. */
  tryEnter(): boolean {
    if (this.#open >= this.#max) return false;
    this.#open++;
    return true;
  }

  /**
   * Waits for a place, no longer than `timeoutMs`, the time that the call has.
   *
   * @throws RpcError `resource_exhausted`, `deadline_exceeded` or `cancelled`; there is no place to give back then
   */
  wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#queue.size >= this.#maxQueued) {
      const text = `${this.#max} calls are open and ${this.#queue.size} wait, the limits of this client`;
      return Promise.reject(new RpcError("resource_exhausted", text, { handled: "no" }));
    }
    return new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#queue.delete(place);
        cancelTimer();
        signal?.removeEventListener("abort", aborted);
      };
      const aborted = (): void => {
        place.reject(new RpcError("cancelled", "The caller gave up", { cause: signal?.reason, handled: "no" }));
      };
      const place: Place = {
        resolve() {
          leave();
          resolve();
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const waitMs = Math.min(this.#maxWaitMs, Math.max(0, timeoutMs));
      const late = (): void => {
        const text = `Waited ${waitMs} ms for one of ${this.#max} places of this client`;
        const code = timeoutMs <= this.#maxWaitMs ? "deadline_exceeded" : "resource_exhausted";
        place.reject(new RpcError(code, text, { handled: "no" }));
      };
      const cancelTimer = this.#clock.after(waitMs, late);
      signal?.addEventListener("abort", aborted);
      this.#queue.add(place);
      if (signal?.aborted === true) aborted();
    });
  }

  /** A call has ended: its place goes to the one that waits longest. */
  leave(): void {
    const [next] = this.#queue;
    if (next === undefined) this.#open--;
    else next.resolve();
  }
}
