import { Writer } from "@pipit/codec";
import type { ByteStream } from "../byte-stream.ts";
import { copyOf } from "./bytes.ts";
import { chunkBytes, countedHeadBytes, FrameType, frameHeadBytes } from "./wire.ts";

/** Slab that a turn's frames are written into; one is enough for hundreds of small calls. */
const slabBytes = 64 * 1024;

/** Slabs kept between turns, shared by all connections of the process: a connection holds none while it is quiet. */
const keptSlabs = 4;

/** A slab that has grown past this is not kept. */
const maxKeptBytes = 4 * slabBytes;

/** Frames past which a turn's output leaves before the turn ends: the peer works on them meanwhile. */
const reliefBytes = slabBytes;

/**
 * Frames of calls past which the first part of a turn's output leaves before the turn ends; each next part is twice as long. Both ends
 * work at once then, where a turn in one piece has each of them wait for the other; and however long the turn, few writes do.
 */
const firstPartBytes = 2048;

/** Memory of long messages kept for the next ones: a page that is touched first costs more than the copy into it. */
const keptLongBytes = 4 * 1024 * 1024;

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
  readonly #long: Writer[] = [];
  #longBytes = 0;

  take(): Writer {
    return this.#slabs.pop() ?? new Writer(slabBytes);
  }

  give(slab: Writer): void {
    slab.pos = 0;
    if (this.#slabs.length < keptSlabs && slab.bytes.length <= maxKeptBytes) this.#slabs.push(slab);
  }

  /** A buffer of its own for one message that is likely to take `size` bytes. */
  takeLong(size: number): Writer {
    const index = this.#long.findIndex(({ bytes }) => bytes.length >= size);
    const [kept] = index < 0 ? [] : this.#long.splice(index, 1);
    if (kept === undefined) return new Writer(size);
    this.#longBytes -= kept.bytes.length;
    return kept;
  }

  /** Nobody reads the buffer any more. */
  giveLong(writer: Writer): void {
    if (this.#longBytes + writer.bytes.length > keptLongBytes) return;
    writer.pos = 0;
    this.#longBytes += writer.bytes.length;
    this.#long.push(writer);
  }
}

/** A long message on its way out, in parts. */
export class BulkSend {
  readonly streamId: number;
  readonly body: Uint8Array;
  sent = 0;
  /** Somebody may read the body again once it is sent. */
  kept = false;
  /** What the body lies in, where that is of use to the next message. */
  readonly writer: Writer | undefined;
  /** Runs when the last part is in the socket: what must follow on the stream. */
  readonly done: () => void;

  constructor(streamId: number, body: Uint8Array, writer: Writer | undefined, done: () => void) {
    this.streamId = streamId;
    this.body = body;
    this.writer = writer;
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
  /** When the next part of this turn leaves. */
  #partBytes = firstPartBytes;
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
   * Encodes a message that is likely to be a long one in a buffer of its own. What a call inside it writes follows the frame
   * that has begun, as ever. @throws what the codec throws
   */
  encodeApart(codec: MessageEncoder, message: unknown, expectedBytes: number): Writer {
    const apart = this.#pool.takeLong(expectedBytes);
    this.#depth++;
    try {
      codec.encodeTo(apart, message);
    } finally {
      this.#depth--;
    }
    return apart;
  }

  /** The buffer of {@link encodeApart} was not needed. */
  dropApart(apart: Writer): void {
    this.#pool.giveLong(apart);
  }

  /**
   * Takes what was written from `bodyStart` on out of the frames, without copying it: a message too long for one frame.
   */
  takeBody(bodyStart: number): Uint8Array {
    const { writer } = this;
    if (!this.direct) {
      const copy = copyOf(writer.bytes, bodyStart, writer.pos);
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

  /** Nobody reads the body of a long message again: its memory serves the next, where the socket is done with it. */
  recycle(bulk: BulkSend): void {
    const stream = this.#stream;
    if (bulk.writer === undefined || bulk.sent < bulk.body.length) return;
    if (stream?.copiesWrites === true && stream.unsentBytes === 0) this.#pool.giveLong(bulk.writer);
  }

  /** Frames are complete: many of them leave now, and not at the end of a turn that may still write more. */
  relieve(): void {
    if (this.#depth > 0 || this.#stream === undefined || this.#writer === undefined) return;
    if (this.#writer.pos >= reliefBytes) this.#flushSlab(this.#stream);
  }

  /** Calls are complete, and more may follow in this turn: what there is leaves where that is a part's worth, and the socket keeps up. */
  relieveCalls(): void {
    const stream = this.#stream;
    if (this.#writer === undefined || this.#writer.pos < this.#partBytes || this.#depth > 0 || stream === undefined)
      return;
    if (stream.unsentBytes > 0) return;
    this.#partBytes *= 2;
    this.#flushSlab(stream);
  }

  /** Hands everything to the socket. */
  flush(): void {
    this.#scheduled = false;
    this.#partBytes = firstPartBytes;
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#bulk.length === 0) return this.#flushSlab(stream);
    // The head of a long message leaves in one call of the system with its first parts.
    const lead = stream.unsentBytes < maxUnsentBytes ? this.#takeFew() : undefined;
    if (lead === undefined) this.#flushSlab(stream);
    this.#pump(stream, lead);
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
    const few = this.#takeFew();
    if (few !== undefined) return void stream.write(few);
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    if (writer.pos === 0) return this.#pool.give(writer);
    // A full slab is written as it is, and lost, unless the socket has taken everything at once.
    const bytes = writer.bytes.subarray(0, writer.pos);
    const kept = this.#host.onFlush(bytes);
    stream.write(bytes);
    if (!kept && stream.copiesWrites === true && stream.unsentBytes === 0) this.#pool.give(writer);
  }

  /** What the slab holds where that is not much: a right-sized copy costs nothing measurable, and frees the slab at once. */
  #takeFew(): Uint8Array | undefined {
    const writer = this.#writer;
    if (writer === undefined || writer.pos === 0 || writer.pos > slabBytes / 2) return undefined;
    this.#writer = undefined;
    const bytes = writer.take();
    this.#pool.give(writer);
    this.#host.onFlush(bytes);
    return bytes;
  }

  /** Sends parts of long messages while the socket is nearly empty, behind `lead`. */
  #pump(stream: ByteStream, lead?: Uint8Array): void {
    let first = lead;
    while (this.#bulk.length > 0 && stream.unsentBytes < maxUnsentBytes) {
      this.#nextBulk = this.#nextBulk >= this.#bulk.length ? 0 : this.#nextBulk;
      const bulk = this.#bulk[this.#nextBulk];
      if (bulk === undefined) return;
      // Alone it may send a few parts at once, which saves calls of the system; beside others it takes turns.
      const parts = nextParts(bulk, this.#bulk.length === 1 ? maxPartsAtOnce : 1);
      if (first !== undefined) parts.unshift(first);
      first = undefined;
      stream.writeAll(parts);
      if (bulk.sent < bulk.body.length) this.#nextBulk++;
      else {
        this.#bulk.splice(this.#nextBulk, 1);
        if (!bulk.kept) this.recycle(bulk);
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
  const { body, streamId } = bulk;
  const count = Math.min(most, Math.ceil((body.length - bulk.sent) / chunkBytes));
  const heads = new Uint8Array(count * frameHeadBytes);
  const view = new DataView(heads.buffer);
  for (let at = 0; at < heads.length; at += frameHeadBytes) {
    const part = body.subarray(bulk.sent, bulk.sent + chunkBytes);
    bulk.sent += part.length;
    view.setUint32(at, countedHeadBytes + part.length, true);
    view.setUint8(at + 4, FrameType.chunk);
    view.setUint32(at + 5, streamId, true);
    parts.push(heads.subarray(at, at + frameHeadBytes), part);
  }
  return parts;
}
