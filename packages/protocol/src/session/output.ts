import { Writer } from "@pipit/codec";
import type { ByteStream } from "../byte-stream.ts";
import { type BulkSend, nextParts } from "./bulk-send.ts";
import { copyOf } from "./bytes.ts";
import { LentSlabs } from "./lent-slabs.ts";
import { mostAtOnceAlone, Pace } from "./pace.ts";
import { markFrame } from "./pace-mark.ts";
import { type SlabPool, slabBytes } from "./slab-pool.ts";
import { chunkBytes, frameHeadBytes } from "./wire.ts";

/**
 * Items past which a turn's output leaves before the turn ends: the peer works on them meanwhile. Where nothing small is about the first part
 * is so long, and those that follow in the turn are larger: a call of the system that sends much costs little more than one that sends little.
 */
const firstReliefBytes = slabBytes;

/**
 * Frames of calls past which the first part of a turn's output leaves before the turn ends. Both ends work at once then, where a
 * turn in one piece has each of them wait for the other.
 */
const firstPartBytes = 2048;

/** How many times as long each next part is: the peer has work by then, and each write costs as much as some calls. However long the turn, few do. */
const partGrowth = 4;

/** Parts of long messages enter the socket only while it holds less than this, so that a small frame is soon through. */
const maxUnsentBytes = 128 * 1024;

/** What encodes a message: a codec. */
export interface MessageEncoder {
  encodeTo(writer: Writer, message: unknown): void;
}

const settled = Promise.resolve();

/** What the output asks of its session. */
export interface OutputHost {
  /** Something waits: call {@link Output.flush} at the end of this turn. */
  scheduleFlush(): void;
  /** These bytes, all frames since the last time, now go to the socket. Whether they are needed later: then they are kept. */
  onFlush(bytes: Uint8Array): boolean;
  /** They went. Only now may anybody else hear of it, who might end the connection. */
  onFlushed(): void;
  /** The socket, or the path, has room again. */
  onRoom(): void;
  /** The time. Asked once for many parts of long messages. */
  nowMs(): number;
}

