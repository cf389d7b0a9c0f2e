import assert from "node:assert/strict";
import { test } from "node:test";
import type { Writer } from "@pipit/codec";
import type { ByteStream } from "../byte-stream.ts";
import { BulkSend } from "./bulk-send.ts";
import { Output } from "./output.ts";
import { SlabPool } from "./slab-pool.ts";
import { FrameType } from "./wire.ts";

const kibibyte = 1024;

/** A stream that takes everything, or nothing, and notes what is written to it. */
class Sink implements ByteStream {
  readonly peer = { address: "nowhere:1", secure: true, local: true };
  readonly copiesWrites = true;
  readonly writes: number[] = [];
  readonly memory = new Set<ArrayBufferLike>();
  unsentBytes = 0;
  takesNothing = false;

  write(bytes: Uint8Array): boolean {
    return this.writeAll([bytes]);
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    for (const { buffer } of parts) this.memory.add(buffer);
    this.writes.push(size);
    if (this.takesNothing) this.unsentBytes += size;
    return !this.takesNothing;
  }

  start(): void {}
  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

/** An output on such a stream, flushed at the end of each turn. */
class Bench {
  readonly sink = new Sink();
  onFlush = (): void => {};
  onFlushed = (): void => {};
  readonly output: Output = new Output(new SlabPool(), {
    scheduleFlush: () => process.nextTick(() => this.output.flush()),
    onFlush: () => {
      this.onFlush();
      return false;
    },
    onFlushed: () => this.onFlushed(),
    onRoom: () => undefined,
    nowMs: () => 0,
  });

  constructor() {
    this.output.attach(this.sink);
  }

  /** Writes an item of so many bytes, as a session does. */
  item(bytes: number): void {
    const { output } = this;
    const start = output.begin(FrameType.item, 0, bytes);
    output.writer.pos += bytes;
    output.end(start);
    output.countItem(bytes);
    output.relieve();
  }

  drain(): void {
    this.sink.takesNothing = false;
    this.sink.unsentBytes = 0;
    this.output.onDrain();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("where nothing small is about, items of one turn leave at first soon, then in parts of 1 MiB", async () => {
  const bench = new Bench();
  for (let i = 0; i < 60; i++) bench.item(64 * kibibyte);
  await turn();
  const inKibibytes = bench.sink.writes.map((size) => Math.floor(size / kibibyte));
  assert.deepEqual(inKibibytes.slice(0, 3), [64, 1024, 1024]);
});

test("beside small messages each item of 64 KiB leaves by itself", async () => {
  const bench = new Bench();
  bench.item(64 * kibibyte);
  for (let i = 0; i < 60; i++) {
    bench.output.countSmall();
    bench.item(64 * kibibyte);
  }
  await turn();
  assert.ok(Math.max(...bench.sink.writes) < 65 * kibibyte, `${Math.max(...bench.sink.writes)} bytes`);
});

test("where nothing small is about, the first part of a long message leaves by itself, then 1 MiB at a time", async () => {
  const bench = new Bench();
  bench.output.sendBulk(new BulkSend(1, new Uint8Array(2 * 1024 * kibibyte), undefined, () => undefined));
  await turn();
  const inKibibytes = bench.sink.writes.map((size) => Math.floor(size / kibibyte));
  assert.deepEqual(inKibibytes, [64, 1028, 955]);
});

test("frames that were to lead a long message leave without it where it is dropped in the last moment", async () => {
  const bench = new Bench();
  const bulk = new BulkSend(1, new Uint8Array(100 * kibibyte), undefined, () => undefined);
  bench.output.end(bench.output.begin(FrameType.request, 0));
  bench.output.sendBulk(bulk);
  bench.onFlush = () => bench.output.dropBulk(bulk);
  await turn();
  assert.deepEqual(bench.sink.writes, [9]);
});

test("what is written by those who are told that frames have left goes behind these, however much it is", async () => {
  for (const size of [100, 60 * kibibyte]) {
    const bench = new Bench();
    const { output } = bench;
    const write = (bytes: number): void => {
      const start = output.begin(FrameType.request, 0, bytes);
      output.writer.pos += bytes;
      output.end(start);
    };
    bench.onFlushed = () => {
      bench.onFlushed = () => undefined;
      write(70 * kibibyte);
      output.relieveCalls();
      output.relieve();
    };
    write(size);
    await turn();
    assert.deepEqual(bench.sink.writes, [size + 9, 70 * kibibyte + 9]);
  }
});

test("a flush while a message is encoded sends nothing of its frame, which leaves whole, with what was written inside it", async () => {
  const bench = new Bench();
  const { output } = bench;
  const start = output.begin(FrameType.reply, 0);
  const encodeTo = (writer: Writer): void => {
    output.end(output.begin(FrameType.error, 1));
    output.flush();
    assert.deepEqual(bench.sink.writes, []);
    writer.pos += 10;
  };
  output.encode({ encodeTo }, undefined);
  output.end(start);
  await turn();
  assert.deepEqual(bench.sink.writes, [9 + 10 + 9]);
});

test("what the socket did not take at once is written into again after it has", async () => {
  const bench = new Bench();
  bench.sink.takesNothing = true;
  bench.item(64 * kibibyte);
  await turn();
  assert.equal(bench.sink.memory.size, 1);
  bench.drain();
  bench.item(64 * kibibyte);
  await turn();
  assert.equal(bench.sink.writes.length, 2);
  assert.equal(bench.sink.memory.size, 1);
});

test("an answer that need not hurry leaves with what those send who waited for what was read", async () => {
  const bench = new Bench();
  const { output } = bench;
  const waiter = Promise.resolve()
    .then(() => undefined)
    .then(() => output.end(output.begin(FrameType.request, 1)));
  output.endLate(output.begin(FrameType.pong, 0));
  await waiter;
  await turn();
  assert.deepEqual(bench.sink.writes, [18]);
  output.endLate(output.begin(FrameType.pong, 0));
  await turn();
  assert.deepEqual(bench.sink.writes, [18, 9]);
});
