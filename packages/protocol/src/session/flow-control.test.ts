import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowControl, type StreamCredit } from "./flow-control.ts";
import { BytePool } from "./held-bytes.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { StreamState } from "./stream-state.ts";

const kibibyte = 1024;
const streamBytes = 256 * kibibyte;
const connectionBytes = 1024 * kibibyte;
const limits = {
  streamWindowBytes: streamBytes,
  maxStreamWindowBytes: 16 * streamBytes,
  connectionWindowBytes: connectionBytes,
  maxProcessUnreadBytes: 256 * connectionBytes,
};

function open(flow: FlowControl): StreamCredit {
  return new StreamState(flow.streamWindowBytes);
}

test("an item may overdraw the windows, the next one waits for credit of both", () => {
  const flow = new FlowControl(limits, new BytePool());
  const [large, other] = [open(flow), open(flow)];
  assert.ok(flow.maySend(large));
  flow.spend(large, 4 * connectionBytes);
  assert.equal(flow.hasCredit, false);
  assert.equal(flow.maySend(other), false);
  flow.onCredit(large, 4 * connectionBytes);
  assert.equal(flow.maySend(large), false);
  flow.onConnectionCredit(3 * connectionBytes + 1);
  assert.ok(flow.maySend(large) && flow.maySend(other));
});

test("an item without credit is a fault, of the stream or of the connection", () => {
  const flow = new FlowControl(limits, new BytePool());
  const stream = open(flow);
  flow.take(stream, streamBytes);
  assert.throws(() => flow.take(stream, 1), ProtocolFault);
  flow.take(open(flow), connectionBytes - streamBytes);
  assert.throws(() => flow.take(open(flow), 1), ProtocolFault);
});

test("credit beyond all measure is a fault, and so is what adds up to it", () => {
  const flow = new FlowControl(limits, new BytePool());
  assert.throws(() => flow.onConnectionCredit(2 ** 40 + 1), ProtocolFault);
  flow.onConnectionCredit(2 ** 39);
  assert.throws(() => flow.onConnectionCredit(2 ** 39), ProtocolFault);
  assert.throws(() => flow.onCredit(open(flow), 2 ** 40), ProtocolFault);
});

test("no more is consumed than was handed up, and what an ended stream leaves goes back to the connection", () => {
  const flow = new FlowControl(limits, new BytePool());
  const stream = open(flow);
  flow.take(stream, connectionBytes / 4 - 2);
  assert.equal(flow.consume(stream, 1), 0);
  assert.equal(flow.consume(stream), 0);
  assert.equal(flow.consume(stream, 1_000_000), 0);
  assert.equal(flow.takeLate(2), connectionBytes / 4);
});

/*
 * The law: a sender and a receiver with a wire between them, which does what it likes but reorder. Never does an item come without
 * credit, and when all is consumed and everything has arrived, all credit is where it was or waits to be told.
 */

interface Link {
  readonly sender: StreamCredit;
  readonly receiver: StreamCredit;
}

class Wire {
  readonly sender = new FlowControl(limits, new BytePool());
  readonly receiver = new FlowControl(limits, new BytePool());
  readonly links: readonly Link[] = Array.from({ length: 4 }, () => ({
    sender: open(this.sender),
    receiver: open(this.receiver),
  }));
  readonly #there: (() => void)[] = [];
  readonly #back: (() => void)[] = [];
  nowMs = 0;
  /** Bytes of items that arrived, and of them those whose credit the connection was given back. */
  takenBytes = 0;
  givenBytes = 0;

