import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { string } from "@pipit/codec";
import {
  bidi,
  clientStream,
  type IncomingCall,
  Metadata,
  oneway,
  RpcError,
  serverStream,
  service,
  systemCompression,
  unary,
} from "@pipit/protocol";
import type { SimulatedLink } from "@pipit/simulation";
import { createClient, createServer } from "pipit";
import { bindAny, clientPrefaceWith, frame, framesOf, type RawPeer, rawClient, u32le } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";
import { simulatedCompression } from "../support/simulated-compression.ts";
import { type WirePair, type WirePairOptions, wirePair } from "../support/wire-pair.ts";

/* Packed messages: each kind of call, peers that cannot, and bytes that lie. */

const options = { compress: true };
const Packed = service("packed.Packed", {
  echo: unary(string, string, options),
  items: serverStream(string, string, options),
  collect: clientStream(string, string, options),
  chat: bidi(string, string, options),
  note: oneway(string, options),
  plain: unary(string, string),
});

const flagCompressed = 0x10;
const long = (word: string, bytes: number): string => word.repeat(Math.ceil(bytes / word.length)).slice(0, bytes);

interface Seen {
  readonly pair: WirePair;
  readonly notes: string[];
  readonly links: SimulatedLink[];
}

async function scene(extra: Partial<WirePairOptions> = {}): Promise<Seen> {
  const links: SimulatedLink[] = [];
  const notes: string[] = [];
  const pair = await wirePair({
    contract: Packed,
    clientCompression: simulatedCompression,
    serverCompression: simulatedCompression,
    onLink: (link) => links.push(link),
    onCall: (call) => answer(call, notes),
    ...extra,
  });
  await pair.clock.advance(10);
  return { pair, notes, links };
}

function answer(call: IncomingCall, notes: string[]): void {
  const inputs: string[] = [];
  const none = (): void => {};
  switch (call.method.name) {
    case "items": {
      const word = call.decodeRequest() as string;
      const left = [long(word, 200_000), "short", long("b", 5000), long("c", 900_000)];
      const send = (): void => {
        while (call.open && left.length > 0 && call.writable) call.send(left.shift());
        if (left.length === 0) call.end(new Metadata({ sent: "all" }), 1);
      };
      call.handler = { onItem: none, onInputEnd: none, onCancel: none, onWritable: send };
      return send();
    }
    case "collect":
      call.handler = {
        onItem(item, bytes) {
          inputs.push(item as string);
          call.release(bytes);
        },
        onInputEnd: () => call.reply(inputs.join("|"), undefined, 1),
        onCancel: none,
        onWritable: none,
      };
      return;
    case "chat": {
      let ended = false;
      const send = (): void => {
        while (inputs.length > 0 && call.writable) call.send(inputs.shift());
        if (ended && inputs.length === 0) call.end(undefined, 1);
      };
      call.handler = {
        onItem(item, bytes) {
          inputs.push(item as string);
          call.release(bytes);
          send();
        },
        onInputEnd() {
          ended = true;
          send();
        },
        onCancel: none,
        onWritable: send,
      };
      return;
    }
    case "note":
      notes.push(call.decodeRequest() as string);
      return call.end(undefined, 1);
    default:
      call.reply(call.decodeRequest(), undefined, 1);
  }
}

function sent({ links }: Seen): number {
  return links.reduce((sum, link) => sum + link.sentBytes("toServer") + link.sentBytes("toClient"), 0);
}