/**
 * Everything a connection sends. Small frames are written straight into a slab and leave together, once per turn; parts
 * of long messages follow, in turn, only while the socket is nearly empty and little of them is on the way.
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
  /** Made with the first bulk: most connections have none. */
  #pace: Pace | undefined;
  #writer: Writer | undefined;
  #depth = 0;
  #nextBulk = 0;
  /** When the next part of this turn leaves: calls, items. */
  #partBytes = firstPartBytes;
  #reliefBytes = firstReliefBytes;
  /** Made with the first slab that does not come back at once. */
  #lent: LentSlabs | undefined;
  #scheduled = false;
  #waitsForRoom = false;

  constructor(pool: SlabPool, host: OutputHost) {
    this.#pool = pool;
    this.#host = host;
  }

  /** Where frames are written. Ask again after each message: encoding may replace it. */
  get writer(): Writer {
    const writer = this.#writer;
    return writer !== undefined && this.#depth === 0 ? writer : this.#otherWriter();
  }

  #otherWriter(): Writer {
    if (this.#depth > 0) return (this.#inner[this.#depth - 1] ??= new Writer());
    return (this.#writer ??= this.#takeSlab());
  }

  /** Whether frames written now stand in the slab, whose next flush is {@link OutputHost.onFlush}, and not inside another's encoding. */
  get direct(): boolean {
    return this.#depth === 0;
  }

  /** Whether the socket is behind. Then {@link OutputHost.onRoom} follows. */
  get behind(): boolean {
    if (this.#stream === undefined || this.#stream.unsentBytes <= maxUnsentBytes) return false;
    this.#waitsForRoom = true;
    return true;
  }

  /** Whether producers of items should wait: the socket is behind, or enough is on the way. Then {@link OutputHost.onRoom} follows. */
  get full(): boolean {
    if (this.behind) return true;
    if (this.#pace === undefined || this.#pace.roomBytes > 0) return false;
    this.#waitsForRoom = true;
    return true;
  }

  /** A request or reply of one frame was written. */
  countSmall(): void {
    if (this.#pace !== undefined) this.#countSmall(this.#pace);
  }

  #countSmall(pace: Pace): void {
    pace.small();
    this.#markBehind(pace);
  }

  /** An item of so many bytes was written. */
  countItem(bytes: number): void {
    const pace = (this.#pace ??= new Pace());
    pace.sent(bytes, this.#host);
    this.#markBehind(pace);
  }

  /** The peer has read everything ahead of a mark. */
  onMark(number: number, nowMs: number): void {
    const pace = this.#pace;
    if (pace === undefined) return;
    pace.returned(number, nowMs);
    this.#markBehind(pace);
    if (this.#bulk.length > 0 && !this.#scheduled) this.#schedule();
    this.#offerRoom();
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
    const { pos } = writer;
    writer.bytes[pos + 4] = type;
    writer.view.setUint32(pos + 5, streamId, true);
    writer.pos = pos + frameHeadBytes;
    return pos;
  }

  /** Completes the frame begun at `start`. */
  end(start: number): void {
    this.#complete(start);
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * Completes a frame that answers what has just been read: it leaves when everybody who waited for that has had a turn, together with
   * what they send. By itself it would wake the peer for nothing more.
   */
  endLate(start: number): void {
    this.#complete(start);
    if (this.#scheduled) return;
    void settled.then(() => {
      if (!this.#scheduled) this.#schedule();
    });
  }

  #complete(start: number): void {
    const { view, pos } = this.writer;
    view.setUint32(start, pos - start - 4, true);
    if (this.#inner.length > 0) this.#appendInner();
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
    if (bulk.writer === undefined || bulk.sent < bulk.body.length || stream === undefined) return;
    this.#giveWritten(bulk.writer, stream, false);
  }

  /** Frames are complete: many of them leave now, and not at the end of a turn that may still write more. */
  relieve(): void {
    const stream = this.#stream;
    const writer = this.#writer;
    if (writer === undefined || writer.pos < firstReliefBytes || this.#depth > 0 || stream === undefined) return;
    const isAlone = this.#pace?.isAlone === true;
    if (isAlone && writer.pos < this.#reliefBytes) return;
    this.#flushSlab(stream);
    // Where the stream keeps what is written to it, large slabs would not come back.
    this.#reliefBytes = isAlone && stream.copiesWrites === true ? mostAtOnceAlone : firstReliefBytes;
  }

  /** Calls are complete, and more may follow in this turn: what there is leaves where that is a part's worth, and the socket keeps up. */
  relieveCalls(): void {
    if (this.#writer !== undefined && this.#writer.pos >= this.#partBytes) this.#sendPart();
  }

  #sendPart(): void {
    const stream = this.#stream;
    if (this.#depth > 0 || stream === undefined || stream.unsentBytes > 0) return;
    this.#partBytes *= partGrowth;
    this.#flushSlab(stream);
  }

  /** Hands everything to the socket. */
  flush(): void {
    // A getter of the message that is being encoded ends the connection: half a frame must not leave, nor its slab while it is written into.
    if (this.#depth > 0) return;
    this.#scheduled = false;
    this.#partBytes = firstPartBytes;
    this.#reliefBytes = firstReliefBytes;
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#bulk.length === 0) return this.#flushSlab(stream);
    // The head of a long message leaves in one call of the system with its first parts.
    const lead = this.#takesBulk(stream) ? this.#takeFew() : undefined;
    if (lead === undefined) this.#flushSlab(stream);
    this.#pump(stream, lead);
    if (lead !== undefined) this.#host.onFlushed();
  }

  /** The socket is empty again. */
  onDrain(): void {
    this.#lent?.giveTo(this.#pool);
    if (this.#stream !== undefined && this.#bulk.length > 0) this.#pump(this.#stream);
    this.#offerRoom();
  }

  /** Forgets everything; what was not flushed stays readable by those who kept it. */
  close(): Uint8Array {
    const unsent = this.#writer === undefined ? new Uint8Array(0) : this.#writer.take();
    // A message that is being encoded still writes into it.
    if (this.#writer !== undefined && this.direct) this.#pool.give(this.#writer);
    this.#writer = undefined;
    this.#bulk.length = 0;
    this.#lent = undefined;
    this.#scheduled = true;
    this.#stream = undefined;
    return unsent;
  }

  #markBehind(pace: Pace): void {
    if (pace.isMarkDue) this.append(markFrame(pace.mark(this.#host.nowMs())));
  }

  #offerRoom(): void {
    if (!this.#waitsForRoom || this.full) return;
    this.#waitsForRoom = false;
    this.#host.onRoom();
  }

  #takesBulk(stream: ByteStream): boolean {
    return stream.unsentBytes < maxUnsentBytes && (this.#pace === undefined || this.#pace.roomBytes > 0);
  }

  #flushSlab(stream: ByteStream): void {
    const few = this.#takeFew();
    if (few !== undefined) {
      stream.write(few);
      return this.#host.onFlushed();
    }
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    if (writer.pos === 0) return this.#pool.give(writer);
    // A full slab is written as it is, and lost, unless the socket has taken everything at once.
    const bytes = writer.bytes.subarray(0, writer.pos);
    const kept = this.#host.onFlush(bytes);
    const drains = !stream.write(bytes);
    if (!kept) this.#giveWritten(writer, stream, drains);
    this.#host.onFlushed();
  }

  /** Gives back what was handed to `stream`: now, or when it `drains`; where neither is known, the collector takes it. */
  #giveWritten(slab: Writer, stream: ByteStream, drains: boolean): void {
    if (stream.copiesWrites !== true) return;
    if (stream.unsentBytes === 0) this.#pool.give(slab);
    else if (drains) (this.#lent ??= new LentSlabs()).add(slab);
  }

  /** A slab for what this turn still writes. */
  #takeSlab(): Writer {
    return this.#reliefBytes === firstReliefBytes ? this.#pool.take() : this.#pool.takeLarge();
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

  /** Sends parts of long messages while the socket is nearly empty and the path has room, behind `lead`. */
  #pump(stream: ByteStream, lead?: Uint8Array): void {
    const pace = (this.#pace ??= new Pace());
    let first = lead;
    while (this.#bulk.length > 0 && this.#takesBulk(stream)) {
      this.#nextBulk = this.#nextBulk >= this.#bulk.length ? 0 : this.#nextBulk;
      const bulk = this.#bulk[this.#nextBulk];
      if (bulk === undefined) return;
      // Alone it may send many parts at once, which saves calls of the system; beside others it takes turns. Its first part leaves by
      // itself: the peer is awake then while the others are being written, and takes them from the kernel at once.
      const most =
        this.#bulk.length === 1 && bulk.sent > 0
          ? Math.ceil(Math.min(pace.mostAtOnceBytes, pace.roomBytes) / chunkBytes)
          : 1;
      const before = bulk.sent;
      const parts = nextParts(bulk, most);
      pace.sent(bulk.sent - before, this.#host);
      if (pace.isMarkDue) parts.push(markFrame(pace.mark(this.#host.nowMs())));
      if (first !== undefined) parts.unshift(first);
      first = undefined;
      const drains = !stream.writeAll(parts);
      if (bulk.sent < bulk.body.length) this.#nextBulk++;
      else {
        this.#bulk.splice(this.#nextBulk, 1);
        if (!bulk.kept && bulk.writer !== undefined) this.#giveWritten(bulk.writer, stream, drains);
        bulk.done();
        // What `done` wrote belongs behind this part and ahead of others.
        this.#flushSlab(stream);
      }
    }
    // Who was told of it has dropped the one long message that was to follow.
    if (first !== undefined) stream.write(first);
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
