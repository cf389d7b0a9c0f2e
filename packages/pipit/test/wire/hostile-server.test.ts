import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bidi,
  type ClientConnection,
  createTransport,
  defaultLimits,
  RpcError,
  type SessionLimits,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { seededRandom, simulatedNetwork, type VirtualClock, virtualClock } from "@pipit/simulation";
import { frame, framesOf, magicBytes, type RawPeer, rawPeer, serverPreface, text } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";

/*
 * A bad server against a good client: every call must end, with words that say what was wrong, and never more than the
 * limits is kept.
 */

const Any = service("any.Any", { echo: unary(), items: serverStream(), chat: bidi() });

interface Scene {
  readonly clock: VirtualClock;
  readonly connection: ClientConnection;
  readonly server: RawPeer;
  readonly call: RecordedCall;
}

async function scene(method: "echo" | "items" | "chat" = "echo", limits: Partial<SessionLimits> = {}): Promise<Scene> {
  const clock = virtualClock();
  const network = simulatedNetwork({ clock, latencyMs: 1 });
  const peers: RawPeer[] = [];
  const listener = await clock.runUntil(network.host("bad").listen({}, (stream) => peers.push(rawPeer(stream))));
  const connection = createTransport(network.host("good")).connect(listener.address, {
    clock,
    random: seededRandom(1),
    limits: { ...defaultLimits, ...limits },
    handler: { onReady() {}, onLoad() {}, onDraining() {}, onClosed() {} },
    connectTimeoutMs: 1000,
  });
  const call = new RecordedCall(Any.methods[method], "hi");
  connection.start(call);
  await clock.advance(20);
  const [server] = peers;
  assert.ok(server !== undefined);
  return { clock, connection, server, call };
}

function assertFailed({ call, connection }: Scene, words: RegExp): void {
  assert.ok(call.end?.type === "failure", `the call has not failed: ${call.end?.type}`);
  assert.match(call.end.failure.error.message, words);
  assert.equal(connection.openCalls, 0);
}

