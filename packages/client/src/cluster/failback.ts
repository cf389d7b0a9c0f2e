import { type CallOptions, isRpcError, RpcError } from "@pipit/protocol";
import type { PipitClient } from "../create-client.ts";
import { isRepeatable } from "../retry-policy.ts";
import type { ReplyOf, RequestOf } from "./broadcast.ts";
import { type Sender, senderOf, type UnaryMethod } from "./send-to.ts";

/** Options of {@link failback}. */
export interface FailbackOptions extends CallOptions {
  /** Wait between two tries of the kept calls, in milliseconds. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** Kept calls; those beyond reject with their error. Default 1,000. */
  readonly maxPending?: number | undefined;
  /** Tries of a kept call before it is given up. Default 10. */
  readonly maxTries?: number | undefined;
  /** Is told of a kept call that was given up. */
  readonly onGiveUp?: ((error: RpcError) => void) | undefined;
}

/** A method whose failed calls are made good later. Made by {@link failback}. */
export interface Failback<Req, Res> extends Disposable {
  /** The reply; or undefined when the call failed and was kept, to be sent again in the background. */
  call(request: Req): Promise<Res | undefined>;
  /** Calls that wait to be sent again. */
  readonly pending: number;
  /** Forgets the kept calls. */
  close(): void;
}

interface Kept {
  readonly sender: Sender;
  tries: number;
}

/**
 * For messages that must arrive some time, such as notifications: a failed call is kept in memory and sent again until it
 * succeeds. A call is kept only where law 4 allows another sending: a `safe` or `idempotent` method, or provably not handled;
 * any other rejects. What is kept is lost with the process.
 */
export function failback<Q, S, E>(
  client: PipitClient,
  method: UnaryMethod<Q, S, E>,
  options: FailbackOptions = {},
): Failback<RequestOf<Q, S>, ReplyOf<Q, S>> {
  const { intervalMs = 5000, maxPending = 1000, maxTries = 10, onGiveUp, ...callOptions } = options;
  const repeatable = isRepeatable(method.idempotency);
  const kept = new Set<Kept>();
  let cancelTimer: (() => void) | undefined;

  function schedule(sender: Sender): void {
    cancelTimer ??= sender.core.clock.after(intervalMs, () => void sendKept(), { background: true });
  }

  async function sendKept(): Promise<void> {
    cancelTimer = undefined;
    await Promise.all([...kept].map(sendAgain));
    const [next] = kept;
    if (next !== undefined) schedule(next.sender);
  }

  async function sendAgain(entry: Kept): Promise<void> {
    entry.tries++;
    try {
      await entry.sender.send({ retries: true });
      kept.delete(entry);
    } catch (error) {
      const failure = RpcError.from(error);
      if (entry.tries < maxTries && mayRepeat(failure)) return;
      if (kept.delete(entry)) onGiveUp?.(failure);
    }
  }

  function mayRepeat({ code, handled, error }: RpcError): boolean {
    if (error !== undefined || code === "cancelled" || code === "invalid_argument") return false;
    return handled === "no" || (repeatable && (code === "unavailable" || code === "deadline_exceeded"));
  }

  const handle: Failback<RequestOf<Q, S>, ReplyOf<Q, S>> = {
    async call(request) {
      const sender = senderOf(client, method, request, callOptions);
      try {
        return (await sender.send({ retries: true })) as ReplyOf<Q, S>;
      } catch (error) {
        if (!isRpcError(error) || !mayRepeat(error) || kept.size >= maxPending) throw error;
        kept.add({ sender, tries: 1 });
        schedule(sender);
        return undefined;
      }
    },
    get pending() {
      return kept.size;
    },
    close() {
      cancelTimer?.();
      cancelTimer = undefined;
      kept.clear();
    },
    [Symbol.dispose]() {
      handle.close();
    },
  };
  return handle;
}