test("every kind of call carries packed messages, in order, in a fraction of the bytes", async () => {
  const seen = await scene();
  const { pair, notes } = seen;
  const echo = new RecordedCall(Packed.methods.echo, long("hello ", 300_000));
  const items = new RecordedCall(Packed.methods.items, long("a", 2000));
  const collect = new RecordedCall(Packed.methods.collect, undefined);
  const chat = new RecordedCall(Packed.methods.chat, undefined);
  const note = new RecordedCall(Packed.methods.note, long("note ", 50_000));
  for (const call of [echo, items, note]) pair.connection.start(call);
  const inputs = [long("x", 90_000), "tiny", long("y", 3000)];
  for (const call of [collect, chat]) {
    const left = [...inputs];
    const stream = pair.connection.start(call);
    const send = (): void => {
      while (left.length > 0 && stream.writable) stream.send(left.shift());
      if (left.length === 0) stream.endInput();
    };
    call.onEvent = (event) => {
      if (event.type === "writable" && left.length > 0) send();
    };
    send();
  }
  await pair.clock.advance(500);
  assert.deepEqual(echo.end, { type: "reply", reply: long("hello ", 300_000), trailers: undefined });
  assert.deepEqual(items.items, [long("a", 200_000), "short", long("b", 5000), long("c", 900_000)]);
  assert.ok(items.end?.type === "reply" && items.end.trailers?.get("sent") === "all");
  assert.deepEqual(collect.end, { type: "reply", reply: inputs.join("|"), trailers: undefined });
  assert.deepEqual(chat.items, inputs);
  assert.equal(chat.end?.type, "reply");
  assert.deepEqual(notes, [long("note ", 50_000)]);
  assert.equal(note.end?.type, "reply");
  assert.ok(sent(seen) < 40_000, `${sent(seen)} bytes for 2 MB of text`);
  assert.equal(pair.connection.openCalls, 0);
});

test("what gains nothing is sent as it is, and so is what the method does not ask for", async () => {
  const seen = await scene();
  const noise = Array.from({ length: 5000 }, (_, i) => String.fromCharCode(33 + ((i * 7919 * (i + 13)) % 90))).join("");
  for (const [method, value] of [
    [Packed.methods.echo, "short"],
    [Packed.methods.plain, long("p", 10_000)],
  ] as const) {
    const before = sent(seen);
    const call = new RecordedCall(method, value);
    seen.pair.connection.start(call);
    await seen.pair.clock.advance(50);
    assert.deepEqual(call.end, { type: "reply", reply: value, trailers: undefined });
    assert.ok(sent(seen) - before >= 2 * value.length);
  }
  const call = new RecordedCall(Packed.methods.echo, noise);
  seen.pair.connection.start(call);
  await seen.pair.clock.advance(50);
  assert.deepEqual(call.end, { type: "reply", reply: noise, trailers: undefined });
});

test("a peer without compression is sent plain messages", async () => {
  for (const side of ["clientCompression", "serverCompression"] as const) {
    const seen = await scene({ [side]: undefined });
    const call = new RecordedCall(Packed.methods.echo, long("z", 100_000));
    seen.pair.connection.start(call);
    await seen.pair.clock.advance(50);
    assert.deepEqual(call.end, { type: "reply", reply: long("z", 100_000), trailers: undefined });
    assert.ok(sent(seen) > 200_000);
  }
});

test("a call before the server's preface has come is plain", async () => {
  const seen = await scene();
  const second = seen.pair.connect();
  const call = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  second.start(call);
  await seen.pair.clock.advance(50);
  assert.deepEqual(call.end, { type: "reply", reply: long("z", 100_000), trailers: undefined });
  assert.ok((seen.links[1]?.sentBytes("toServer") ?? 0) > 100_000);
  assert.ok((seen.links[1]?.sentBytes("toClient") ?? 0) < 5000);
});

test("a call cancelled while its request is packed was never sent, and its slot is free", async () => {
  const seen = await scene();
  const { pair } = seen;
  const before = sent(seen);
  for (let i = 0; i < 50; i++) {
    const stream = pair.connection.start(new RecordedCall(Packed.methods.echo, long("z", 100_000)));
    stream.cancel();
    assert.equal(pair.connection.openCalls, 0);
  }
  await pair.clock.advance(50);
  assert.ok(sent(seen) - before < 200, "only the binding went");
  assert.equal(pair.calls.length, 0);
  const call = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  pair.connection.start(call);
  await pair.clock.advance(50);
  assert.equal(call.end?.type, "reply");
});