  send({ sender, receiver }: Link, bytes: number): boolean {
    if (!this.sender.maySend(sender)) return false;
    this.sender.spend(sender, bytes);
    this.#there.push(() => {
      this.receiver.take(receiver, bytes);
      this.takenBytes += bytes;
    });
    return true;
  }

  consume({ sender, receiver }: Link, bytes: number): void {
    const credit = this.receiver.consume(receiver, bytes);
    this.givenBytes += credit;
    if (credit > 0) this.#back.push(() => this.sender.onConnectionCredit(credit));
    if (!this.receiver.isRenewalDue(receiver)) return;
    if (this.receiver.measure(receiver, this.nowMs))
      this.#back.push(() => this.#there.push(() => this.receiver.onMeasured(this.nowMs)));
    const more = this.receiver.renew(receiver);
    this.#back.push(() => this.sender.onCredit(sender, more));
  }

  /** The oldest frame of a direction arrives. False when none is on the way. */
  arrive(direction: "there" | "back"): boolean {
    const frame = (direction === "there" ? this.#there : this.#back).shift();
    frame?.();
    return frame !== undefined;
  }

  settle(): void {
    while (this.arrive("there") || this.arrive("back"));
  }
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`whatever is sent and consumed, no item comes beyond the window and no credit is lost (seed ${seed})`, () => {
    let random = seed;
    const below = (most: number): number => (random = (random * 48_271) % 0x7fff_ffff) % most;
    const wire = new Wire();
    let sent = 0;
    for (let step = 0; step < 20_000; step++) {
      wire.nowMs += below(100) / 50;
      const link = wire.links[below(wire.links.length)] as Link;
      const what = below(6);
      if (what < 2 && wire.send(link, 1 + below(below(10) === 0 ? 300_000 : 20_000))) sent++;
      else if (what === 2) wire.arrive("there");
      else if (what === 3) wire.arrive("back");
      else if (what === 4) wire.consume(link, below(40_000));
      else while (wire.arrive("there") && below(4) > 0);
      for (const { receiver } of wire.links) assert.ok(receiver.windowBytes <= limits.maxStreamWindowBytes);
    }
    assert.ok(sent > 1000, `${sent} items sent`);
    wire.settle();
    for (const link of wire.links) wire.consume(link, Number.MAX_SAFE_INTEGER);
    wire.settle();
    assert.ok(
      wire.takenBytes - wire.givenBytes < connectionBytes / 4,
      `${wire.takenBytes} taken, ${wire.givenBytes} given`,
    );
    for (const { sender, receiver } of wire.links) {
      assert.equal(streamBytes + sender.sendBalance, receiver.receiveCredit);
      assert.equal(receiver.receiveCredit + receiver.unreleased, receiver.windowBytes);
      assert.ok(receiver.unreleased * 2 < receiver.windowBytes);
      assert.ok(wire.sender.maySend(sender), "who waits is given credit");
    }
  });
}

test("credit that a connection was not told of is less than a quarter of its window", () => {
  const flow = new FlowControl(limits, new BytePool());
  const stream = open(flow);
  for (let i = 1; i <= 100; i++) {
    flow.take(stream, 10_000);
    const credit = flow.consume(stream, 10_000);
    if (flow.isRenewalDue(stream)) flow.renew(stream);
    assert.equal(credit > 0, i % 27 === 0, `item ${i}`);
    if (credit > 0) assert.equal(credit, 270_000);
  }
});

test("a stream that is open before the peer tells its windows has all of them afterwards", () => {
  const flow = new FlowControl(limits, new BytePool());
  const stream = open(flow);
  flow.spend(stream, streamBytes);
  assert.equal(flow.maySend(stream), false);
  flow.onPeerWindows(4 * streamBytes, connectionBytes);
  flow.spend(stream, 3 * streamBytes - 1);
  assert.ok(flow.maySend(stream));
  flow.spend(stream, 1);
  assert.equal(flow.maySend(stream), false);
});

test("a peer's windows are never taken to be less than what holds before it tells them", () => {
  const flow = new FlowControl(limits, new BytePool());
  flow.onPeerWindows(1, 1);
  const stream = open(flow);
  flow.spend(stream, streamBytes - 1);
  assert.ok(flow.maySend(stream));
  flow.spend(open(flow), connectionBytes - streamBytes);
  assert.ok(flow.maySend(stream));
});

test("past the process's limit what comes for a connection that holds over one window cannot stay; what is read or gone counts no more", () => {
  const pool = new BytePool();
  const few = { ...limits, maxProcessUnreadBytes: 3 * streamBytes };
  const [greedy, modest] = [new FlowControl(few, pool), new FlowControl(few, pool)];
  const streams = [open(greedy), open(greedy), open(greedy)] as const;
  for (const stream of streams) greedy.take(stream, streamBytes - 1);
  assert.equal(greedy.holdsTooMuch, false);
  const other = open(modest);
  modest.take(other, streamBytes);
  assert.deepEqual([greedy.holdsTooMuch, modest.holdsTooMuch], [true, false]);
  greedy.consume(streams[0]);
  assert.equal(greedy.holdsTooMuch, false);
  greedy.close();
  modest.consume(other, 1);
  greedy.consume(streams[1]);
  assert.equal(pool.heldBytes, streamBytes - 1);
});

test("once the process holds half of its limit unread no window grows, nor does a new stream's to what others have", () => {
  const pool = new BytePool();
  const flow = new FlowControl(limits, pool);
  let nowMs = 0;
  const useUp = (stream: StreamCredit): void => {
    flow.take(stream, stream.windowBytes / 2);
    flow.consume(stream);
    if (flow.measure(stream, nowMs)) flow.onMeasured((nowMs += 10));
    flow.renew(stream);
  };
  const [old, late] = [open(flow), open(flow)];
  for (let i = 0; i < 10; i++) useUp(old);
  assert.ok(old.windowBytes > streamBytes);
  const others = new FlowControl(limits, pool);
  others.take(open(others), limits.maxProcessUnreadBytes / 2 + 1);
  const { windowBytes } = old;
  for (let i = 0; i < 10; i++) useUp(old);
  useUp(late);
  assert.deepEqual([old.windowBytes, late.windowBytes], [windowBytes, streamBytes]);
  others.close();
  useUp(late);
  assert.ok(late.windowBytes > streamBytes);
});
