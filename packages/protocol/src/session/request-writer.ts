import type { OutgoingCall } from "../transport.ts";
import { streamsInput } from "./call-shape.ts";
import { copyOf, writeRaw, writeVarint } from "./bytes.ts";
import { type ClientStream, unwritten } from "./client-stream.ts";
import { BulkSend } from "./bulk-send.ts";
import type { Output } from "./output.ts";
import { bulkOf, type FrameStart, isSending, type OutgoingMessages } from "./outgoing-messages.ts";
import { lasting, RequestBatch } from "./request-batch.ts";
import { hasRequestFields, writeRequestFields } from "./request-head.ts";
import { Flag, FrameType } from "./wire.ts";

/** Writes the requests of a connection's calls, and knows where their bytes lie, so that a retry can send the same ones. */
export class RequestWriter {
  readonly #output: Output;
  readonly #outgoing: OutgoingMessages<ClientStream>;
  readonly #clock: { nowMs(): number };
  /** The requests that are written and have not left. */
  #batch: RequestBatch | undefined = undefined;
  #openedCount = 0;
  /** Where the flags of the request begun last stand. */
  #flagsAt = 0;
  #closed = false;

  constructor(output: Output, outgoing: OutgoingMessages<ClientStream>, clock: { nowMs(): number }) {
    this.#output = output;
    this.#outgoing = outgoing;
    this.#clock = clock;
  }

  /**
   * Place that the next call has among those of the connection. Calls made while another's request is encoded (a getter) are given one
   * too low: theirs are behind it on the wire, unless it does not encode after all. What is lost is then said to have run, perhaps, where
   * the server's count tells that it has not; the reverse would have it sent twice.
   */
  get nextOrdinal(): number {
    return this.#openedCount + 1;
  }

  /** Writes a call's request. @throws RpcError when it does not encode or is too long, and nothing is sent */
  write(stream: ClientStream, call: OutgoingCall, nowMs: number): void {
    const output = this.#output;
    const start = this.#begin(stream, call, nowMs);
    const { writer } = output;
    const bodyStart = writer.pos;
    let size = 0;
    const { method, types } = stream.binding;
    const again = method.compress ? this.#later(stream, call) : undefined;
    if (streamsInput(method)) output.end(start);
    else {
      if (call.requestBytes === undefined) {
        size = this.#outgoing.write(stream, start, this.#flagsAt, types.request, call.request, again);
      } else {
        writeRaw(writer, call.requestBytes);
        size = this.#outgoing.finish(stream, start, this.#flagsAt, bodyStart, again);
      }
      if (isSending(stream)) return this.#rememberSending(stream);
      output.countSmall();
    }
    this.#openedCount++;
    this.#remember(stream, bodyStart, bodyStart + size);
  }

  /** Everything written so far goes to the socket, in `bytes`. Gives the requests that are in it. */
  takeBatch(bytes: Uint8Array): RequestBatch | undefined {
    const batch = this.#batch;
    if (batch === undefined) return undefined;
    this.#batch = undefined;
    batch.bytes = bytes;
    batch.isSent = true;
    return batch;
  }