const scripts: readonly (readonly [
  name: string,
  method: "echo" | "items" | "chat",
  bytes: readonly Uint8Array[],
  words: RegExp,
])[] = [
  ["an HTTP answer", "echo", [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")], /bad:\d+ answers in HTTP, not Pipit/],
  ["a TLS alert", "echo", [Buffer.from("15030100020246", "hex")], /speaks TLS; give the client transport: tcp/],
  ["an SSH banner", "echo", [Buffer.from("SSH-2.0-OpenSSH_9.9\r\n")], /is an SSH server/],
  [
    "other bytes",
    "echo",
    [Buffer.from("220 mail.example.org ESMTP\r\n")],
    /does not speak Pipit: it began with "220 mail/,
  ],
  [
    "another version",
    "echo",
    [magicBytes, frame(0, 0, [5, 6, 0], text(""), text(""), [0, 0, 0, 0])],
    /speaks wire versions 5 to 6, this side 1 to 1/,
  ],
  ["a frame before the preface", "echo", [magicBytes, frame(4, 0, [0])], /before the preface/],
  ["an end of a stream that is not open", "echo", [serverPreface, frame(4, 5, [0])], /not open/],
  ["two ends of one stream", "echo", [serverPreface, frame(4, 0, [1, 0x60]), frame(4, 0, [1, 0x60])], /^$/],
  ["an oversize frame", "echo", [serverPreface, Buffer.from("ffffff7f0400000000", "hex")], /Frame length/],
  ["a frame of length zero", "echo", [serverPreface, Buffer.alloc(9)], /Frame length 0/],
  ["a reply without its message", "echo", [serverPreface, frame(4, 0, [0])], /Reply without its message/],
  [
    "metadata past the limit",
    "echo",
    [serverPreface, frame(8, 0, Buffer.alloc(10_240))],
    /Metadata of 10240 bytes: at most 8192/,
  ],
  [
    "a bomb of trailers",
    "echo",
    [serverPreface, frame(4, 0, [5, 1, 0x80, 0x80, 4], Buffer.alloc(65_536), [0, 0x60])],
    /Block of 65536 bytes/,
  ],
  [
    "retries used that are no number",
    "echo",
    [serverPreface, frame(4, 0, [5, 2, 2, 1, 1, 0, 0x60])],
    /Field of 2 bytes is no number/,
  ],
  [
    "a wait that is no number",
    "echo",
    [serverPreface, frame(5, 0, [14, 7, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0])],
    /Field of 9 bytes is no number/,
  ],
  [
    "a schema past the limit",
    "echo",
    [serverPreface, frame(0x12, 0, [0, 1, 2, 0x81, 0x80, 4], Buffer.alloc(65_537))],
    /Block of 65537 bytes/,
  ],
  ["too many declared errors", "echo", [serverPreface, frame(0x12, 0, [0, 1, 0, 0x81, 2])], /257 declared errors/],
  [
    "an item to a call that has one reply",
    "echo",
    [serverPreface, frame(2, 0, [0, 0x60])],
    /Item of the server on a unary call/,
  ],
  [
    "a reply with a message to a call that has a stream of them",
    "items",
    [serverPreface, frame(4, 0, [1, 0x60])],
    /Reply with a message on a server_stream call/,
  ],
  [
    "a long reply to a call that has a stream of them",
    "chat",
    [serverPreface, frame(4, 0, [3, 0, 0, 2, 0])],
    /Reply with a message on a bidi call/,
  ],
  [
    "pings without end",
    "echo",
    [serverPreface, Buffer.concat(Array.from({ length: 10_100 }, () => frame(0x0d, 0, Buffer.alloc(8))))],
    /10001 control frames for 0 messages/,
  ],
  [
    "windows without end",
    "chat",
    [serverPreface, Buffer.concat(Array.from({ length: 10_100 }, () => frame(0x0b, 0, [1])))],
    /10001 control frames for 0 messages/,
  ],
  ["an unknown frame below 0x80", "echo", [serverPreface, frame(0x33, 0)], /unknown type 51/],
  [
    "a reply with an unknown flag",
    "echo",
    [serverPreface, frame(4, 0, [0x21, 0x60])],
    /Flags 0x21 of a frame \(reply\)/,
  ],
  [
    "a reply with a flag of requests",
    "echo",
    [serverPreface, frame(4, 0, [0x09, 5, 0x60])],
    /Flags 0x9 of a frame \(reply\): expected none but 0x17/,
  ],
  ["an item with fields", "items", [serverPreface, frame(2, 0, [0x04, 0, 0x60])], /Flags 0x4 of a frame \(item\)/],
  ["a reply that is no CBOR", "echo", [serverPreface, frame(4, 0, [1, 0xff])], /Reply \$/],
  [
    "a reply longer than the limit",
    "echo",
    [serverPreface, frame(4, 0, [3, 0, 0, 0, 1])],
    /Message of 16777216 bytes: at most 4194304/,
  ],
  [
    "items without credit",
    "items",
    [serverPreface, ...Array.from({ length: 8 }, () => frame(2, 0, [0, 0x59, 0xc3, 0x50], Buffer.alloc(50_000)))],
    /Item beyond the window/,
  ],
  ["an answer to a binding that was not asked for", "echo", [serverPreface, frame(0x12, 0, [9, 0])], /not asked for/],
  ["an unknown answer to a binding", "echo", [serverPreface, frame(0x12, 0, [0, 7])], /Answer 7/],
  [
    "a go-away with a fault",
    "echo",
    [serverPreface, frame(0x0f, 0, [0, 13, 3, 4], Buffer.from("nope"), [0])],
    /closed the connection: nope/,
  ],
];

for (const [name, method, bytes, words] of scripts) {
  test(`a server that sends ${name}: the call ends with words for it`, async () => {
    const world = await scene(method);
    world.server.send(...bytes);
    await world.clock.advance(100);
    if (words.source === "^$") {
      assert.equal(world.call.end?.type, "reply");
      assert.equal(world.connection.state, "closed");
    } else assertFailed(world, words);
  });
}

test("a server that accepts and never speaks is given up after the handshake's time", async () => {
  const world = await scene();
  await world.clock.advance(10_100);
  assertFailed(world, /No whole frame for 10000 ms/);
});

test("a server that tells schemas without end gets no more of them resolved than the budget has", async () => {
  const world = await scene("echo", { maxForeignSchemaBytes: 100 });
  world.server.send(serverPreface, frame(0x12, 0, [0, 1, 2, 100], Buffer.alloc(100), [0]));
  world.server.send(frame(0x12, 0, [0, 1, 2, 1, 0, 0]), frame(4, 0, [1, 0x60]));
  await world.clock.advance(20);
  assert.match(
    world.call.end?.type === "failure" ? world.call.end.failure.error.message : "",
    /^101 bytes of schemas that differ from this side's: at most 100 are taken on a connection/,
  );
});

test("a server that holds a frame open, byte by byte, is given up", async () => {
  const world = await scene();
  world.server.send(serverPreface, frame(4, 0, Buffer.alloc(60_000)).subarray(0, 50));
  for (let i = 0; i < 20; i++) {
    await world.clock.advance(1000);
    world.server.send(Uint8Array.of(0));
  }
  assertFailed(world, /No whole frame for 10000 ms/);
});

test("a server that begins a long reply and sends no more of it is given up, though it answers pings", async () => {
  const world = await scene();
  world.server.send(serverPreface, frame(4, 0, [3, 0, 0, 0x40, 0]));
  for (let second = 0; second < 61 && world.connection.state !== "closed"; second++) {
    await world.clock.advance(1000);
    world.server.send(frame(0x0d, 0, Buffer.alloc(8)));
  }
  assertFailed(world, /No part of an unfinished message for 30000 ms/);
});

test("a server that never reads is found out by keepalive: all its calls end, and no more than its slots were kept", async () => {
  const world = await scene();
  world.server.send(serverPreface);
  await world.clock.advance(20);
  world.server.stream.pause();
  const calls: RecordedCall[] = [];
  while (world.connection.available && calls.length < 10_000) {
    const call = new RecordedCall(Any.methods.echo, "x".repeat(1000));
    world.connection.start(call);
    calls.push(call);
  }
  assert.ok(calls.length <= defaultLimits.maxStreams);
  await world.clock.advance(16_000);
  assert.equal(world.connection.state, "closed");
  for (const { end } of calls) assert.ok(end?.type === "failure" && end.failure.error.code === "unavailable");
  assertFailed(world, /gave no sign of life/);
});

test("a server that never ends cancelled calls gets no more of them than it has slots", async () => {
  const world = await scene();
  world.server.send(serverPreface);
  await world.clock.advance(20);
  let started = 0;
  for (; started < 20_000 && world.connection.available; started++) {
    world.connection.start(new RecordedCall(Any.methods.echo, started)).cancel();
  }
  assert.ok(started <= defaultLimits.maxStreams, "owed ends take slots");
});

test("a server that owes the ends of too many cancelled calls loses the connection", async () => {
  const world = await scene("echo", { maxOwedEnds: 100 });
  world.server.send(serverPreface);
  await world.clock.advance(20);
  for (let i = 0; i < 101; i++) world.connection.start(new RecordedCall(Any.methods.echo, i)).cancel();
  await world.clock.advance(20);
  assert.equal(world.connection.state, "closed");
  assertFailed(world, /owes the ends of 101 cancelled calls/);
});

test("a late reply to a cancelled call reaches nobody, and a reused slot is not hit by it", async () => {
  const world = await scene();
  world.server.send(serverPreface);
  await world.clock.advance(10);
  const cancelled = new RecordedCall(Any.methods.echo, "old");
  const stream = world.connection.start(cancelled);
  await world.clock.advance(10);
  stream.cancel();
  const ids = framesOf(world.server.received())
    .filter(({ type }) => type === 1)
    .map(({ streamId }) => streamId);
  world.server.send(frame(4, ids.at(-1) ?? 0, [1, 0x61, 0x61]));
  await world.clock.advance(10);
  const next = new RecordedCall(Any.methods.echo, "new");
  world.connection.start(next);
  await world.clock.advance(10);
  assert.deepEqual(cancelled.events, []);
  const [newest] = framesOf(world.server.received())
    .filter(({ type }) => type === 1)
    .slice(-1);
  assert.notEqual(newest?.streamId, ids.at(-1));
  assert.equal((newest?.streamId ?? 0) & 0xfffff, (ids.at(-1) ?? 0) & 0xfffff);
  world.server.send(frame(4, newest?.streamId ?? 0, [1, 0x61, 0x62]));
  await world.clock.advance(10);
  assert.deepEqual(next.end, { type: "reply", reply: "b", trailers: undefined });
});

test("random frames never throw out of the session, and leave no call open once the connection is gone", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const world = await scene((["echo", "items", "chat"] as const)[seed % 3] ?? "echo");
    world.server.send(serverPreface);
    for (let i = 0; i < 30; i++) {
      world.server.send(frame(random.u32() % 0x16, random.u32() % 3, random.bytes(random.u32() % 40)));
      await world.clock.advance(1);
    }
    world.connection.destroy(new RpcError("unavailable", "end"));
    assert.ok(world.call.end !== undefined);
  }
});