test("a call cancelled at any moment settles, and the connection serves the next", async () => {
  const { pair } = await scene();
  for (let ms = 0; ms < 30; ms++) {
    const call = new RecordedCall(Packed.methods.items, long("z", 10_000));
    const stream = pair.connection.start(call);
    await pair.clock.advance(ms * 0.5);
    stream.cancel();
  }
  await pair.clock.advance(100);
  const call = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  pair.connection.start(call);
  await pair.clock.advance(50);
  assert.equal(call.end?.type, "reply");
  assert.equal(pair.connection.openCalls, 0);
  assert.ok(pair.calls.every(({ open }) => !open));
});

test("streams cancelled while their items are packed take no credit from those that come later", async () => {
  const item = long("item", 1024 * 1024);
  let sent = 0;
  const { pair } = await scene({
    clientLimits: { connectionWindowBytes: 4 * 1024 * 1024 },
    serverCompression: (clock) => simulatedCompression(clock, 50),
    onCall: (call) => {
      const send = (): void => {
        while (call.open && call.writable) {
          call.send(item);
          sent++;
        }
      };
      call.handler = { onItem() {}, onInputEnd() {}, onCancel() {}, onWritable: send };
      send();
    },
  });
  for (let round = 1; round <= 10; round++) {
    const stream = pair.connection.start(new RecordedCall(Packed.methods.items, "a"));
    await pair.clock.advance(20);
    assert.equal(sent, round);
    stream.cancel();
    await pair.clock.advance(100);
  }
});

test("the time left is taken when the request is written, and the deadline holds while it is packed", async () => {
  const { pair } = await scene({
    clientCompression: (clock) => simulatedCompression(clock, 30),
    onCall: () => {},
  });
  const call = new RecordedCall(Packed.methods.echo, long("z", 100_000), pair.clock.now() + 100);
  const startedMs = pair.clock.now();
  pair.connection.start(call);
  await pair.clock.advance(40);
  const [incoming] = pair.calls;
  assert.ok(incoming !== undefined);
  assert.ok(incoming.deadlineMs - startedMs <= 105, String(incoming.deadlineMs - startedMs));
});

test("an error of a packed call is plain, and a lost connection says what cannot have run", async () => {
  const { pair } = await scene({
    onCall: (call) => call.fail(new RpcError("not_found", "no"), undefined, 1),
  });
  const failed = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  pair.connection.start(failed);
  await pair.clock.advance(50);
  assert.ok(failed.end?.type === "failure" && failed.end.failure.error.code === "not_found");
  const packing = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  const stream = pair.connection.start(packing);
  pair.connection.destroy();
  assert.ok(packing.end?.type === "failure" && packing.end.failure.handled === "no");
  assert.ok(Packed.methods.echo.request?.decode(stream.takeRequestBytes() ?? new Uint8Array(0)) === long("z", 100_000));
});

test("metadata that outgrows its bound while the request is packed fails the call, and no other", async () => {
  const { pair } = await scene();
  const call = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  call.metadata = new Metadata({ a: "b" });
  pair.connection.start(call);
  call.metadata.set("c", "d".repeat(9000));
  await pair.clock.advance(50);
  assert.ok(call.end?.type === "failure");
  assert.match(call.end.failure.error.message, /Metadata of 90\d\d bytes/);
  assert.equal(call.end.failure.handled, "no");
  assert.equal(pair.connection.openCalls, 0);
  const next = new RecordedCall(Packed.methods.echo, long("z", 100_000));
  pair.connection.start(next);
  await pair.clock.advance(50);
  assert.equal(next.end?.type, "reply");
  assert.equal(pair.calls.length, 1);
});

/** The preface of a client that unpacks deflate. */
const packingPreface = clientPrefaceWith(1);
const Any = service("any.Any", { echo: unary(), items: serverStream() });

interface Hostile extends WirePair {
  readonly stranger: RawPeer;
}

async function hostile(extra: Partial<WirePairOptions> = {}): Promise<Hostile> {
  const pair = await wirePair({
    contract: Any,
    serverCompression: simulatedCompression,
    onCall: (call) => call.reply(String(call.decodeRequest()).length, undefined, 1),
    ...extra,
  });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  stranger.send(packingPreface, bindAny(0, "any.Any", "echo"));
  return { ...pair, stranger };
}

