import { type CallOptions, type Items, ItemStream } from "@pipit/protocol";
import { CallInput } from "./call-input.ts";
import type { CallPlan } from "./call-plan.ts";
import { ClientCall } from "./client-call.ts";
import type { ClientCore } from "./client-core.ts";
import { InputPump } from "./input-pump.ts";

/** A call that has not begun. @throws TypeError or RangeError for an argument that makes no sense */
export function prepare(
  core: ClientCore,
  plan: CallPlan,
  request: unknown,
  options: CallOptions | undefined,
): ClientCall {
  const call = new ClientCall(core, plan, request, options);
  if (plan.streamsInput) call.input = new InputPump(request as Items<unknown>, new CallInput(call));
  return call;
}

/** Begins a call with one reply. */
export function startUnary(call: ClientCall): Promise<unknown> {
  const promise = new Promise<unknown>((resolve, reject) => {
    call.resolve = resolve;
    call.reject = reject;
  });
  call.begin();
  return promise;
}

/** Prepares a call with a stream of replies: it begins with the first one asked for. */
export function startStream(
  core: ClientCore,
  plan: CallPlan,
  request: unknown,
  options: CallOptions | undefined,
): { readonly replies: ItemStream<unknown>; readonly started: () => ClientCall | undefined } {
  let call: ClientCall | undefined;
  const replies: ItemStream<unknown> = new ItemStream<unknown>({
    onStarted() {
      call = prepare(core, plan, request, options);
      call.items = replies;
      call.begin();
    },
    onConsumed: (bytes) => call?.release(bytes),
    onLeft: () => call?.leave(),
  });
  return { replies, started: () => call };
}
