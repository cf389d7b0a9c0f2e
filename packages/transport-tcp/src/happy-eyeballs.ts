import type { Clock } from "@pipit/protocol";
import { builtin } from "./builtin.ts";

/** Head start of each attempt over the next one: "Connection Attempt Delay" of RFC 8305, section 5. */
export const attemptDelayMs = 250;

/** One attempt at one address. */
export interface Attempt<T> {
  readonly result: Promise<T>;
  /** Gives the attempt up and frees what it holds; harmless when it is over. */
  readonly cancel: () => void;
}

/** Options of {@link happyEyeballs}. */
export interface HappyEyeballsOptions {
  readonly clock: Clock;
  /** Gives everything up; the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Connects to the first address that answers, after RFC 8305: attempts start one after the other, each as soon as the one before
 * failed or had its head start, and all race. The first success wins and the others are cancelled.
 *
 * @throws The error of the only attempt, or an AggregateError of all of them
 */
export function happyEyeballs<T>(
  addresses: readonly string[],
  start: (address: string) => Attempt<T>,
  { clock, signal }: HappyEyeballsOptions,
): Promise<T> {
  const queue = interleaved(addresses);
  const running = new Set<Attempt<T>>();
  const errors: unknown[] = [];

  return new Promise<T>((resolve, reject) => {
    let cancelTimer: (() => void) | undefined;
    let isOver = false;

    const finish = (settle: () => void): void => {
      isOver = true;
      cancelTimer?.();
      signal.removeEventListener("abort", abort);
      for (const attempt of running) attempt.cancel();
      settle();
    };
    const abort = (): void => finish(() => reject(signal.reason));
    const succeed = (attempt: Attempt<T>, value: T): void => {
      running.delete(attempt);
      if (isOver) attempt.cancel();
      else finish(() => resolve(value));
    };
    const fail = (attempt: Attempt<T>, error: unknown): void => {
      running.delete(attempt);
      errors.push(error);
      if (isOver) return;
      if (queue.length > 0) startNext();
      else if (running.size === 0) finish(() => reject(errors.length === 1 ? error : new AggregateError(errors)));
    };
    const startNext = (): void => {
      cancelTimer?.();
      const address = queue.shift();
      if (address === undefined) return;
      const attempt = start(address);
      running.add(attempt);
      attempt.result.then(
        (value) => succeed(attempt, value),
        (error: unknown) => fail(attempt, error),
      );
      if (queue.length > 0) cancelTimer = clock.after(attemptDelayMs, startNext);
    };

    if (signal.aborted) return reject(signal.reason);
    if (queue.length === 0) return reject(new AggregateError([], "The name has no addresses"));
    signal.addEventListener("abort", abort, { once: true });
    startNext();
  });
}

/** Address families in turn, beginning with the family of the first (RFC 8305, section 4). */
export function interleaved(addresses: readonly string[]): string[] {
  // Not asked about one address: the first question compiles a pattern for a tenth of all that a first call takes.
  if (addresses.length < 2) return [...addresses];
  const { isIPv6 } = builtin("node:net");
  const firstIsV6 = isIPv6(addresses[0] as string);
  const preferred = addresses.filter((address) => isIPv6(address) === firstIsV6);
  const others = addresses.filter((address) => isIPv6(address) !== firstIsV6);
  const out: string[] = [];
  for (let i = 0; i < Math.max(preferred.length, others.length); i++) {
    for (const address of [preferred[i], others[i]]) if (address !== undefined) out.push(address);
  }
  return out;
}
