import type { CallFailure, Metadata, Method, OutgoingCall } from "@pipit/protocol";

/** What happened to a {@link RecordedCall}, in order. */
export type CallEvent =
  | { readonly type: "accepted" }
  | { readonly type: "metadata"; readonly metadata: Metadata }
  | { readonly type: "item"; readonly item: unknown; readonly bytes: number }
  | { readonly type: "writable" }
  | { readonly type: "reply"; readonly reply: unknown; readonly trailers: Metadata | undefined }
  | { readonly type: "failure"; readonly failure: CallFailure };

/** A call straight on a connection, below any client: it writes down what it is told. */
export class RecordedCall implements OutgoingCall {
  readonly method: Method;
  readonly request: unknown;
  requestBytes: Uint8Array | undefined = undefined;
  readonly deadlineMs: number;
  metadata: Metadata | undefined = undefined;
  idempotencyKey: string | undefined = undefined;
  attempt = 1;
  retriesLent = 1;
  criticality: 0 | 1 | 2 = 1;
  traceparent: string | undefined = undefined;
  readonly events: CallEvent[] = [];
  /** Runs on each event, after it was noted. */
  onEvent: (event: CallEvent) => void = () => {};

  constructor(method: Method, request: unknown, deadlineMs: number = Number.POSITIVE_INFINITY) {
    this.method = method;
    this.request = request;
    this.deadlineMs = deadlineMs;
  }

  /** The one end, or undefined while the call is open. @throws Error when there were two */
  get end(): Extract<CallEvent, { type: "reply" | "failure" }> | undefined {
    const ends = this.events.filter((event) => event.type === "reply" || event.type === "failure");
    if (ends.length > 1) throw new Error(`The call ended ${ends.length} times`);
    return ends[0];
  }

  get items(): unknown[] {
    return this.events.flatMap((event) => (event.type === "item" ? [event.item] : []));
  }

  onAccepted(): void {
    this.#note({ type: "accepted" });
  }

  onMetadata(metadata: Metadata): void {
    this.#note({ type: "metadata", metadata });
  }

  onItem(item: unknown, bytes: number): void {
    this.#note({ type: "item", item, bytes });
  }

  onWritable(): void {
    this.#note({ type: "writable" });
  }

  onReply(reply: unknown, trailers: Metadata | undefined): void {
    this.#note({ type: "reply", reply, trailers });
  }

  onFailure(failure: CallFailure): void {
    this.#note({ type: "failure", failure });
  }

  #note(event: CallEvent): void {
    this.events.push(event);
    this.onEvent(event);
  }
}
