import { Writer } from "@pipit/codec";
import type { ByteStream } from "../byte-stream.ts";
import { chunkBytes, countedHeadBytes, FrameType, frameHeadBytes } from "./wire.ts";

/** Slab that a turn's frames are written into; one is enough for hundreds of small calls. */
const slabBytes = 64 * 1024;

/** Slabs kept between turns, shared by all connections of a transport: a connection holds none while it is quiet. */
const keptSlabs = 4;

/** A slab that has grown past this is not kept. */
const maxKeptBytes = 4 * slabBytes;

/** Parts of long messages enter the socket only while it holds less than this, so that a small frame is soon through. */
const maxUnsentBytes = 128 * 1024;

/** What encodes a message: a codec. */
export interface MessageEncoder {
  encodeTo(writer: Writer, message: unknown): void;
}

/** Parts that one long message may send in one write. */
const maxPartsAtOnce = 4;

/** Hands out slabs and takes them back. */
export class SlabPool {
  readonly #slabs: Writer[] = [];

  take(): Writer {
    return this.#slabs.pop() ?? new Writer(slabBytes);
  }

  give(slab: Writer): void {
    slab.pos = 0;
    if (this.#slabs.length < keptSlabs && slab.bytes.length <= maxKeptBytes) this.#slabs.push(slab);
  }
}

/** A long message on its way out, in parts. */
export class BulkSend {
  readonly streamId: number;
  readonly body: Uint8Array;
  sent = 0;
  /** Runs when the last part is in the socket: what must follow on the stream. */
  readonly done: () => void;

  constructor(streamId: number, body: Uint8Array, done: () => void) {
    this.streamId = streamId;
    this.body = body;
    this.done = done;
  }
}

/** What the output asks of its session. */
export interface OutputHost {
  /** Something waits: call {@link Output.flush} at the end of this turn. */
  scheduleFlush(): void;
  /** These bytes, all frames since the last time, now go to the socket. Whether they are needed later: then they are kept. */
  onFlush(bytes: Uint8Array): boolean;
  /** The socket has room again. */
  onRoom(): void;
}

/**
 * Everything a connection sends. Small frames are written straight into a slab and leave together, once per turn; parts
 * of long messages follow, in turn, only while the socket is nearly empty.
 *
 * A message's encoding may run the caller's code (getters), and that may make a call on this very connection. So each
 * level of encoding has a writer of its own; what an inner level wrote follows the frame of the outer one.
 */
export class Output {
  readonly #pool: SlabPool;
  readonly #host: OutputHost;
  readonly #inner: Writer[] = [];
  readonly #bulk: BulkSend[] = [];
  #stream: ByteStream | undefined;
  #writer: Writer | undefined;
  #depth = 0;
  #nextBulk = 0;
  #scheduled = false;
  #waitsForRoom = false;

  constructor(pool: SlabPool, host: OutputHost) {
    this.#pool = pool;
    this.#host = host;
  }

