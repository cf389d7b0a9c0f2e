import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes } from "@pipit/codec";
import {
  bidi,
  clientStream,
  type IncomingCall,
  type IncomingHandler,
  type OutgoingStream,
  RpcError,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { bindAny, clientPreface, frame, framesOf, rawClient } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";
import { wirePair } from "../support/wire-pair.ts";

/* How much flows, and how much waits: credit, windows, long messages. */

const Flow = service("flow.Flow", {
  echo: unary(bytes, bytes),
  produce: serverStream(bytes, bytes),
  collect: clientStream(bytes, bytes),
  any: bidi(),
});

const itemBytes = 65_536;
const mebibyte = 1024 * 1024;

/** Sends items for as long as there is room; counts the bytes. */
class Producer implements IncomingHandler {
  sentBytes = 0;
  readonly #call: IncomingCall;
  readonly #item = new Uint8Array(itemBytes).fill(7);
  readonly #mostBytes: number;

  constructor(call: IncomingCall, mostBytes = Number.POSITIVE_INFINITY) {
    this.#call = call;
    this.#mostBytes = mostBytes;
    call.accept();
    call.handler = this;
    this.onWritable();
  }

  onWritable(): void {
    while (this.#call.open && this.#call.writable) {
      if (this.sentBytes >= this.#mostBytes) return this.#call.end(undefined, 1);
      this.#call.send(this.#item);
      this.sentBytes += itemBytes;
    }
  }

  onItem(): void {}
  onInputEnd(): void {}
  onCancel(): void {}
}

function repliesWith({ end }: RecordedCall, blob: Uint8Array): boolean {
  return end?.type === "reply" && Buffer.from(blob).equals(end.reply as Uint8Array);
}

test("one stream fills a path of 50 ms and 100 MB/s to 80 %", async () => {
  const bytesPerSecond = 100_000_000;
  const pair = await wirePair({
    contract: Flow,
    latencyMs: 25,
    bytesPerSecond,
    onCall: (call) => void new Producer(call),
  });
  const call = new RecordedCall(Flow.methods.produce, new Uint8Array(0));
  let seenBytes = 0;
  call.onEvent = (event) => {
    if (event.type !== "item") return;
    seenBytes += event.bytes;
    call.events.length = 0;
    stream.release(event.bytes);
  };
  const stream = pair.connection.start(call);
  await pair.clock.advance(2000);
  assert.ok(seenBytes > 0.6 * 2 * bytesPerSecond, `${seenBytes} bytes in the first 2 s, windows still growing`);
  seenBytes = 0;
  await pair.clock.advance(2000);
  assert.ok(seenBytes >= 0.8 * 2 * bytesPerSecond, `${seenBytes} bytes in 2 s`);
});

test("a reader that stops holds the server to its window and 1 MB more", async () => {
  let producer: Producer | undefined;
  const pair = await wirePair({
    contract: Flow,
    onCall: (call) => {
      producer = new Producer(call);
    },
  });
  const call = new RecordedCall(Flow.methods.produce, new Uint8Array(0));
  pair.connection.start(call);
  await pair.clock.advance(1000);
  const sent = producer?.sentBytes ?? 0;
  assert.ok(sent > 0 && sent <= 256 * 1024 + mebibyte, `${sent} bytes ahead`);
});

test("a reader that is slower than the path keeps its first window", async () => {
  let producer: Producer | undefined;
  const pair = await wirePair({
    contract: Flow,
    latencyMs: 1,
    onCall: (call) => {
      producer = new Producer(call);
    },
  });
  const call = new RecordedCall(Flow.methods.produce, new Uint8Array(0));
  const waiting: number[] = [];
  call.onEvent = (event) => {
    if (event.type === "item") waiting.push(event.bytes);
  };
  const stream = pair.connection.start(call);
  await pair.clock.advance(50);
  let readBytes = 0;
  for (let i = 0; i < 200; i++) {
    const size = waiting.shift() ?? 0;
    readBytes += size;
    stream.release(size);
    await pair.clock.advance(10);
  }
  const ahead = (producer?.sentBytes ?? 0) - readBytes;
  assert.ok(readBytes > 10 * mebibyte, `${readBytes} bytes read`);
  assert.ok(ahead <= 256 * 1024 + itemBytes, `${ahead} bytes ahead`);
});

test("credit given back for items that were sent is no flood", async () => {
  const pair = await wirePair({ contract: Flow, onCall: (call) => void new Producer(call, 200 * itemBytes) });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  stranger.send(clientPreface, bindAny(0, "flow.Flow", "any", 3), frame(0x01, 0, [0, 0]));
  let answered = 0;
  for (let i = 0; i < 200; i++) {
    stranger.send(...Array.from({ length: 70 }, () => frame(0x0b, 0, [0x80, 0x80, 0x01])));
    await pair.clock.advance(5);
    const pings = framesOf(stranger.received()).filter(({ type }) => type === 0x0d);
    for (; answered < pings.length; answered++) stranger.send(frame(0x0e, 0, pings[answered]?.payload ?? []));
  }
  assert.equal(stranger.ended(), false);
  const frames = framesOf(stranger.received());
  assert.equal(frames.filter(({ type }) => type === 0x02).length, 200);
  assert.equal(frames.at(-1)?.type, 0x04);
});

test("the memory of a long message is used again only when nobody can read it any more", async () => {
  const pair = await wirePair({
    contract: Flow,
    copiesWrites: true,
    onCall: (call) => {
      const blob = call.decodeRequest() as Uint8Array;
      if (blob[0] !== 0) call.reply(blob, undefined, 1);
    },
  });
  const blobOf = (byte: number): Uint8Array => new Uint8Array(mebibyte).fill(byte);
  const open = new RecordedCall(Flow.methods.echo, blobOf(0));
  const kept = pair.connection.start(open);
  await pair.clock.advance(100);
  for (let round = 1; round < 10; round++) {
    const call = new RecordedCall(Flow.methods.echo, blobOf(round));
    pair.connection.start(call);
    const beside = new RecordedCall(Flow.methods.echo, blobOf(100 + round));
    pair.connection.start(beside);
    await pair.clock.advance(100);
    assert.ok(repliesWith(call, blobOf(round)), `round ${round}`);
    assert.ok(repliesWith(beside, blobOf(100 + round)), `beside, round ${round}`);
  }
  const encoded = Flow.methods.echo.request?.encode(blobOf(0)) ?? new Uint8Array(0);
  assert.ok(Buffer.from(encoded).equals(kept.takeRequestBytes() ?? new Uint8Array(0)));
});

test("a message of a type that was long may be short the next time, and the reverse", async () => {
  const Loose = service("flow.Loose", { echo: unary() });
  const pair = await wirePair({
    contract: Loose,
    copiesWrites: true,
    onCall: (call) => call.reply(call.decodeRequest(), undefined, 1),
  });
  for (const length of [10, 100_000, 10, 70_000, 65_000, 200_000, 1]) {
    const call = new RecordedCall(Loose.methods.echo, { text: "x".repeat(length) });
    pair.connection.start(call);
    await pair.clock.advance(100);
    assert.deepEqual(call.end, { type: "reply", reply: { text: "x".repeat(length) }, trailers: undefined });
  }
});

test("a stream that was begun before the peer's preface has all of the window that this tells", async () => {
  const streamWindowBytes = 4 * mebibyte;
  const pair = await wirePair({ contract: Flow, serverLimits: { streamWindowBytes }, onCall: (call) => call.accept() });
  const call = new RecordedCall(Flow.methods.any, undefined);
  const stream = pair.connection.start(call);
  let sentBytes = 0;
  const item = new Uint8Array(itemBytes);
  const fill = (): void => {
    while (stream.writable) {
      stream.send(item);
      sentBytes += itemBytes;
    }
  };
  call.onEvent = (event) => void (event.type === "writable" && fill());
  fill();
  assert.ok(sentBytes < mebibyte, `${sentBytes} bytes before the preface`);
  await pair.clock.advance(1000);
  assert.ok(sentBytes >= streamWindowBytes, `${sentBytes} bytes behind it`);
});

const fewWindows = { connectionWindowBytes: mebibyte, streamWindowBytes: mebibyte / 4 };

test("streams that fail while a long item is on its way take no credit from those that come later", async () => {
  let sent = 0;
  const pair = await wirePair({
    contract: Flow,
    bytesPerSecond: 10_000_000,
    clientLimits: fewWindows,
    onCall: (call) => {
      if (!call.writable) return;
      call.send(new Uint8Array(3 * mebibyte));
      sent++;
      pair.clock.after(10, () => call.fail(new RpcError("internal", "Something broke"), undefined, 1));
    },
  });
  for (let round = 1; round <= 10; round++) {
    const call = new RecordedCall(Flow.methods.produce, new Uint8Array(0));
    pair.connection.start(call);
    await pair.clock.advance(200);
    assert.equal(sent, round);
    assert.ok(call.end?.type === "failure" && call.items.length === 0);
  }
});

test("what a stream has left unread when it ends counts no more, and reading it afterwards gives nothing back twice", async () => {
  let mostBytes = 3 * itemBytes;
  const pair = await wirePair({
    contract: Flow,
    onCall: (call) => void new Producer(call, mostBytes),
    clientLimits: { ...fewWindows, maxProcessUnreadBytes: 8 * mebibyte },
  });
  const start = (): { call: RecordedCall; stream: OutgoingStream } => {
    const call = new RecordedCall(Flow.methods.produce, new Uint8Array(0));
    return { call, stream: pair.connection.start(call) };
  };
  for (let round = 0; round < 60; round++) {
    const { call, stream } = start();
    await pair.clock.advance(50);
    assert.equal(call.end?.type, "reply");
    assert.equal(call.items.length, 3);
    // Half of the readers have gone for good.
    for (const event of call.events) if (event.type === "item" && round % 2 === 0) stream.release(event.bytes);
  }
  mostBytes = Number.POSITIVE_INFINITY;
  const open = Array.from({ length: 10 }, start);
  await pair.clock.advance(1000);
  const held = open.reduce((sum, { call }) => sum + call.items.length * itemBytes, 0);
  assert.ok(held > 0.7 * mebibyte && held <= mebibyte + itemBytes, `${held} bytes`);
  assert.ok(open.every(({ call }) => call.end === undefined));
});

test("items that come while a long reply is on its way take no credit from later streams", async () => {
  const pair = await wirePair({
    contract: Flow,
    bytesPerSecond: 10_000_000,
    serverLimits: fewWindows,
    onCall: (call) => {
      const onItem = (): void => call.reply(new Uint8Array(2 * mebibyte), undefined, 1);
      call.handler = { onItem, onInputEnd() {}, onCancel() {}, onWritable() {} };
    },
  });
  for (let round = 0; round < 20; round++) {
    const call = new RecordedCall(Flow.methods.collect, undefined);
    const stream = pair.connection.start(call);
    let sent = 0;
    for (let turn = 0; turn < 20; turn++) {
      for (; stream.writable; sent++) stream.send(new Uint8Array(itemBytes));
      await pair.clock.advance(50);
    }
    assert.ok(sent > 2, `${sent} items sent in round ${round}`);
    assert.equal(call.end?.type, "reply");
  }
});
