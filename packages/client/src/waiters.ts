import type { RpcError } from "@pipit/protocol";
import { LazySet } from "./lazy-set.ts";
import type { WaitList } from "./wait-list.ts";

/** Who waits for an endpoint or a connection. */
export interface Waiter {
  /** Try again. */
  resume(): void;
  /** What was waited for will not come. */
  giveUp(error: RpcError): void;
}

/** Those who wait at one place, each counted among all of the client. Whoever is told of something waits no more. */
export class Waiters extends LazySet<Waiter> {
  readonly #all: WaitList;

  constructor(all: WaitList) {
    super();
    this.#all = all;
  }

  override add(waiter: Waiter): void {
    super.add(waiter);
    this.#all.add();
  }

  override delete(waiter: Waiter): boolean {
    const waited = super.delete(waiter);
    if (waited) this.#all.delete();
    return waited;
  }

  /** Lets those go on who wait now, the longest first, while there is room. */
  resume(hasRoom?: () => boolean): void {
    if (this.size === 0) return;
    for (const waiter of Array.from(this)) {
      if (hasRoom?.() === false) return;
      this.delete(waiter);
      waiter.resume();
    }
  }

  /** Lets one go on. */
  resumeOne(): void {
    const [waiter] = this;
    if (waiter === undefined) return;
    this.delete(waiter);
    waiter.resume();
  }

  /** Tells those who wait now that nothing will come. */
  giveUp(error: RpcError): void {
    for (const waiter of Array.from(this)) {
      this.delete(waiter);
      waiter.giveUp(error);
    }
  }
}