/** CBOR of a text of `size` bytes. */
function cborText(size: number): Buffer {
  return Buffer.concat([
    Buffer.of(0x7a),
    Buffer.of(size >>> 24, size >>> 16, size >>> 8, size),
    Buffer.alloc(size, 0x61),
  ]);
}

function packedRequest(id: number, declaredBytes: number, packed: Uint8Array): Buffer {
  return frame(0x01, id, [0, 0x01 | flagCompressed, 1], u32le(declaredBytes), packed);
}

test("a packed request written by hand from the specification is served", async () => {
  const { stranger, clock } = await hostile();
  const message = cborText(50_000);
  stranger.send(packedRequest(0, message.length, deflateSync(message)));
  await clock.advance(50);
  const reply = framesOf(stranger.received()).at(-1);
  assert.deepEqual([reply?.type, reply?.payload.toString("hex")], [0x04, "0119c350"]);
});

test("a bomb is refused by what it declares, and gives no more than that", async () => {
  const { stranger, clock, connection } = await hostile();
  const bomb = deflateSync(Buffer.alloc(20_000_000, 0x61));
  assert.ok(bomb.length < 65_000);
  stranger.send(packedRequest(0, 20_000_000, bomb), packedRequest(1, 100_000, bomb));
  await clock.advance(50);
  const ends = framesOf(stranger.received()).slice(2);
  assert.deepEqual(
    ends.map(({ type, streamId }) => [type, streamId]),
    [
      [0x06, 0],
      [0x05, 1],
    ],
  );
  assert.match(ends[0]?.payload.toString("latin1") ?? "", /Message of 20000000 bytes: at most 4194304/);
  assert.match(ends[1]?.payload.toString("latin1") ?? "", /cannot be unpacked/);
  assert.equal(ends[1]?.payload[0], 15, "data_loss");
  assert.equal(stranger.ended(), false);
  void connection;
});

test("a thousand bombs at once take no more than the budget, and it is free again afterwards", async () => {
  const { stranger, clock } = await hostile();
  const message = cborText(4_000_000);
  const packed = deflateSync(message);
  for (let i = 0; i < 1000; i++) stranger.send(packedRequest(i, message.length, packed));
  await clock.advance(500);
  const count = (type: number): number => framesOf(stranger.received()).filter((one) => one.type === type).length;
  assert.ok(count(0x06) > 900, `${count(0x06)} refused`);
  assert.equal(count(0x04) + count(0x06), 1000);
  const before = count(0x04);
  stranger.send(packedRequest(1 << 20, message.length, packed));
  await clock.advance(50);
  assert.equal(count(0x04), before + 1);
});

test("truncated, damaged, short and idle packed messages end the call with data_loss", async () => {
  const message = cborText(50_000);
  const packed = deflateSync(message);
  const damaged = Buffer.from(packed);
  damaged[packed.length - 1] = (damaged[packed.length - 1] ?? 0) ^ 0xff;
  const bad: [number, Uint8Array][] = [
    [message.length, packed.subarray(0, packed.length - 10)],
    [message.length, damaged],
    [message.length + 1, packed],
    [message.length - 1, packed],
    [message.length, Buffer.alloc(100)],
  ];
  for (const [declared, bytes] of bad) {
    const { stranger, clock } = await hostile();
    stranger.send(packedRequest(0, declared, bytes));
    await clock.advance(50);
    const end = framesOf(stranger.received()).at(-1);
    assert.deepEqual([end?.type, end?.payload[0]], [0x05, 15]);
    assert.equal(stranger.ended(), false);
  }
});

