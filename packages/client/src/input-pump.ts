import type { Items } from "@pipit/protocol";

/** Where an {@link InputPump} sends the caller's items. */
export interface InputSink {
  /** Room for one more. */
  readonly writable: boolean;
  /** Sends one. A throw ends the pump: it is reported as `onInputError`. */
  send(item: unknown): void;
  /** The caller's iterable ended. */
  onInputEnd(): void;
  /** The caller's iterable threw, or an item could not be sent. */
  onInputError(error: unknown): void;
}

/** Carries a caller's iterable to the connection. The next item is asked for only when there is room for it. */
export class InputPump {
  readonly #source: Items<unknown>;
  readonly #sink: InputSink;
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #state: "idle" | "asking" | "over" = "idle";
  /** An item that was waited for: other streams may have used up the room that there was when it was asked for. */
  #held: IteratorResult<unknown> | undefined = undefined;

  /** @throws TypeError when `source` cannot be iterated */
  constructor(source: Items<unknown>, sink: InputSink) {
    assertIterable(source);
    this.#source = source;
    this.#sink = sink;
  }

  /** Something was taken from the iterable: it cannot be sent from the beginning again. */
  get touched(): boolean {
    return this.#iterator !== undefined;
  }

  /** There may be room. */
  pull(): void {
    while (this.#state === "idle" && this.#sink.writable) {
      let step: IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
      try {
        this.#iterator ??= iteratorOf(this.#source);
        step = this.#held ?? this.#iterator.next();
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (isThenable(step)) {
        this.#state = "asking";
        step.then(this.#onStep, this.#onThrow);
        return;
      }
      this.#held = undefined;
      this.#take(step);
    }
  }

  /** Nobody wants more: the iterable is told, once. */
  stop(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    try {
      const left = this.#iterator?.return?.();
      // What the caller's clean-up throws now has nobody left to tell.
      if (isThenable(left)) left.then(undefined, () => undefined);
    } catch {
      // As above.
    }
  }

  readonly #onStep = (step: IteratorResult<unknown>): void => {
    if (this.#state !== "asking") return;
    this.#state = "idle";
    if (step.done === true) this.#take(step);
    else this.#held = step;
    this.pull();
  };

  readonly #onThrow = (error: unknown): void => {
    if (this.#state === "asking") this.#fail(error);
  };

  #take(step: IteratorResult<unknown>): void {
    if (step.done === true) {
      this.#state = "over";
      this.#sink.onInputEnd();
      return;
    }
    try {
      this.#sink.send(step.value);
    } catch (error) {
      this.stop();
      this.#sink.onInputError(error);
    }
  }

  #fail(error: unknown): void {
    this.#state = "over";
    this.#sink.onInputError(error);
  }
}

function assertIterable(source: unknown): void {
  const candidate = source as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  if (typeof candidate?.[Symbol.asyncIterator] === "function" || typeof candidate?.[Symbol.iterator] === "function")
    return;
  throw new TypeError(
    `Stream of requests: expected an Iterable or AsyncIterable, got ${source === null ? "null" : typeof source}`,
  );
}

function iteratorOf(source: Items<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
