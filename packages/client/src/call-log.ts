import type { AttemptRecord, CallRecord, Handled, Method, RpcError } from "@pipit/protocol";

/** What a call notes of its way: kept small while all goes well, told in full when it fails or somebody asks. */
export class CallLog {
  readonly attempts: AttemptRecord[] = [];
  #waitedMs = 0;
  #handled: Handled = "no";

  /** The worst that is known over all attempts. */
  get handled(): Handled {
    return this.#handled;
  }

  waited(ms: number): void {
    this.#waitedMs += ms;
  }

  attempt(record: AttemptRecord): void {
    this.attempts.push(record);
    const handled = record.handled ?? "yes";
    if (handled === "yes" || (handled === "maybe" && this.#handled === "no")) this.#handled = handled;
  }

  record(method: Method, target: string, elapsedMs: number): CallRecord {
    const { attempts } = this;
    return { service: method.service, method: method.name, target, elapsedMs, waitedMs: this.#waitedMs, attempts };
  }
}

/** The part of an attempt's record that its failure tells. */
export function failureFields(error: RpcError, handled: Handled): Pick<AttemptRecord, "code" | "message" | "handled"> {
  return { code: error.code, message: error.message, handled };
}
