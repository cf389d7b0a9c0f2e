import type { Pick } from "@pipit/balancer";
import type { CallFailure, NoRetryReason, ServerIdentity } from "@pipit/protocol";
import { noteDecision, sinceStartMs } from "./call-report.ts";
import type { ClientCall } from "./client-call.ts";
import { judgeRetry, type RetryVerdict } from "./retry-policy.ts";
import type { RouteEndpoint } from "./route.ts";

/** How long a call that waits for ready leaves between its rounds, in milliseconds. */
const readyPollMs = 200;
/** How long a `once` call leaves between looks whether its server has said who it is, in milliseconds. */
const identityPollMs = 5;

/**
 * What follows the failed sendings of a call: another one, elsewhere or after a wait, or its end. Law 4 judges
 * (`retry-policy.ts`); here are the budgets, the waits and the ways. Made at the first failure.
 */
export class CallRetry {
  readonly #call: ClientCall;
  /** Endpoints where it was. */
  readonly #tried = new Set<string>();
  #retryCount = 0;
  #cancelBackoff: (() => void) | undefined;

  constructor(call: ClientCall) {
    this.#call = call;
  }

  /** A sending failed, the balancer and the log know of it: what now? */
  after(failure: CallFailure): void {
    const call = this.#call;
    if (call.core.closed) return call.fail(failure.error);
    const { channel, id } = (call.pick as Pick<RouteEndpoint>).endpoint;
    this.#tried.add(id);
    if (failure.refused && failure.error.code === "unimplemented") channel.learnLack(call.method);
    const instance = call.connection?.server;
    const verdict = this.#judge(failure, instance);
    if (verdict === "no") return this.#endOrPoll(failure);
    call.keepRequestBytes();
    if (verdict === "elsewhere") this.#sendElsewhere(failure);
    else if (this.#waitsForReady(failure)) this.#endOrPoll(failure);
    else this.#sendLater(failure, verdict, id, instance);
  }

  /** Ends a wait between two sendings, where there is one. */
  stop(): void {
    if (this.#cancelBackoff === undefined) return;
    this.#cancelBackoff();
    this.#cancelBackoff = undefined;
    this.#call.core.sleepers.delete(this.#call);
  }

  #judge(failure: CallFailure, instance: ServerIdentity | undefined): RetryVerdict {
    const { method, plan, rare, connection } = this.#call;
    return judgeRetry({
      failure,
      idempotency: method.idempotency,
      replayable: rare?.itemSeen !== true && rare?.input?.touched !== true,
      untried: rare?.only === undefined && plan.route.hasUntried(this.#tried, method),
      unreachable: connection?.peer === undefined,
      instance,
      sharedStore: plan.sharedReplyStore,
    });
  }

  /** Nothing is left to try: the end, or another look a little later for who waits until there is somebody. */
  #endOrPoll(failure: CallFailure): void {
    if (!this.#waitsForReady(failure)) return this.#call.fail(failure.error);
    this.#call.keepRequestBytes();
    this.#sleep(failure, readyPollMs, () => this.#call.routeFirst());
  }

  #sendElsewhere({ error }: CallFailure): void {
    const call = this.#call;
    call.useRare().reason = "elsewhere";
    call.state = "new";
    call.take(call.plan.route.pickUntried(call.options?.hashKey, this.#tried, call.method), error);
  }

  /** One retry less in the tree and in the budget, then a backoff. */
  #sendLater(failure: CallFailure, verdict: RetryVerdict, id: string, instance: ServerIdentity | undefined): void {
    const call = this.#call;
    const { core, plan } = call;
    const why = plan.retries ? plan.budget.withdrawFor(call.retries) : "retries off";
    if (why !== undefined) return this.#giveUp(failure, why);
    call.retries--;
    core.counts.retries++;
    const { retryAfterMs } = failure.error;
    const delayMs = core.retryDelayMs(++this.#retryCount, plan.retry, retryAfterMs);
    noteDecision(call, { type: "backoff", atMs: sinceStartMs(call), delayMs, asked: retryAfterMs !== undefined });
    this.#sleep(failure, delayMs, () => {
      const rare = call.useRare();
      rare.reason = "retry";
      const { route } = plan;
      if (verdict !== "again") this.#sendToSame(id, instance as ServerIdentity, failure);
      else if (rare.only !== undefined) call.take(route.pickSame(id), failure.error);
      else call.take(route.pickAgain(call.options?.hashKey, this.#tried, call.method), failure.error);
    });
  }

  #giveUp({ error }: CallFailure, why: NoRetryReason): void {
    noteDecision(this.#call, { type: "no retry", atMs: sinceStartMs(this.#call), why });
    this.#call.fail(error);
  }

  #waitsForReady({ error, handled }: CallFailure): boolean {
    return this.#call.options?.waitForReady === true && handled === "no" && error.code === "unavailable";
  }

  #sleep(failure: CallFailure, delayMs: number, go: () => void): void {
    const call = this.#call;
    const { core } = call;
    if (core.closed || core.turn.now() + delayMs >= call.deadlineMs) return this.#giveUp(failure, "deadline");
    call.state = "backoff";
    core.sleepers.add(call);
    this.#cancelBackoff = core.clock.after(delayMs, () => {
      this.stop();
      call.state = "new";
      go();
    });
  }

  /** Law 5: a `once` call is known only to the process that got it, and that is known only once it has said who it is. */
  #sendToSame(id: string, instance: ServerIdentity, failure: CallFailure): void {
    const call = this.#call;
    const pick = call.plan.route.pickSame(id);
    if (pick === undefined) return call.fail(failure.error);
    call.open(pick);
    const connection = pick.endpoint.channel.acquire();
    const server = connection?.server;
    if (connection === undefined || server === undefined) {
      call.done("refused");
      this.#sleep(failure, identityPollMs, () => this.#sendToSame(id, instance, failure));
      return;
    }
    if (server.id === instance.id && server.generation === instance.generation) call.sendOn(connection);
    else {
      call.done("refused");
      call.fail(failure.error);
    }
  }
}
