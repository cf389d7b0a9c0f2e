import type { Clock, Method } from "@pipit/protocol";

/** How long it is believed that a server lacks a method, in milliseconds. It may learn one without a restart. */
const believedMs = 10_000;
/** Methods remembered, per endpoint. Beyond it nothing new is, and each call costs a refusal again. */
const maxMethods = 1024;

/** Methods that a server has refused as unknown: a deploy is under way, and others may have them already. */
export class LackingMethods {
  readonly #clock: Clock;
  /** Until when it is believed. Made with the first one. */
  #untilMs: Map<Method, number> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether there are any, be it only that some were believed to be. */
  get any(): boolean {
    return this.#untilMs !== undefined;
  }

  /** The server has refused it. Returns whether that is remembered. */
  add(method: Method): boolean {
    const untilMs = (this.#untilMs ??= new Map());
    if (untilMs.size >= maxMethods && !untilMs.has(method)) return false;
    untilMs.set(method, this.#clock.now() + believedMs);
    return true;
  }

  /** Whether the server is believed to lack it. */
  has(method: Method): boolean {
    const untilMs = this.#untilMs?.get(method);
    return untilMs !== undefined && this.#clock.now() < untilMs;
  }

  /** It may be another process by now. */
  clear(): void {
    this.#untilMs = undefined;
  }
}
