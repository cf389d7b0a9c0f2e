import { setTimeout as sleep } from "node:timers/promises";
import { type Interceptor, RpcError } from "pipit";
import { type Fault, Process } from "../contracts/index.ts";

/** Plays faults on a server, as told by `demo.Process`, which is spared itself. */
export class FaultPlayer {
  fault: Fault = { type: "none", value: {} };
  #calls = 0;

  readonly interceptor: Interceptor = async (request, next) => {
    if (request.method.service === Process.name) return next(request);
    const { fault } = this;
    switch (fault.type) {
      case "none":
        return next(request);
      case "slow":
        await sleep(fault.value.delayMs, undefined, { signal: request.signal }).catch(() => {});
        return next(request);
      case "failing":
        // Evenly spread, with no dice: of 4 calls at a share of 0.25 the fourth fails.
        if (Math.floor(++this.#calls * fault.value.share) > Math.floor((this.#calls - 1) * fault.value.share)) {
          throw new RpcError("unavailable", "This instance was told to fail");
        }
        return next(request);
      default:
        return fault satisfies never;
    }
  };
}