  /** The connection has ended: what was to go to the socket lies in `unsent`. */
  close(unsent: Uint8Array): void {
    this.#closed = true;
    if (this.#batch !== undefined) this.#batch.bytes = unsent;
    this.#batch = undefined;
  }

  /** The call lasts: it keeps its request alone, and not all that left with it. */
  keepAlone(stream: ClientStream): void {
    const { batch } = stream;
    if (batch?.isSent !== true) return;
    if (!streamsInput(stream.binding.method)) stream.apart ??= this.take(stream);
    stream.batch = lasting;
  }

  /** Nobody asks for the request any more, and the server still owes the call's end. */
  forget(stream: ClientStream): void {
    stream.apart = undefined;
    stream.batch = lasting;
  }

  /** The request of a call, as it was encoded. Whoever takes it may keep it. */
  take(stream: ClientStream): Uint8Array | undefined {
    if (stream.apart instanceof BulkSend) stream.apart = stream.apart.body;
    if (stream.apart !== undefined || stream.batch === lasting) return stream.apart;
    const bytes = stream.batch?.bytes ?? (this.#closed ? undefined : this.#output.writer.bytes);
    return bytes && copyOf(bytes, stream.bodyStart, stream.bodyEnd);
  }

  /** Begins a request's frame up to its message, and notes where its flags stand. @throws RpcError when the head does not fit */
  #begin(stream: ClientStream, call: OutgoingCall, nowMs: number): number {
    const output = this.#output;
    const start = output.begin(FrameType.request, stream.id);
    const { writer } = output;
    writeVarint(writer, stream.binding.number);
    const flagsAt = writer.pos;
    let flags: number = streamsInput(stream.binding.method) ? 0 : Flag.message;
    writer.bytes[writer.pos++] = 0;
    if (call.deadlineMs !== Number.POSITIVE_INFINITY) {
      flags |= Flag.deadline;
      writeVarint(writer, Math.max(1, Math.ceil(call.deadlineMs - nowMs)));
    }
    if (hasRequestFields(call)) {
      flags |= Flag.fields;
      this.#writeFields(start, call);
    }
    writer.bytes[flagsAt] = flags;
    this.#flagsAt = flagsAt;
    return start;
  }

  #writeFields(start: number, call: OutgoingCall): void {
    try {
      writeRequestFields(this.#output.writer, call);
    } catch (error) {
      this.#output.undo(start);
      throw error;
    }
  }

  // What makes functions stands apart: a function that makes some takes memory for what they share at each call of its own.

  #later(stream: ClientStream, call: OutgoingCall): () => FrameStart {
    return () => this.#beginPacked(stream, call);
  }

  /** The request is packed: only now is the call opened, in the order of the wire. */
  #beginPacked(stream: ClientStream, call: OutgoingCall): FrameStart {
    const start = this.#begin(stream, call, this.#clock.nowMs());
    stream.ordinal = ++this.#openedCount;
    this.#addToBatch(stream);
    return { start, flagsAt: this.#flagsAt };
  }

  #remember(stream: ClientStream, bodyStart: number, bodyEnd: number): void {
    if (this.#output.direct) {
      stream.bodyStart = bodyStart;
      stream.bodyEnd = bodyEnd;
    } else stream.apart = copyOf(this.#output.writer.bytes, bodyStart, bodyEnd);
    this.#addToBatch(stream);
  }

  /** The request does not lie in its frame: it is on its way in parts, or being packed. */
  #rememberSending(stream: ClientStream): void {
    const bulk = bulkOf(stream);
    if (bulk === undefined) {
      stream.apart = stream.state?.sending?.body;
      stream.ordinal = unwritten;
      return;
    }
    this.#openedCount++;
    bulk.kept = true;
    stream.apart = bulk;
    this.#addToBatch(stream);
  }

  #addToBatch(stream: ClientStream): void {
    const batch = (this.#batch ??= new RequestBatch());
    stream.batch = batch;
    if (stream.binding.method.kind === "oneway") (batch.oneways ??= []).push(stream);
  }
}

/**
 * Whether a call may have run whose connection is lost, of which the peer has said that it took `acceptedCount` calls: not if it
 * never left the slab, was not taken, or a part of its request is missing, so that it cannot have reached a handler.
 */
export function handledWhenLost(stream: ClientStream, acceptedCount: number): "no" | "maybe" {
  const bulk = bulkOf(stream);
  if (stream.batch?.isSent !== true && bulk === undefined) return "no";
  if (stream.ordinal > acceptedCount) return "no";
  const isWhole = bulk === undefined || bulk.sent === bulk.body.length;
  return isWhole || streamsInput(stream.binding.method) ? "maybe" : "no";
}
