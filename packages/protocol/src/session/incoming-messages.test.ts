import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@pipit/codec";
import type { Compression } from "../compression.ts";
import type { RpcError } from "../rpc-error.ts";
import { writeByte, writeRaw, writeU32 } from "./bytes.ts";
import { BytePool } from "./held-bytes.ts";
import { IncomingMessages, type MessageSink, wholeBytes } from "./incoming-messages.ts";
import { defaultLimits, type SessionLimits } from "./limits.ts";
import { ProtocolFault } from "./protocol-fault.ts";
import { type SessionStream, StreamState } from "./stream-state.ts";
import { Flag } from "./wire.ts";

interface Stream extends SessionStream {
  readonly id: number;
  readonly state: StreamState;
  open: boolean;
  readonly sent: number[];
  readonly delivered: number[];
}

/** A connection whose messages are bytes of one value: their number. Unpacking takes as long as the test likes. */
class Receiver implements MessageSink<Stream> {
  readonly pool = new BytePool();
  readonly incoming: IncomingMessages<Stream>;
  readonly unpacking: (() => void)[] = [];
  readonly refused: RpcError[] = [];
  readonly rejected: RpcError[] = [];
  readonly passed: Stream[] = [];
  readonly faults: string[] = [];

  constructor(limits: Partial<SessionLimits> = {}) {
    const compression: Compression = {
      algorithms: ["deflate"],
      pack: () => assert.fail("Nothing is sent here"),
      // A packed message is one byte, which stands for as many as its head says; 0 cannot be unpacked.
      unpack: (_algorithm, bytes, size, done) =>
        void this.unpacking.push(() => done(bytes[0] === 0 ? undefined : new Uint8Array(size).fill(bytes[0] ?? 0))),
    };
    this.incoming = new IncomingMessages(this, this.pool, { ...defaultLimits, ...limits }, compression);
  }

  deliver(stream: Stream, { bytes, pos, end }: Reader): void {
    const message = bytes.subarray(pos, end);
    assert.ok(message.every((byte) => byte === message[0]));
    stream.delivered.push(message[0] ?? 0);
  }

  refuseMessage(_stream: Stream, error: RpcError): void {
    this.refused.push(error);
  }

  rejectMessage(_stream: Stream, error: RpcError): void {
    this.rejected.push(error);
  }

  onPassed(stream: Stream): void {
    this.passed.push(stream);
  }

