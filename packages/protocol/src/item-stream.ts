/** Who feeds an {@link ItemStream}. */
export interface ItemStreamOwner {
  /** The first item is asked for. */
  onStarted?(): void;
  /** An item was taken, or dropped because the reader has gone: its bytes are credit again. */
  onConsumed(bytes: number): void;
  /** The reader left before the end. Called at most once, and not after the end. */
  onLeft(): void;
}

interface Taker<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

type End = { readonly type: "closed" } | { readonly type: "failed"; readonly error: unknown };

/** Taken items at the front of the queue before it is cut: keeps taking O(1) without cutting each time. */
const cutAfter = 64;

/**
 * Received items between a connection, which pushes them, and one reader, who takes them with `for await`. It is not
 * bounded itself: the sender's credit bounds it, and that is given back as items are taken, or when the call ends: what waits
 * then can still be read, but counts no more.
 */
export class ItemStream<T> implements AsyncIterableIterator<T> {
  readonly #owner: ItemStreamOwner;
  #items: T[] = [];
  #sizes: number[] = [];
  #taken = 0;
  readonly #takers: Taker<T>[] = [];
  #end: End | undefined = undefined;
  #started = false;
  #over = false;

  constructor(owner: ItemStreamOwner) {
    this.#owner = owner;
  }

  /** Items that wait to be taken. */
  get waiting(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T, bytes: number): void {
    if (this.#over || this.#end !== undefined) {
      this.#owner.onConsumed(bytes);
      return;
    }
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#items.push(item);
      this.#sizes.push(bytes);
      return;
    }
    this.#owner.onConsumed(bytes);
    taker.resolve({ value: item, done: false });
  }

  /** No more items; those that wait are still delivered. */
  close(): void {
    this.#finish({ type: "closed" });
  }

  /** Ends the reader's loop with an error, after the items that wait. */
  fail(error: unknown): void {
    this.#finish({ type: "failed", error });
  }

  /** Ends at once: what waits is dropped. */
  abort(error: unknown): void {
    this.#drop();
    this.#finish({ type: "failed", error });
  }

  [Symbol.asyncIterator](): this {
    if (this.#over) throw new TypeError("A stream can be iterated once");
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#started) {
      this.#started = true;
      this.#owner.onStarted?.();
    }
    if (this.#taken < this.#items.length) {
      const value = this.#items[this.#taken] as T;
      const bytes = this.#sizes[this.#taken] as number;
      this.#items[this.#taken++] = undefined as T;
      if (this.#taken === this.#items.length || this.#taken >= cutAfter) this.#cut();
      this.#owner.onConsumed(bytes);
      return Promise.resolve({ value, done: false });
    }
    if (this.#over) return Promise.resolve({ value: undefined, done: true });
    if (this.#end !== undefined) return this.#leaveBy(this.#end);
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#over) {
      this.#over = true;
      this.#drop();
      for (const taker of this.#takers.splice(0)) taker.resolve({ value: undefined, done: true });
      if (this.#end === undefined) this.#owner.onLeft();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  throw(error?: unknown): Promise<IteratorResult<T, undefined>> {
    void this.return();
    return Promise.reject(error);
  }

  #finish(end: End): void {
    if (this.#end !== undefined || this.#over) return;
    this.#end = end;
    const [first, ...rest] = this.#takers.splice(0);
    if (first === undefined) return;
    this.#over = true;
    if (end.type === "failed") first.reject(end.error);
    else first.resolve({ value: undefined, done: true });
    for (const taker of rest) taker.resolve({ value: undefined, done: true });
  }

  #leaveBy(end: End): Promise<IteratorResult<T, undefined>> {
    this.#over = true;
    if (end.type === "failed") return Promise.reject(end.error);
    return Promise.resolve({ value: undefined, done: true });
  }

  #cut(): void {
    this.#items = this.#items.slice(this.#taken);
    this.#sizes = this.#sizes.slice(this.#taken);
    this.#taken = 0;
  }

  #drop(): void {
    let bytes = 0;
    for (let at = this.#taken; at < this.#sizes.length; at++) bytes += this.#sizes[at] as number;
    this.#items = [];
    this.#sizes = [];
    this.#taken = 0;
    if (bytes > 0) this.#owner.onConsumed(bytes);
  }
}
