import { copyOf } from "./bytes.ts";
import type { Output } from "./output.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { FrameType, pingBytes } from "./wire.ts";

/** Asks the peer for a sign of life, and gives it ours. */
export class Pings {
  readonly #output: Output;
  /** The last ping that came while the peer was behind with reading. */
  #owed: Uint8Array | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Sends a ping. Its pong begins with `kind` again. */
  send(kind: number): void {
    const output = this.#output;
    const start = output.begin(FrameType.ping, 0);
    const { writer } = output;
    writer.bytes.fill(0, writer.pos, writer.pos + pingBytes);
    writer.bytes[writer.pos] = kind;
    writer.pos += pingBytes;
    output.end(start);
  }

  /** Answers the ping at `bytes[from … end)`. @throws ProtocolFault */
  answer(bytes: Uint8Array, from: number, end: number): void {
    if (end - from !== pingBytes) throw new ProtocolFault(`Ping of ${end - from} bytes, expected ${pingBytes}`);
    const output = this.#output;
    // A peer that asks and does not read gets no answers piled up for it, but the last one when it reads.
    if (output.behind) {
      this.#owed = copyOf(bytes, from, end);
      return;
    }
    const start = output.begin(FrameType.pong, 0);
    const { writer } = output;
    writer.bytes.set(bytes.subarray(from, end), writer.pos);
    writer.pos += pingBytes;
    output.endLate(start);
  }

  /** The peer reads again. */
  onRoom(): void {
    const owed = this.#owed;
    if (owed === undefined) return;
    this.#owed = undefined;
    this.answer(owed, 0, pingBytes);
  }
}
