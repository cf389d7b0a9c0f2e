const nothing: readonly never[] = [];

/** A set that takes memory only once something is in it: a client has several that mostly stay empty, 180 bytes each. */
export class LazySet<T> implements Iterable<T> {
  #items: Set<T> | undefined = undefined;

  get size(): number {
    return this.#items === undefined ? 0 : this.#items.size;
  }

  add(item: T): void {
    (this.#items ??= new Set()).add(item);
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    return this.#items?.delete(item) ?? false;
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#items ?? nothing)[Symbol.iterator]();
  }
}
