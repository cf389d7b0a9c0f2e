import { setTimeout as sleep } from "node:timers/promises";
import { isRpcError } from "pipit";

/**
 * Does something again and again until `signal` fires. A call that fails is no harm: what it would have told comes with the next one.
 *
 * @throws what is no failure of a call: that would be a mistake of ours
 */
export async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!isRpcError(error) && !signal.aborted) throw error;
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