  /** Where frames are written. Ask again after each message: encoding may replace it. */
  get writer(): Writer {
    if (this.#depth > 0) return (this.#inner[this.#depth - 1] ??= new Writer());
    return (this.#writer ??= this.#pool.take());
  }

  /** Whether frames written now stand in the slab, whose next flush is {@link OutputHost.onFlush}, and not inside another's encoding. */
  get direct(): boolean {
    return this.#depth === 0;
  }

  /** Whether producers of items should wait: the socket is behind. Then {@link OutputHost.onRoom} follows. */
  get full(): boolean {
    if (this.#stream === undefined || this.#stream.unsentBytes <= maxUnsentBytes) return false;
    this.#waitsForRoom = true;
    return true;
  }

  /** From here on frames leave; what was written before leaves first. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
    if (!this.#scheduled && (this.#writer !== undefined || this.#bulk.length > 0)) this.#schedule();
  }

  /** Starts a frame and returns its place, for {@link end} or {@link undo}. Reserves `room` bytes for what follows its head. */
  begin(type: number, streamId: number, room = 32): number {
    const { writer } = this;
    writer.reserve(frameHeadBytes + room);
    const { bytes, pos } = writer;
    bytes[pos + 4] = type;
    bytes[pos + 5] = streamId;
    bytes[pos + 6] = streamId >>> 8;
    bytes[pos + 7] = streamId >>> 16;
    bytes[pos + 8] = streamId >>> 24;
    writer.pos = pos + frameHeadBytes;
    return pos;
  }

  /** Completes the frame begun at `start`. */
  end(start: number): void {
    const { bytes, pos } = this.writer;
    const length = pos - start - 4;
    bytes[start] = length;
    bytes[start + 1] = length >>> 8;
    bytes[start + 2] = length >>> 16;
    bytes[start + 3] = length >>> 24;
    if (this.#inner.length > 0) this.#appendInner();
    if (!this.#scheduled) this.#schedule();
  }

  /** Takes the frame begun at `start` back. */
  undo(start: number): void {
    this.writer.pos = start;
    if (this.#inner.length > 0) this.#appendInner();
  }

  /** Appends bytes that are whole frames, or the preface. */
  append(bytes: Uint8Array): void {
    const { writer } = this;
    writer.reserve(bytes.length);
    writer.bytes.set(bytes, writer.pos);
    writer.pos += bytes.length;
    if (!this.#scheduled) this.#schedule();
  }

  /** Encodes a message at the writer's position. @throws what the codec throws; the writer is back where it was */
  encode(codec: MessageEncoder, message: unknown): void {
    const { writer } = this;
    this.#depth++;
    try {
      codec.encodeTo(writer, message);
    } finally {
      this.#depth--;
    }
  }

  /**
   * Takes what was written from `bodyStart` on out of the frames, without copying it: a message too long for one frame.
   */
  takeBody(bodyStart: number): Uint8Array {
    const { writer } = this;
    if (!this.direct) {
      const copy = writer.bytes.slice(bodyStart, writer.pos);
      writer.pos = bodyStart;
      return copy;
    }
    const body = writer.bytes.subarray(bodyStart, writer.pos);
    const fresh = this.#pool.take();
    fresh.reserve(bodyStart);
    fresh.bytes.set(writer.bytes.subarray(0, bodyStart));
    fresh.pos = bodyStart;
    this.#writer = fresh;
    return body;
  }

  /** Sends `body` in chunk frames, fairly beside other long messages. */
  sendBulk(bulk: BulkSend): void {
    this.#bulk.push(bulk);
    if (!this.#scheduled) this.#schedule();
  }

  /** Sends no more of it: the stream has ended. */
  dropBulk(bulk: BulkSend): void {
    const index = this.#bulk.indexOf(bulk);
    if (index >= 0) this.#bulk.splice(index, 1);
  }

  /** Hands everything to the socket. */
  flush(): void {
    this.#scheduled = false;
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#flushSlab(stream);
    if (this.#bulk.length > 0) this.#pump(stream);
  }

  /** The socket is empty again. */
  onDrain(): void {
    if (this.#stream !== undefined && this.#bulk.length > 0) this.#pump(this.#stream);
    if (this.#waitsForRoom && !this.full) {
      this.#waitsForRoom = false;
      this.#host.onRoom();
    }
  }

  /** Forgets everything; what was not flushed stays readable by those who kept it. */
  close(): Uint8Array {
    const unsent = this.#writer === undefined ? new Uint8Array(0) : this.#writer.take();
    if (this.#writer !== undefined) this.#pool.give(this.#writer);
    this.#writer = undefined;
    this.#bulk.length = 0;
    this.#scheduled = true;
    this.#stream = undefined;
    return unsent;
  }

  #flushSlab(stream: ByteStream): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    if (writer.pos === 0) return this.#pool.give(writer);
    // A right-sized copy costs nothing measurable and lets the slab serve the next connection. A full slab is written as it
    // is, and lost, unless the socket has taken everything at once.
    if (writer.pos <= slabBytes / 2) {
      const bytes = writer.take();
      this.#pool.give(writer);
      this.#host.onFlush(bytes);
      stream.write(bytes);
      return;
    }
    const bytes = writer.bytes.subarray(0, writer.pos);
    const kept = this.#host.onFlush(bytes);
    stream.write(bytes);
    if (!kept && stream.copiesWrites === true && stream.unsentBytes === 0) this.#pool.give(writer);
  }

  #pump(stream: ByteStream): void {
    while (this.#bulk.length > 0 && stream.unsentBytes < maxUnsentBytes) {
      this.#nextBulk = this.#nextBulk >= this.#bulk.length ? 0 : this.#nextBulk;
      const bulk = this.#bulk[this.#nextBulk];
      if (bulk === undefined) return;
      // Alone it may send a few parts at once, which saves calls of the system; beside others it takes turns.
      stream.writeAll(nextParts(bulk, this.#bulk.length === 1 ? maxPartsAtOnce : 1));
      if (bulk.sent < bulk.body.length) this.#nextBulk++;
      else {
        this.#bulk.splice(this.#nextBulk, 1);
        bulk.done();
        // What `done` wrote belongs behind this part and ahead of others.
        this.#flushSlab(stream);
      }
    }
  }

  #appendInner(): void {
    const inner = this.#inner[this.#depth];
    if (inner === undefined || inner.pos === 0) return;
    const { writer } = this;
    writer.reserve(inner.pos);
    writer.bytes.set(inner.bytes.subarray(0, inner.pos), writer.pos);
    writer.pos += inner.pos;
    inner.pos = 0;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#host.scheduleFlush();
  }
}

function nextParts(bulk: BulkSend, most: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < most && bulk.sent < bulk.body.length; i++) {
    const part = bulk.body.subarray(bulk.sent, bulk.sent + chunkBytes);
    bulk.sent += part.length;
    parts.push(chunkHead(bulk.streamId, part.length), part);
  }
  return parts;
}

function chunkHead(streamId: number, length: number): Uint8Array {
  const head = new Uint8Array(frameHeadBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, countedHeadBytes + length, true);
  view.setUint8(4, FrameType.chunk);
  view.setUint32(5, streamId, true);
  return head;
}
