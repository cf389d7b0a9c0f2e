import { encodeMessage, RpcError } from "@pipit/protocol";
import { noteAttempt, noteWait } from "./call-report.ts";
import type { ClientCall } from "./client-call.ts";
import type { EndpointChannel } from "./endpoint-channel.ts";
import type { Route } from "./route.ts";
import type { Waiter } from "./waiters.ts";

/** A call's wait for an endpoint or for a connection to one. */
export class CallWait implements Waiter {
  readonly #call: ClientCall;
  readonly #place: EndpointChannel | Route;
  readonly #sinceMs: number;

  constructor(call: ClientCall, place: EndpointChannel | Route) {
    this.#call = call;
    this.#place = place;
    this.#sinceMs = call.core.turn.now();
  }

  /** Waits from now on. Where there is nothing to wait for any more that is the end of it. */
  start(): void {
    this.#call.useRare().wait = this;
    this.#place.wait(this);
  }

  /** Leaves. */
  stop(): void {
    const call = this.#call;
    call.useRare().wait = undefined;
    this.#place.leave(this);
    noteWait(call, call.core.turn.now() - this.#sinceMs);
  }

  resume(): void {
    const call = this.#call;
    this.stop();
    if (call.state !== "waiting") return;
    call.state = "new";
    if (this.#place === call.pick?.endpoint.channel) call.connect();
    else call.routeFirst();
  }

  giveUp(error: RpcError): void {
    const call = this.#call;
    this.stop();
    if (call.state !== "waiting") return;
    if (this.#place === call.plan.route) {
      call.fail(error);
      return;
    }
    call.sentMs = call.core.turn.now();
    call.connection = undefined;
    call.done("failed");
    noteAttempt(call, error, "no");
    call.afterFailure({ error, handled: "no", refused: false, retriesReturned: 0 });
  }
}

/** Lets the call wait, unless too many do or its request does not encode: then it fails. */
export function waitAt(call: ClientCall, place: EndpointChannel | Route): void {
  call.state = "waiting";
  const error = call.core.waiting.full ? call.core.waiting.refusal() : keepRequest(call);
  if (error === undefined) {
    new CallWait(call, place).start();
    return;
  }
  call.done("refused");
  call.fail(error);
}

/** The request is what it was when the call was made, whatever becomes of the object meanwhile. */
function keepRequest(call: ClientCall): RpcError | undefined {
  const rare = call.useRare();
  if (call.plan.streamsInput || rare.requestBytes !== undefined) return undefined;
  try {
    rare.requestBytes = encodeMessage(call.method, "request", call.request);
    return undefined;
  } catch (error) {
    return RpcError.from(error, "internal");
  }
}
