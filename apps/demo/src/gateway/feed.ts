import type { Action } from "./actions.ts";
import type { LiveEvent } from "./events.ts";

/** Where the page's events come from and its buttons go to: the running system, or the sample. */
export interface Feed {
  /** Calls `emit` from now on. */
  start(emit: (event: LiveEvent) => void): void;
  /** Does what a button says; rejects with an {@link ActionError} when it cannot be done. */
  perform(action: Action): Promise<void>;
  close(): Promise<void>;
}

/** A button that cannot do what it says, in words for the one who pressed it. */
export class ActionError extends Error {
  override readonly name = "ActionError";
}
