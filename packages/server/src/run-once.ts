import { decodeMessageBytes, encodeMessage, type Peer, RpcError } from "@pipit/protocol";
import { hostOf } from "./caller-host.ts";
import { sha256Hex } from "./digest.ts";
import { endWith, endWithReply, endWithThrown } from "./end-call.ts";
import { isThenable } from "./items.ts";
import type { ReplyClaim, StoredReply } from "./reply-store.ts";
import type { ServerCall } from "./server-call.ts";

/** A call that nobody had claimed before, on its way to its handler. */
export interface ClaimedCall {
  readonly transaction: unknown;
  state: "new" | "handled" | "released";
}

/** Refusals that ask for another sending: kept as the reply, they would answer that one, too. */
function asksAgain({ code }: RpcError): boolean {
  return code === "unavailable" || code === "resource_exhausted";
}

/**
 * The handler of a `once` call begins.
 *
 * @throws RpcError where an interceptor has turned the call away: another sending may run by now
 */
export function beginHandler(claimed: ClaimedCall): void {
  if (claimed.state === "released") {
    throw new RpcError("cancelled", "The once call was turned away before; its handler does not run any more");
  }
  claimed.state = "handled";
}

/** How the handler of a claimed call ended: what the caller gets is kept first. */
export interface OnceEnd {
  reply(value: unknown): void;
  fail(error: RpcError): void;
}

/**
 * Law 5: asks the store before the handler runs. `run` is called at most once, and only for a call that nobody claimed
 * before; every other one is answered from the store.
 */
export function runOnce(call: ServerCall, run: (end: OnceEnd) => void): void {
  const { core, incoming } = call;
  const { idempotencyKey: key } = incoming;
  if (key === undefined || key === "") {
    endWith(call, new RpcError("invalid_argument", "A once call needs an idempotency key"));
    return;
  }
  let claim: ReplyClaim | PromiseLike<ReplyClaim>;
  try {
    const caller = (core.options.callerKey ?? callerKey)(call.peer, call);
    claim = core.replyStore.claim({
      caller,
      owner: caller === "" ? `host ${hostOf(call.peer.address)}` : `caller ${caller}`,
      method: `${call.method.service}/${call.method.name}`,
      key,
      requestDigest: sha256Hex(incoming.requestBytes),
      remainingMs: call.remainingMs(),
    });
  } catch (error) {
    endWithThrown(call, error);
    return;
  }
  if (!isThenable(claim)) {
    obey(call, claim, run);
    return;
  }
  call.watch();
  claim.then(
    (answer) => obey(call, answer, run),
    (error: unknown) => endWithThrown(call, error),
  );
}

function obey(call: ServerCall, claim: ReplyClaim, run: (end: OnceEnd) => void): void {
  switch (claim.type) {
    case "claimed":
      call.claimed = { transaction: claim.transaction, state: "new" };
      run(committing(call, claim, call.claimed));
      return;
    case "replied":
      replay(call, claim.reply);
      return;
    case "running":
      call.watch();
      claim.reply.then(
        (reply) => replay(call, reply),
        (error: unknown) => endWithThrown(call, error),
      );
      return;
    case "mismatch":
      endWith(call, new RpcError("invalid_argument", "The idempotency key was used for another request"));
      return;
    case "full": {
      const { retryAfterMs } = claim;
      endWith(
        call,
        new RpcError("resource_exhausted", "The reply store has no room for this caller; the call did not run", {
          retryAfterMs,
        }),
      );
      return;
    }
    case "lost":
      endWith(call, new RpcError("data_loss", "An earlier attempt was lost in a crash; it may have run"));
      return;
    default:
      claim satisfies never;
  }
}

/** Keeps the reply, then gives it. Where keeping fails, the caller must not believe it kept. */
function committing(call: ServerCall, claim: Extract<ReplyClaim, { type: "claimed" }>, claimed: ClaimedCall): OnceEnd {
  const settle = (write: () => unknown, give: () => void): void => {
    let kept: unknown;
    try {
      kept = write();
    } catch (error) {
      endWithThrown(call, error);
      return;
    }
    if (isThenable(kept)) kept.then(give, (error: unknown) => endWithThrown(call, error));
    else give();
  };
  const keep = (stored: StoredReply, give: () => void): void => settle(() => claim.commit(stored), give);
  const fail = (error: RpcError): void => {
    const give = (): void => endWith(call, error);
    if (claimed.state === "handled" || claim.release === undefined || !asksAgain(error)) {
      keep(storedError(call, error), give);
      return;
    }
    claimed.state = "released";
    settle(() => claim.release?.(), give);
  };
  return {
    fail,
    reply(value) {
      let bytes: Uint8Array;
      try {
        bytes = encodeMessage(call.method, "response", value);
      } catch (error) {
        call.core.reportError(call, error, call.core.createId());
        fail(new RpcError("internal", RpcError.from(error).message));
        return;
      }
      keep({ type: "reply", bytes }, () => endWithReply(call, value));
    },
  };
}

function storedError(call: ServerCall, { code, message, error, data }: RpcError): StoredReply {
  // One that is not declared reaches its caller as code and message, too.
  if (error === undefined || !Object.hasOwn(call.method.errors, error)) return { type: "error", code, message };
  return { type: "error", code, message, error, data: encodeMessage(call.method, { error }, data) };
}

/** Gives a kept reply again. */
function replay(call: ServerCall, stored: StoredReply): void {
  try {
    if (stored.type === "reply") {
      call.reply(decodeMessageBytes(call.method, "response", stored.bytes));
      call.core.release(call);
      return;
    }
    const { code, message, error, data } = stored;
    const declared =
      error === undefined || data === undefined
        ? {}
        : { error, data: decodeMessageBytes(call.method, { error }, data) };
    endWith(call, new RpcError(code, message, declared));
  } catch (failure) {
    endWithThrown(call, failure);
  }
}

/** Two callers must never share a key by accident: an identity that does not name its caller is refused. */
function callerKey(peer: Peer, call: ServerCall): string {
  if (typeof peer.identity === "string") return peer.identity;
  const { certificate } = call.incoming.peer;
  if (certificate !== undefined) return certificate.fingerprint256;
  if (peer.identity === undefined) return "";
  throw new RpcError(
    "failed_precondition",
    "A once call needs to know its caller: the identity is no string, set option callerKey of the server",
  );
}
