/** A stream that is fed from outside of any generator: events, sockets, subscriptions. */
export interface Channel<T> extends AsyncIterable<T> {
  /** Resolves once there is room for more. Rejects with the reason when the reader has gone. */
  send(value: T): Promise<void>;
  /** No more values; those sent are still delivered. Twice is fine. */
  close(): void;
  /** Ends the reader's loop with an error, after what was sent. */
  fail(error: unknown): void;
}

/** Options of {@link channel}. */
export interface ChannelOptions {
  /** Values held before `send` waits. Default 16; 0 means that `send` waits until the value is taken. */
  readonly capacity?: number | undefined;
}

/** Values held before a sender waits: enough to bridge a turn of the event loop, little enough to be felt. */
const defaultCapacity = 16;

/**
 * A bounded queue between one producer and one consumer. Leaving the consumer's loop early rejects waiting and later
 * sends.
 *
 * @throws RangeError when `capacity` is negative or not whole
 */
export function channel<T>(options: ChannelOptions = {}): Channel<T> {
  const capacity = options.capacity ?? defaultCapacity;
  if (!Number.isInteger(capacity) || capacity < 0) {
    throw new RangeError(`Option capacity: expected a whole number from 0, got ${capacity}`);
  }
  return new BoundedChannel<T>(capacity);
}

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

interface Taker<T> {
  resolve(result: IteratorResult<T>): void;
  reject(reason: unknown): void;
}

type End =
  | { readonly type: "closed" }
  | { readonly type: "failed"; readonly error: unknown }
  | { readonly type: "left" };

class BoundedChannel<T> implements Channel<T> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  readonly #senders: Waiter[] = [];
  readonly #takers: Taker<T>[] = [];
  #end: End | undefined;
  #iterated = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  send(value: T): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(sendRefusal(this.#end));
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ value, done: false });
      return Promise.resolve();
    }
    this.#values.push(value);
    if (this.#values.length <= this.#capacity) return Promise.resolve();
    return new Promise((resolve, reject) => this.#senders.push({ resolve, reject }));
  }

  close(): void {
    this.#finish({ type: "closed" });
  }

  fail(error: unknown): void {
    this.#finish({ type: "failed", error });
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    if (this.#iterated) throw new TypeError("A channel can be iterated once");
    this.#iterated = true;
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  #next(): Promise<IteratorResult<T>> {
    if (this.#values.length > 0) {
      const value = this.#values.shift() as T;
      this.#senders.shift()?.resolve();
      return Promise.resolve({ value, done: false });
    }
    if (this.#end?.type === "failed") {
      const { error } = this.#end;
      this.#end = { type: "left" };
      return Promise.reject(error);
    }
    if (this.#end !== undefined) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  #leave(): Promise<IteratorResult<T>> {
    this.#values.length = 0;
    this.#finish({ type: "left" });
    return Promise.resolve({ value: undefined, done: true });
  }

  #finish(end: End): void {
    if (this.#end !== undefined && end.type !== "left") return;
    this.#end = end;
    if (end.type === "left") for (const sender of this.#senders.splice(0)) sender.reject(sendRefusal(end));
    for (const taker of this.#takers.splice(0)) {
      if (end.type === "failed") taker.reject(end.error);
      else taker.resolve({ value: undefined, done: true });
    }
  }
}

function sendRefusal(end: End): Error {
  if (end.type === "left") return new Error("Cannot send on a channel whose reader has gone");
  return new Error("Cannot send on a closed channel");
}
