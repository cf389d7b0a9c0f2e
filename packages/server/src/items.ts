/** Whether a value is a promise in the sense of `await`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/**
 * The iterator of what a streaming handler returned.
 *
 * @throws TypeError when it cannot be iterated
 */
export function iteratorOf(items: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  const source = items as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const async = source?.[Symbol.asyncIterator];
  if (typeof async === "function") return async.call(source);
  const sync = source?.[Symbol.iterator];
  if (typeof sync === "function") return sync.call(source);
  throw new TypeError(`A streaming handler must return an Iterable or AsyncIterable, got ${typeof items}`);
}

/** What a streaming handler returned, for interceptors: always asynchronous. */
export function toAsyncIterable(items: unknown): AsyncIterable<unknown> {
  const iterator = iteratorOf(items);
  if (typeof (items as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function") {
    return { [Symbol.asyncIterator]: () => iterator as AsyncIterator<unknown> };
  }
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => iterator.next(),
      return: async () => (await iterator.return?.()) ?? { value: undefined, done: true },
    }),
  };
}
