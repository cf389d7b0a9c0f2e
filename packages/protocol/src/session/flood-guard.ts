import type { SessionLimits } from "./limits.ts";
import { ProtocolFault } from "./protocol-fault.ts";

/** Control frames allowed however little work is asked for. */
const freeControlFrames = 10_000;

/** Weighs what a peer's frames ask for: those that ask for no work cost us all the same, and may be only so many for each that does. */
export class FloodGuard {
  readonly #mostPerWork: number;
  #control = 0;
  #work = 0;

  constructor({ maxControlFramesPerCall }: Pick<SessionLimits, "maxControlFramesPerCall">) {
    this.#mostPerWork = maxControlFramesPerCall;
  }

  /** A frame was read that asks for work, or sent that the peer may answer with control frames. */
  countWork(frames = 1): void {
    this.#work += frames;
  }

  /** A frame was read that asks for none. @throws ProtocolFault when there are far too many of them */
  countControl(): void {
    this.#control++;
    if (this.#control <= freeControlFrames + this.#work * this.#mostPerWork) return;
    throw new ProtocolFault(`${this.#control} control frames for ${this.#work} messages`);
  }
}