  isOpen(stream: Stream): boolean {
    return stream.open;
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  begin(stream: Stream, flags: number, head: Reader): void {
    this.incoming.begin(stream, stream.state, head, flags, 0);
  }

  part(stream: Stream, part: Uint8Array): void {
    assert.ok(stream.state.assembly !== undefined);
    this.incoming.addPart(stream, stream.state, stream.state.assembly, part);
  }

  /** A message that came whole in its frame. */
  plain(stream: Stream, number: number): void {
    this.incoming.arrive(stream, new Reader(new Uint8Array([number])), 0);
  }

  packed(stream: Stream, number: number, size: number): void {
    this.begin(stream, Flag.compressed, head({ packedBytes: size, body: [number] }));
  }
}

function open(id: number): Stream {
  return { id, state: new StreamState(0), open: true, sent: [], delivered: [] };
}

/** What stands in a frame from the head of a packed message on. */
function head(parts: { packedBytes?: number; chunkedBytes?: number; body?: readonly number[] }): Reader {
  const writer = new Writer();
  if (parts.packedBytes !== undefined) {
    writeByte(writer, 1);
    writeU32(writer, parts.packedBytes);
  }
  if (parts.chunkedBytes !== undefined) writeU32(writer, parts.chunkedBytes);
  writeRaw(writer, Uint8Array.from(parts.body ?? []));
  return new Reader(writer.take());
}

test("the size of a message is known from its head, and reading it moves nothing", () => {
  const cases: readonly [number, Reader, number][] = [
    [0, head({ body: [1, 2, 3] }), 3],
    [Flag.chunked, head({ chunkedBytes: 70_000 }), 70_000],
    [Flag.compressed, head({ packedBytes: 9000, body: [7] }), 9000],
    [Flag.compressed | Flag.chunked, head({ packedBytes: 900_000, chunkedBytes: 80_000 }), 900_000],
  ];
  for (const [flags, reader, bytes] of cases) {
    assert.equal(wholeBytes(reader, flags), bytes);
    assert.equal(reader.pos, 0);
  }
});

test("however a long message is cut, it arrives whole, once", () => {
  for (const cut of [1, 2, 99, 100]) {
    const receiver = new Receiver();
    const stream = open(1);
    receiver.begin(stream, Flag.chunked, head({ chunkedBytes: 100 }));
    assert.ok(receiver.incoming.unfinished);
    for (let at = 0; at < 100; at += cut) receiver.part(stream, new Uint8Array(Math.min(cut, 100 - at)).fill(5));
    assert.deepEqual(stream.delivered, [5]);
    assert.equal(receiver.incoming.unfinished, false);
  }
});

const faults: readonly [what: string, flags: number, head: Reader][] = [
  ["a head of a long message that carries a part of it", Flag.chunked, head({ chunkedBytes: 10, body: [1] })],
  ["a long message without bytes", Flag.chunked, head({ chunkedBytes: 0 })],
  ["a packed message that is no smaller", Flag.compressed, head({ packedBytes: 2, body: [1, 1] })],
  ["a message packed in a way that was not offered", Flag.compressed, new Reader(new Uint8Array([2, 9, 0, 0, 0, 1]))],
];

for (const [what, flags, reader] of faults) {
  test(`${what} is a fault`, () => {
    assert.throws(() => new Receiver().begin(open(1), flags, reader), ProtocolFault);
  });
}

test("a part that is empty or too long is a fault, and so is a long message inside another", () => {
  const receiver = new Receiver();
  const stream = open(1);
  receiver.begin(stream, Flag.chunked, head({ chunkedBytes: 10 }));
  assert.throws(() => receiver.part(stream, new Uint8Array(0)), ProtocolFault);
  assert.throws(() => receiver.part(stream, new Uint8Array(11)), ProtocolFault);
  assert.throws(() => receiver.begin(stream, Flag.chunked, head({ chunkedBytes: 10 })), ProtocolFault);
});

test("a message past the budget is refused before memory is taken for it", () => {
  const receiver = new Receiver({ maxReassemblyBytes: 1000, maxMessageBytes: 900 });
  receiver.begin(open(1), Flag.chunked, head({ chunkedBytes: 901 }));
  receiver.begin(open(2), Flag.chunked, head({ chunkedBytes: 600 }));
  receiver.begin(open(3), Flag.chunked, head({ chunkedBytes: 401 }));
  assert.deepEqual(
    receiver.refused.map(({ code, handled }) => [code, handled]),
    [
      ["resource_exhausted", "no"],
      ["resource_exhausted", "no"],
    ],
  );
  assert.equal(receiver.pool.heldBytes, 600);
  receiver.incoming.close();
  assert.equal(receiver.pool.heldBytes, 0);
});

test("an item past the budget is rejected and never refused: its call may run by then", () => {
  const receiver = new Receiver({ maxMessageBytes: 900 });
  const stream = open(1);
  receiver.incoming.begin(stream, stream.state, head({ chunkedBytes: 901 }), Flag.chunked, 910);
  assert.deepEqual(receiver.refused, []);
  assert.deepEqual(
    receiver.rejected.map(({ code }) => code),
    ["resource_exhausted"],
  );
  assert.equal(receiver.pool.heldBytes, 0);
});

test("the one message of a call has passed when all of it has come, and not before, though nobody takes it", () => {
  const limits = { maxMessageBytes: 100 };
  const part = (receiver: Receiver, stream: Stream, size: number): void =>
    receiver.incoming.passPart(stream, stream.state, size);
  const refused = new Receiver(limits);
  const [long, packed, dropped, damaged] = [open(1), open(2), open(3), open(4)];
  refused.begin(long, Flag.chunked, head({ chunkedBytes: 101 }));
  part(refused, long, 100);
  assert.deepEqual(refused.passed, []);
  assert.throws(() => part(refused, long, 2), ProtocolFault);
  part(refused, long, 1);
  assert.deepEqual(refused.passed, [long]);
  refused.packed(packed, 5, 101);
  assert.deepEqual(refused.passed, [long, packed]);
  const taken = new Receiver(limits);
  taken.begin(dropped, Flag.chunked, head({ chunkedBytes: 100 }));
  taken.part(dropped, new Uint8Array(40));
  taken.incoming.drop(dropped.state);
  part(taken, dropped, 60);
  assert.deepEqual(taken.passed, [dropped]);
  taken.packed(damaged, 0, 100);
  taken.unpacking[0]?.();
  assert.deepEqual(taken.passed, [dropped, damaged]);
});

test("a message that cannot be unpacked is rejected, and what came behind it is delivered", () => {
  const receiver = new Receiver();
  const stream = open(1);
  receiver.packed(stream, 0, 100);
  receiver.plain(stream, 2);
  assert.deepEqual(stream.delivered, []);
  receiver.unpacking.shift()?.();
  assert.deepEqual(
    receiver.rejected.map(({ code }) => code),
    ["data_loss"],
  );
  assert.deepEqual(stream.delivered, [2]);
});

for (const seed of [1, 2, 3, 4]) {
  test(`messages of a stream are delivered in order, those of an ended one not at all, and no budget is lost (seed ${seed})`, () => {
    let random = seed;
    const below = (most: number): number => (random = (random * 48_271) % 0x7fff_ffff) % most;
    const receiver = new Receiver();
    const ended: Stream[] = [];
    const streams = [open(1), open(2), open(3)];
    for (let step = 0; step < 5000; step++) {
      const at = below(streams.length);
      const stream = streams[at] as Stream;
      const number = 1 + (step % 250);
      const what = below(8);
      if (what < 3 && receiver.unpacking.length > 0)
        receiver.unpacking.splice(below(receiver.unpacking.length), 1)[0]?.();
      else if (what === 7 && below(10) === 0) {
        stream.open = false;
        receiver.incoming.drop(stream.state);
        ended.push(stream);
        stream.sent.length = stream.delivered.length;
        streams[at] = open(10 + step);
      } else if (stream.state.assembly !== undefined) {
        const { bytes, filled } = stream.state.assembly;
        receiver.part(
          stream,
          bytes
            .slice(filled)
            .fill(stream.sent.at(-1) ?? 0)
            .subarray(0, 1 + below(bytes.length - filled)),
        );
      } else {
        stream.sent.push(number);
        if (what < 5) receiver.plain(stream, number);
        else if (what === 5) receiver.packed(stream, number, 50);
        else receiver.begin(stream, Flag.chunked, head({ chunkedBytes: 1 + below(40) }));
      }
    }
    while (receiver.unpacking.length > 0) receiver.unpacking.shift()?.();
    for (const stream of streams) receiver.incoming.drop(stream.state);
    for (const { sent, delivered } of [...streams, ...ended])
      assert.deepEqual(delivered, sent.slice(0, delivered.length));
    for (const { sent, delivered } of streams) assert.ok(sent.length - delivered.length <= 1);
    for (const { sent, delivered } of ended) assert.equal(delivered.length, sent.length);
    assert.equal(receiver.pool.heldBytes, 0);
    assert.deepEqual([receiver.faults, receiver.refused, receiver.rejected], [[], [], []]);
  });
}
