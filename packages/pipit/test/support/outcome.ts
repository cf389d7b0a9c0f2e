import { isRpcError, type RpcError } from "pipit";

/** How a promise settled. */
export type Outcome<T> = { readonly value: T } | { readonly error: RpcError };

/** The end of a call, whichever it is; anything but an `RpcError` is thrown on. */
export async function outcome<T>(promise: PromiseLike<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    if (!isRpcError(error)) throw error;
    return { error };
  }
}

/** The error of a call that must fail. */
export async function failure(promise: PromiseLike<unknown>): Promise<RpcError> {
  const end = await outcome(promise);
  if ("error" in end) return end.error;
  throw new Error(`Expected a failed call, got ${JSON.stringify(end.value)}`);
}

/** Everything that an iteration gave, and how it ended. */
export async function collect<T>(
  items: AsyncIterable<T>,
): Promise<{ readonly items: T[]; readonly error: RpcError | undefined }> {
  const seen: T[] = [];
  try {
    for await (const item of items) seen.push(item);
  } catch (error) {
    if (!isRpcError(error)) throw error;
    return { items: seen, error };
  }
  return { items: seen, error: undefined };
}

/** A promise with its ends outside. */
export function deferred<T = void>(): {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve: (value) => resolve(value), reject: (error) => reject(error) };
}
