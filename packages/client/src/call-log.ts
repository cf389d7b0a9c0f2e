import type { AttemptRecord, CallDecision, CallRecord, Handled, Method, RpcError } from "@pipit/protocol";

/** What a call notes of its way: kept small while all goes well, told in full when it fails or somebody asks. */
export class CallLog {
  readonly attempts: AttemptRecord[] = [];
  readonly decisions: CallDecision[] = [];
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

  decided(decision: CallDecision): void {
    this.decisions.push(decision);
  }

  record(method: Method, target: string, elapsedMs: number): CallRecord {
    const { decisions } = this;
    // A hedge and what it hedges end in any order.
    const attempts = this.attempts.sort((a, b) => a.startedAtMs - b.startedAtMs);
    const { service, name } = method;
    return { service, method: name, target, elapsedMs, waitedMs: this.#waitedMs, attempts, decisions };
  }
}

/** The part of an attempt's record that its failure tells. */
export function failureFields(error: RpcError, handled: Handled): Pick<AttemptRecord, "code" | "message" | "handled"> {
  return { code: error.code, message: error.message, handled };
}
