import { AsyncLocalStorage } from "node:async_hooks";

/**
 * What a running call hands down to the calls made for it, with no code of the handler's: deadline, cancel, trace,
 * retries left, criticality.
 */
export interface CallContext {
  /** The moment, on the process's monotonic clock, by which the call must have ended; Infinity when there is none. */
  readonly deadlineMs: number;
  /** Fires when the call is cancelled, timed out or its connection is lost. */
  readonly signal: AbortSignal;
  /** W3C trace context (`traceparent`), when the caller sent a well-formed one. */
  readonly traceparent: string | undefined;
  readonly criticality: 0 | 1 | 2;
  /** Retries that the call tree below may still spend; nested calls borrow from it and give back (law 4). */
  readonly retries: RetryPurse;
  /**
   * Ends `dependent` with this call when it is cancelled, at once if it already is. The same as a listener on
   * {@link signal} at a tenth of the cost; a context made by hand can leave both methods out.
   */
  addDependent?(dependent: CallDependent): void;
  removeDependent?(dependent: CallDependent): void;
}

/** A call made for another one. */
export interface CallDependent {
  /** The call it was made for was cancelled, timed out or lost its connection. */
  onParentCancelled(reason: unknown): void;
}

/** Retries that a call tree may still spend. */
export interface RetryPurse {
  left: number;
}

interface Slot {
  storage?: AsyncLocalStorage<CallContext> | undefined;
}

/**
 * The one global of Pipit: two copies of the package in one process must see the same current call. Made on first use,
 * so that processes that only serve leaves pay nothing for it.
 */
const key: unique symbol = Symbol.for("pipit.context.1") as never;
const globals = globalThis as { [key]?: Slot };

/** The global's value, once looked at: reading a global costs more than all the rest of what a call asks here. */
let known: Slot | undefined;

function slot(): Slot {
  return (known ??= globals[key] ??= {});
}

/** The context of the call that this code runs for, or undefined outside of any handler. */
export function currentContext(): CallContext | undefined {
  return storage().getStore();
}

/** Makes handlers run inside their context from now on. A client does this when it is created. */
export function enableContext(): void {
  storage();
}

/** Runs `fn` as part of a call, when somebody in the process asked for contexts; else just runs it. */
export function runInContext<T>(context: CallContext, fn: () => T): T {
  const { storage: active } = slot();
  return active === undefined ? fn() : active.run(context, fn);
}

/** Whether {@link runInContext} does anything. */
export function contextEnabled(): boolean {
  return slot().storage !== undefined;
}

function storage(): AsyncLocalStorage<CallContext> {
  return (slot().storage ??= new AsyncLocalStorage<CallContext>());
}