test("what was not offered, or is no smaller, ends the connection", async () => {
  const message = cborText(5000);
  const packed = deflateSync(message);
  const cases: [Partial<WirePairOptions>, Buffer, RegExp][] = [
    [{ serverCompression: undefined }, packedRequest(0, message.length, packed), /Compression 1 was not offered/],
    [{}, frame(0x01, 0, [0, 0x11, 2], u32le(5000), packed), /Compression 2 was not offered/],
    [{}, frame(0x01, 0, [0, 0x11, 0], u32le(5000), packed), /Compression 0 was not offered/],
    [{}, packedRequest(0, packed.length, packed), /no smaller/],
    [{}, packedRequest(0, 0, packed), /no smaller/],
    [{}, packedRequest(0, 5000, new Uint8Array(0)), /without bytes/],
  ];
  for (const [extra, bytes, words] of cases) {
    const { stranger, clock } = await hostile(extra);
    stranger.send(bytes);
    await clock.advance(50);
    assert.equal(stranger.ended(), true);
    const goAway = framesOf(stranger.received()).find(({ type }) => type === 0x0f);
    assert.match(goAway?.payload.toString("latin1") ?? "", words);
  }
});

test("the connection's end while messages are unpacked is no harm", async () => {
  const { stranger, clock } = await hostile({ onCall: () => assert.fail("the call came after the end") });
  const message = cborText(50_000);
  stranger.send(packedRequest(0, message.length, deflateSync(message)), frame(0x0a, 0));
  await clock.advance(1.2);
  stranger.stream.destroy();
  await clock.advance(50);
});

test("the system's compression packs and unpacks in every algorithm it names, and refuses what lies", async () => {
  const bytes = Buffer.from(long("The quick brown fox. ", 4 * 1024 * 1024));
  for (const algorithm of systemCompression.algorithms) {
    const pack = (input: Uint8Array): Promise<Uint8Array | undefined> =>
      new Promise((resolve) => systemCompression.pack(algorithm, input, resolve));
    const unpack = (input: Uint8Array, size: number): Promise<Uint8Array | undefined> =>
      new Promise((resolve) => systemCompression.unpack(algorithm, input, size, resolve));
    const packed = await pack(bytes);
    assert.ok(packed !== undefined && packed.length < bytes.length / 20);
    assert.ok(bytes.equals((await unpack(packed, bytes.length)) ?? new Uint8Array(0)));
    assert.equal(await unpack(packed, bytes.length - 1), undefined);
    assert.equal(await unpack(packed, bytes.length + 1), undefined);
    assert.equal(await unpack(packed, 1), undefined);
    assert.equal(await unpack(packed.subarray(0, packed.length - 5), bytes.length), undefined);
    assert.equal(await unpack(Buffer.alloc(50, 0x55), 100), undefined);
  }
});

test("over TCP the default transports pack what a method asks for, full-size messages too", async () => {
  const server = createServer();
  const fourMebibytes = long("All work and no play makes Jack a dull boy. ", 4 * 1024 * 1024 - 64);
  server.handle(Packed, {
    echo: (value: string) => value,
    *items(word) {
      for (let i = 0; i < 5; i++) yield `${word}${i}`;
    },
    async collect(values: AsyncIterable<string>) {
      let size = 0;
      for await (const value of values) size += value.length;
      return String(size);
    },
    async *chat(values: AsyncIterable<string>) {
      yield* values;
    },
    note: () => undefined,
    plain: (value: string) => value,
  });
  const { port } = await server.listen({ port: 0 });
  const client = createClient({ target: `127.0.0.1:${port}` });
  try {
    const packed = client.service(Packed);
    await packed.plain("warm");
    assert.equal(await packed.echo(fourMebibytes), fourMebibytes);
    const items: string[] = [];
    for await (const item of packed.items(long("item ", 50_000))) items.push(item.slice(-1));
    assert.deepEqual(items, ["0", "1", "2", "3", "4"]);
    const inputs = [long("a", 100_000), "b", long("c", 2000)];
    assert.equal(await packed.collect(inputs), "102001");
    const echoed: string[] = [];
    for await (const item of packed.chat(inputs)) echoed.push(item);
    assert.deepEqual(echoed, inputs);
    await packed.note(long("n", 10_000));
  } finally {
    await client.close();
    await server.close();
  }
});
