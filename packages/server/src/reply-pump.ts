import { contextEnabled, runInContext } from "@pipit/protocol";
import { isThenable, iteratorOf } from "./items.ts";
import type { ServerCall } from "./server-call.ts";

/** What a {@link ReplyPump} reports: exactly one of the two, once. */
export interface ReplyPumpEnd {
  onDone(): void;
  onError(error: unknown): void;
}

/**
 * Carries the items of a streaming handler to the caller. The next one is asked for only when the connection has room, so
 * `yield` is where a fast producer waits for a slow reader. No promise is made beyond the producer's own.
 *
 * Where nobody reads any more the iterator's `return()` is called, also while its `next()` is under way, which may wait for what never comes.
 * The iterator has ended when that `return()` has, which of generators waits for `next()` by itself; without one, when its `next()` has.
 */
export class ReplyPump {
  readonly #call: ServerCall;
  readonly #end: ReplyPumpEnd;
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  #state: "idle" | "asking" | "over" = "idle";
  /** An item that was waited for: other streams may have used up the room that there was when it was asked for. */
  #held: IteratorResult<unknown> | undefined = undefined;

  /** @throws TypeError when the handler returned nothing that can be iterated */
  constructor(call: ServerCall, items: unknown, end: ReplyPumpEnd) {
    this.#call = call;
    this.#end = end;
    this.#iterator = iteratorOf(items);
  }

  /** Begins; later the connection wakes it. */
  start(): void {
    this.#call.wake = () => this.#pull();
    this.#pull();
  }

  #pull(): void {
    while (this.#state === "idle") {
      if (!this.#call.open) {
        this.#leave();
        return;
      }
      if (!this.#call.incoming.writable) return;
      const step = this.#held ?? this.#ask();
      if (step === undefined) return;
      this.#held = undefined;
      this.#take(step);
    }
    if (this.#state === "asking" && !this.#call.open && this.#iterator.return !== undefined) this.#leave();
  }

  /** The next item, where it comes at once. */
  #ask(): IteratorResult<unknown> | undefined {
    let step: IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
    try {
      // Each resumption of the handler's code is part of the call, whoever happens to cause it.
      step = contextEnabled() ? runInContext(this.#call, this.#next) : this.#iterator.next();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    if (!isThenable(step)) return step;
    this.#state = "asking";
    step.then(this.#onStep, this.#onThrow);
    return undefined;
  }

  readonly #next = (): IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>> => this.#iterator.next();

  readonly #onStep = (step: IteratorResult<unknown>): void => {
    if (this.#state !== "asking") return;
    this.#state = "idle";
    if (step.done === true) this.#finish();
    else this.#held = step;
    this.#pull();
  };

  readonly #onThrow = (error: unknown): void => {
    if (this.#state === "asking") this.#fail(error);
  };

  #take(step: IteratorResult<unknown>): void {
    if (step.done === true) {
      this.#finish();
      return;
    }
    try {
      this.#call.sendMetadata();
      this.#call.incoming.send(step.value);
    } catch (error) {
      this.#leave(error);
    }
  }

  #finish(): void {
    this.#state = "over";
    this.#end.onDone();
  }

  #fail(error: unknown): void {
    this.#state = "over";
    this.#end.onError(error);
  }

  /** Nobody reads any more, or an item could not be sent: the producer is told, and the call ends once it has. */
  #leave(failure?: unknown): void {
    this.#state = "over";
    const settle = (): void => (failure === undefined ? this.#end.onDone() : this.#end.onError(failure));
    try {
      const left = contextEnabled() ? runInContext(this.#call, this.#return) : this.#return();
      if (isThenable(left)) left.then(settle, (error: unknown) => this.#end.onError(failure ?? error));
      else settle();
    } catch (error) {
      this.#end.onError(failure ?? error);
    }
  }

  readonly #return = (): unknown => this.#iterator.return?.();
}
