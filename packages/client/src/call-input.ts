import { isRpcError, RpcError } from "@pipit/protocol";
import type { ClientCall } from "./client-call.ts";
import type { InputSink } from "./input-pump.ts";
import { watchSilence } from "./stream-timer.ts";

/** Where the requests of a call go that streams them: its present sending. */
export class CallInput implements InputSink {
  readonly #call: ClientCall;

  constructor(call: ClientCall) {
    this.#call = call;
  }

  get writable(): boolean {
    const { state, stream } = this.#call;
    return state === "sent" && stream?.writable === true;
  }

  send(item: unknown): void {
    this.#call.stream?.send(item);
  }

  onInputEnd(): void {
    const call = this.#call;
    const rare = call.useRare();
    rare.inputEnded = true;
    call.stream?.endInput();
    if (!call.plan.streamsOutput && rare.watchesSilence) watchSilence(call);
  }

  onInputError(error: unknown): void {
    // An item that does not encode says what is wrong with it; anything else came from the caller's own iterable.
    const encoding = isRpcError(error) && error.code === "invalid_argument";
    this.#call.cancel(encoding ? error : new RpcError("cancelled", "The stream of requests threw", { cause: error }));
  }
}
