import assert from "node:assert/strict";
import { test } from "node:test";
import { any, string, struct, u32 } from "@pipit/codec";
import { type IncomingCall, serverStream, service, unary, bidi } from "@pipit/protocol";
import { seededRandom } from "@pipit/simulation";
import {
  bindAny,
  clientPreface,
  frame,
  framesOf,
  magicBytes,
  type RawPeer,
  rawClient,
  text,
} from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";
import { type WirePair, type WirePairOptions, wirePair } from "../support/wire-pair.ts";

/*
 * A bad client against a good server. Each abuse must end in a closed connection or a clear error, and a good client on
 * another connection must not notice.
 */

const Any = service("any.Any", { echo: unary(), items: serverStream(), chat: bidi() });

function answer(call: IncomingCall): void {
  if (call.method.name === "echo") call.reply(call.decodeRequest(), undefined, call.retriesLent);
}

interface Scene extends WirePair {
  readonly stranger: RawPeer;
}

async function scene(options: Partial<WirePairOptions> = {}): Promise<Scene> {
  const pair = await wirePair({ contract: Any, onCall: answer, ...options });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  return { ...pair, stranger };
}

/** The stranger's connection ended, with these words in the go-away; the good client is served. */
async function assertPunished({ stranger, clock, connection }: Scene, words: RegExp, afterMs = 100): Promise<void> {
  await clock.advance(afterMs);
  assert.equal(stranger.ended(), true, "the connection is still open");
  const goAway = framesOf(stranger.received()).find(({ type }) => type === 0x0f);
  assert.match(goAway?.payload.toString("latin1") ?? "no go-away", words);
  await assertServed(clock, connection);
}

async function assertServed(clock: Scene["clock"], connection: Scene["connection"]): Promise<void> {
  const call = new RecordedCall(Any.methods.echo, "still here");
  connection.start(call);
  await clock.advance(100);
  assert.deepEqual(call.end, { type: "reply", reply: "still here", trailers: undefined });
}

/** Length as a varint, then the bytes. */
function block(bytes: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Buffer.from(length), bytes]);
  }
}

const echoOf = (streamId: number, value: string): Buffer =>
  frame(0x01, streamId, [0, 0x01, 0x60 + value.length], Buffer.from(value));

test("a client written by hand from the specification is served", async () => {
  const { stranger, clock } = await scene();
  stranger.send(clientPreface, bindAny(0, "any.Any", "echo"), echoOf(0, "hi"));
  await clock.advance(50);
  const types = framesOf(stranger.received()).map(({ type, payload }) => [type, payload.toString("hex")]);
  assert.deepEqual(types.slice(1), [
    [0x12, "0000"],
    [0x04, "01626869"],
  ]);
});

test("random bytes get the preface and a closed connection", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { stranger, clock, connection } = await scene();
    stranger.send(Uint8Array.of(0x7f), seededRandom(seed).bytes(3000));
    await clock.advance(100);
    assert.equal(stranger.ended(), true);
    assert.ok(stranger.received().subarray(0, 8).equals(magicBytes));
    await assertServed(clock, connection);
  }
});

test("an HTTP request is told what this port is, and probes are answered", async () => {
  let ready = true;
  const answers = [
    ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", /^HTTP\/1\.1 400 .*speaks Pipit RPC, not HTTP/s],
    ["GET /livez HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 200 OK.*ok\n$/s],
    ["GET /readyz HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 200 OK/],
  ] as const;
  for (const [request, expected] of answers) {
    const { stranger, clock } = await scene({ ready: () => ready });
    for (const byte of request) stranger.send(byte);
    await clock.advance(100);
    assert.match(stranger.received().toString(), expected);
    assert.equal(stranger.ended(), true);
  }
  ready = false;
  const { stranger, clock } = await scene({ ready: () => ready });
  stranger.send("GET /readyz HTTP/1.1\r\n\r\n");
  await clock.advance(100);
  assert.match(stranger.received().toString(), /^HTTP\/1\.1 503/);
});

test("an HTTP head without end is answered at 8 KiB, one held open is closed", async () => {
  const endless = await scene();
  endless.stranger.send(`GET /${"a".repeat(9000)}`);
  await endless.clock.advance(100);
  assert.match(endless.stranger.received().toString(), /^HTTP\/1\.1 400/);
  assert.equal(endless.stranger.ended(), true);
  const held = await scene();
  held.stranger.send("GET /livez HT");
  await held.clock.advance(9000);
  assert.equal(held.stranger.ended(), false);
  await held.clock.advance(1500);
  assert.equal(held.stranger.ended(), true);
  await assertServed(held.clock, held.connection);
});

test("a TLS client meeting a plain port gets a TLS alert", async () => {
  const { stranger, clock } = await scene();
  stranger.send(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
  await clock.advance(100);
  assert.deepEqual([...stranger.received()], [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);
  assert.equal(stranger.ended(), true);
});

test("a preface without a common version is told what is spoken", async () => {
  const world = await scene();
  world.stranger.send(magicBytes, frame(0, 0, [7, 9, 0], text(""), text(""), [0, 0, 0, 0]));
  await assertPunished(world, /speaks wire versions 7 to 9, this side 1 to 1/);
});

const scripts: readonly (readonly [name: string, bytes: readonly Uint8Array[], words: RegExp])[] = [
  ["a frame of length zero", [Buffer.alloc(9)], /Frame length 0/],
  ["a frame longer than the limit", [Buffer.from("ffffffff01000000ff", "hex")], /Frame length 4294967295/],
  ["an unknown frame type below 0x80", [frame(0x60, 0)], /unknown type 96/],
  ["a second preface", [clientPreface.subarray(8)], /unknown type 0/],
  ["a frame that ends inside its head", [frame(0x01, 0)], /ends inside its head/],
  ["a call of an unbound method", [frame(0x01, 0, [5, 1, 0x60])], /not bound/],
  [
    "the same stream id twice",
    [bindAny(0, "any.Any", "items", 1), frame(0x01, 3, [0, 1, 0x60]), frame(0x01, 3, [0, 1, 0x60])],
    /slot that is taken/,
  ],
  ["a slot past the limit", [bindAny(0, "any.Any", "echo"), frame(0x01, 0xfffff, [0, 1, 0x60])], /Stream slot 1048575/],
  ["a binding made twice", [bindAny(0, "any.Any", "echo"), bindAny(0, "any.Any", "echo")], /Binding 0 made twice/],
  ["a method of unknown kind", [bindAny(0, "any.Any", "echo", 9)], /unknown kind/],
  ["a unary call without its message", [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 0])], /without its message/],
  [
    "a request with an unknown flag",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 0x21, 0x60])],
    /Flags 0x21 of a frame \(request\): expected none but 0x1f/,
  ],
  [
    "an item with a deadline",
    [bindAny(0, "any.Any", "chat", 3), frame(0x01, 0, [0, 0]), frame(0x02, 0, [8, 5, 0x60])],
    /Flags 0x8 of a frame \(item\)/,
  ],
  [
    "an item to a call of one request",
    [bindAny(0, "any.Any", "items", 1), frame(0x01, 0, [0, 1, 0x60]), frame(0x02, 0, [0, 0x60])],
    /Item of the caller on a server_stream call/,
  ],
  [
    "an end of input to a call of one request",
    [bindAny(0, "any.Any", "items", 1), frame(0x01, 0, [0, 1, 0x60]), frame(0x03, 0)],
    /Input end on a server_stream call/,
  ],
  ["an item with an unknown flag for a stream that is gone", [frame(0x02, 9, [0x80, 0x60])], /Flags 0x80/],
  [
    "a message in the head of a stream of requests",
    [bindAny(0, "any.Any", "chat", 3), frame(0x01, 0, [0, 1, 0x60])],
    /head of a stream/,
  ],
  [
    "a chunk larger than its message",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 3, 4, 0, 0, 0]), frame(0x09, 0, [1, 2, 3, 4, 5])],
    /does not fit/,
  ],
  [
    "a long message with a part in its head",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 3, 4, 0, 0, 0, 9])],
    /carries a part/,
  ],
  ["a ping of the wrong size", [frame(0x0d, 0, [1, 2, 3])], /Ping of 3 bytes/],
  ["credit beyond all bounds", [frame(0x0c, 0, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])], /Credit beyond/],
  ["an over-long integer", [frame(0x0c, 0, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1])], /Over-long/],
  [
    "metadata past the limit",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 6, 0x80, 0x50], Buffer.alloc(10240), [0, 0x60])],
    /Metadata of 10240 bytes/,
  ],
  [
    "a header bomb",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 6, 0x80, 0x80, 4], Buffer.alloc(65536), [0, 0x60])],
    /Block of 65536 bytes/,
  ],
  [
    "an idempotency key past the limit",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 1, 0x81, 2], Buffer.alloc(257, 0x61), [0, 0x60])],
    /Idempotency key of 257 bytes/,
  ],
  [
    "a trace context past the limit",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 5, 0x81, 2], Buffer.alloc(257, 0x61), [0, 0x60])],
    /Trace context of 257 bytes/,
  ],
  [
    "an attempt that is no number",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 2, 2, 1, 1, 0, 0x60])],
    /Field of 2 bytes is no number/,
  ],
  [
    "a criticality that there is not",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 4, 1, 9, 0, 0x60])],
    /Field value 9: expected 0 to 2/,
  ],
  [
    "metadata whose name is none",
    [bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 5, 6, 4, 1, 0x0a, 0, 0, 0, 0x60])],
    /Metadata name/,
  ],
  [
    "a schema past the limit",
    [frame(0x11, 0, [0], text("any.Any"), text("echo"), [0, 2, 0x81, 0x80, 4], Buffer.alloc(65_537))],
    /Block of 65537 bytes where at most 65536/,
  ],
  ["text that is not UTF-8", [frame(0x11, 0, [0, 2, 0xff, 0xfe], text("echo"), [0, 0, 0, 0])], /not UTF-8/],
  [
    "too many declared errors",
    [frame(0x11, 0, [0], text("any.Any"), text("echo"), [0, 0, 0, 0x81, 2])],
    /257 declared errors/,
  ],
];

for (const [name, bytes, words] of scripts) {
  test(`${name} ends the connection, and says why`, async () => {
    const world = await scene();
    world.stranger.send(clientPreface, ...bytes);
    await assertPunished(world, words);
  });
}

test("a frame held open, byte by byte, ends within twice the handshake's time", async () => {
  const world = await scene();
  world.stranger.send(clientPreface, frame(0x01, 0, Buffer.alloc(60_000)).subarray(0, 100));
  for (let i = 0; i < 20; i++) {
    await world.clock.advance(1000);
    world.stranger.send(Uint8Array.of(0));
  }
  await assertPunished(world, /No whole frame for 10000 ms/);
});

test("a connection that never says anything is closed", async () => {
  const { stranger, clock, connection } = await scene();
  await clock.advance(10_500);
  assert.equal(stranger.ended(), true);
  await assertServed(clock, connection);
});

test("items beyond the window end the connection", async () => {
  const world = await scene();
  world.stranger.send(clientPreface, bindAny(0, "any.Any", "chat", 3), frame(0x01, 0, [0, 0]));
  for (let i = 0; i < 6; i++) world.stranger.send(frame(0x02, 0, [0, 0x59, 0xc3, 0x50], Buffer.alloc(50_000)));
  await world.clock.advance(50);
  assert.equal(world.stranger.ended(), false, "credit may be overdrawn by one item");
  world.stranger.send(frame(0x02, 0, [0, 0x60]));
  await assertPunished(world, /Item beyond the window/);
});

test("items past the limit of the process, to a unary call that runs, never have it refused: it may not be sent again", async () => {
  for (const first of [
    [0, 0x60],
    [2, 0, 0, 1, 0],
  ]) {
    const world = await scene({
      onCall: (call) => (call.peer.address.includes("stranger") ? undefined : answer(call)),
      serverLimits: { maxProcessUnreadBytes: 1 },
    });
    world.stranger.send(clientPreface, bindAny(0, "any.Any", "echo"), echoOf(0, "hi"));
    world.stranger.send(frame(0x02, 0, first), frame(0x09, 0, Buffer.alloc(65_536)));
    for (let i = 0; i < 6; i++) world.stranger.send(frame(0x02, 0, [0, 0x59, 0xc3, 0x50], Buffer.alloc(50_000)));
    await assertPunished(world, /Item of the caller on a unary call/);
    assert.equal(world.calls[0]?.open, false);
    const types = framesOf(world.stranger.received()).map(({ type }) => type);
    assert.deepEqual(types, [0x00, 0x12, 0x0f]);
  }
});

test("a peer that authenticate refuses, or has not judged yet, is told nothing: no preface, no schema, no probe", async () => {
  for (const judge of [() => Promise.reject(new Error("who?")), () => new Promise(() => undefined)]) {
    const authenticate = ({ address }: { readonly address: string }): unknown =>
      address.startsWith("stranger") ? judge() : undefined;
    const { stranger, network, clock, listener, connection } = await scene({ authenticate });
    const prober = await rawClient(network, clock, listener.address);
    prober.send("GET /livez HTTP/1.1\r\n\r\n");
    stranger.send(clientPreface, bindAny(0, "any.Any", "echo"), echoOf(0, "hi"));
    await clock.advance(10_500);
    for (const peer of [stranger, prober]) assert.deepEqual([peer.received().length, peer.ended()], [0, true]);
    await assertServed(clock, connection);
  }
});

test("items that nobody reads end their streams past the limit of the process, on connections that hold over one window", async () => {
  const world = await scene({ serverLimits: { maxProcessUnreadBytes: 1_000_000 } });
  const { stranger, network, clock, listener } = world;
  const item = (id: number): Buffer => frame(0x02, id, [0, 0x59, 0xc3, 0x50], Buffer.alloc(50_000));
  const errorsAt = (peer: RawPeer): Buffer[] =>
    framesOf(peer.received()).flatMap(({ type, payload }) => (type === 0x05 ? [payload] : []));
  stranger.send(clientPreface, bindAny(0, "any.Any", "chat", 3));
  for (let id = 0; id < 8; id++) {
    stranger.send(frame(0x01, id, [0, 0]));
    for (let count = 0; count < 5; count++) stranger.send(item(id));
  }
  await clock.advance(50);
  const errors = errorsAt(stranger);
  assert.ok(errors.length >= 4 && errors.length <= 5, `${errors.length} of 8 streams ended`);
  for (const error of errors)
    assert.match(error.toString("latin1"), /more than 1000000 bytes of items that nobody has read/);
  assert.equal(stranger.ended(), false);

  const modest = await rawClient(network, clock, listener.address);
  modest.send(clientPreface, bindAny(0, "any.Any", "chat", 3), frame(0x01, 0, [0, 0]));
  for (let count = 0; count < 5; count++) modest.send(item(0));
  await clock.advance(50);
  assert.deepEqual(errorsAt(modest), []);

  stranger.stream.destroy();
  await clock.advance(50);
  modest.send(frame(0x01, 1, [0, 0]), item(1));
  await clock.advance(50);
  assert.deepEqual(errorsAt(modest), []);
  await assertServed(clock, world.connection);
});

test("100,000 cancelled calls are each ended once, and cost no memory afterwards", async () => {
  const { stranger, clock, connection, calls } = await scene({ onCall: () => {} });
  stranger.send(clientPreface, bindAny(0, "any.Any", "items", 1));
  for (let batch = 0; batch < 100; batch++) {
    const parts: Buffer[] = [];
    for (let i = 0; i < 1000; i++) {
      const id = (i | ((batch & 0xfff) << 20)) >>> 0;
      parts.push(frame(0x01, id, [0, 1, 0x60]), frame(0x0a, id));
    }
    stranger.send(...parts);
    await clock.advance(5);
  }
  const ends = framesOf(stranger.received()).filter(({ type }) => type === 0x05).length;
  assert.equal(ends, 100_000);
  assert.equal(calls.length, 100_000);
  assert.ok(calls.every((call) => !call.open));
  assert.equal(stranger.ended(), false);
  void connection;
});

test("a flood of pings, windows or cancels without work ends the connection", async () => {
  for (const one of [frame(0x0d, 0, Buffer.alloc(8)), frame(0x0c, 0, [1]), frame(0x0a, 7), frame(0x03, 7)]) {
    const world = await scene();
    world.stranger.send(clientPreface);
    const burst = Buffer.concat(Array.from({ length: 2500 }, () => one));
    for (let i = 0; i < 5; i++) {
      world.stranger.send(burst);
      await world.clock.advance(5);
    }
    await assertPunished(world, /1000\d control frames for 0 messages/);
  }
});

test("a flood of bindings ends the connection", async () => {
  const world = await scene({ serverLimits: { maxBindings: 100 } });
  const binds = Array.from({ length: 101 }, (_, i) => bindAny(i, "any.Any", "echo"));
  world.stranger.send(clientPreface, ...binds);
  await assertPunished(world, /More than 100 methods/);
});

test("a thousand half-received 4 MiB messages stay within the budget, and are refused past it", async () => {
  const { stranger, clock, connection } = await scene();
  stranger.send(clientPreface, bindAny(0, "any.Any", "echo"));
  // A text of 4 MiB, its head included.
  const begin = Buffer.concat([Buffer.from([0x7a, 0, 0x3f, 0xff, 0xfb]), Buffer.alloc(95, 0x61)]);
  const rest = Buffer.alloc(4 * 1024 * 1024, 0x61);
  for (let i = 0; i < 1000; i++) stranger.send(frame(0x01, i, [0, 3, 0, 0, 0x40, 0]), frame(0x09, i, begin));
  await clock.advance(200);
  const refused = framesOf(stranger.received()).filter(({ type }) => type === 0x06);
  assert.equal(refused.length, 996);
  assert.match(refused[0]?.payload.toString("latin1") ?? "", /unfinished ones: at most 16777216 are held/);
  assert.equal(stranger.ended(), false);
  await assertServed(clock, connection);
  // Those that were admitted wait for nobody: each is answered when the rest of it has come.
  const last = 4 * 1024 * 1024 - 100;
  for (let slot = 0; slot < 4; slot++) {
    for (let at = 0; at < last; at += 65_536)
      stranger.send(frame(0x09, slot, rest.subarray(at, Math.min(last, at + 65_536))));
  }
  await clock.advance(1000);
  const ends = framesOf(stranger.received()).filter(({ type, streamId }) => type === 0x04 && streamId < 4);
  assert.equal(ends.length, 4);
});

test("large schemas that are not the server's are taken up to a budget, and refused past it", async () => {
  const Typed = service("any.Any", { echo: unary(struct({ text: string }), struct({ text: string })) });
  const pair = await wirePair({ contract: Typed, onCall: (call) => call.reply({ text: "hi" }, undefined, 0) });
  const stranger = await rawClient(pair.network, pair.clock, pair.listener.address);
  const schemaOf = (fields: Record<string, typeof u32>): Buffer =>
    block(any.encode(struct({ text: string, ...fields }).schema));
  const own = schemaOf({});
  const bind = (number: number, request: Buffer): Buffer =>
    frame(0x11, 0, [number], text("any.Any"), text("echo"), [0, 2], request, [2], own, [0]);
  const large = (seed: number): Buffer =>
    schemaOf(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${seed}_${i}`, u32])));
  stranger.send(
    clientPreface,
    ...Array.from({ length: 20 }, (_, number) => bind(number, large(number))),
    bind(20, own),
  );
  await pair.clock.advance(100);
  const results = framesOf(stranger.received()).filter(({ type }) => type === 0x12);
  const kinds = results.map(({ payload }) => payload[1]);
  assert.equal(kinds.length, 21);
  const taken = kinds.filter((kind) => kind === 0).length - 1;
  assert.ok(taken >= 8 && taken <= 13, `${taken} of 20 kB each are taken`);
  assert.match(String(results[19]?.payload), /bytes of schemas that differ from this side's: at most 262144/);
  assert.equal(kinds[20], 0, "the server's own is always taken");
});

test("half-received messages of many connections stay within the budget of the process", async () => {
  const { network, clock, listener, connection } = await scene();
  const strangers: RawPeer[] = [];
  for (let i = 0; i < 17; i++) {
    const stranger = await rawClient(network, clock, listener.address);
    strangers.push(stranger);
    stranger.send(clientPreface, bindAny(0, "any.Any", "echo"));
    for (let slot = 0; slot < 4; slot++) stranger.send(frame(0x01, slot, [0, 3, 0, 0, 0x40, 0]));
  }
  await clock.advance(100);
  const refusedOf = (stranger: RawPeer | undefined): Buffer[] =>
    framesOf(stranger?.received() ?? Buffer.alloc(0)).flatMap(({ type, payload }) => (type === 0x06 ? [payload] : []));
  const refused = strangers.flatMap(refusedOf);
  assert.ok(refused.length >= 4, `${refused.length} refused`);
  assert.match(String(refused[0]), /of all connections: at most 268435456 are held/);
  await assertServed(clock, connection);
  // What was held for one that has gone is there for the others.
  strangers[0]?.stream.destroy();
  await clock.advance(10);
  const before = refusedOf(strangers.at(-1)).length;
  strangers.at(-1)?.send(frame(0x01, 9, [0, 3, 0, 0, 0x40, 0]));
  await clock.advance(10);
  assert.equal(refusedOf(strangers.at(-1)).length, before);
  for (const { stream } of strangers) stream.destroy();
  await clock.advance(10);
});

test("a message whose rest does not come ends the connection, whatever else is said", async () => {
  const world = await scene();
  const { stranger, clock } = world;
  stranger.send(clientPreface, bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 3, 0, 0, 0x40, 0]));
  stranger.send(frame(0x09, 0, Buffer.alloc(100)));
  for (let second = 0; second < 61 && !stranger.ended(); second++) {
    await clock.advance(1000);
    stranger.send(frame(0x0d, 0, Buffer.alloc(8)));
  }
  await assertPunished(world, /No part of an unfinished message for 30000 ms/);
});

test("a long message that comes slowly, but comes, is served", async () => {
  const { stranger, clock } = await scene();
  const size = 70_000;
  const body = Buffer.concat([Buffer.from([0x7a, 0, 1, 0x11, 0x6b]), Buffer.alloc(size - 5, 0x61)]);
  stranger.send(clientPreface, bindAny(0, "any.Any", "echo"), frame(0x01, 0, [0, 3, 0x70, 0x11, 1, 0]));
  for (let at = 0; at < size; at += 14_000) {
    for (let sign = 0; sign < 3; sign++) {
      await clock.advance(9000);
      stranger.send(frame(0x0d, 0, Buffer.alloc(8)));
    }
    stranger.send(frame(0x09, 0, body.subarray(at, at + 14_000)));
  }
  await clock.advance(100);
  assert.ok(framesOf(stranger.received()).some(({ type }) => type === 0x04));
});

test("a peer that never reads is not read either, and is given up", async () => {
  const blob = "x".repeat(60_000);
  const { stranger, clock, connection } = await scene({
    onCall: (call) =>
      call.reply(
        call.method.name === "echo" && call.peer.address.includes("stranger") ? blob : call.decodeRequest(),
        undefined,
        2,
      ),
    serverLimits: { maxUnsentBytes: 1_000_000 },
  });
  stranger.stream.pause();
  stranger.send(clientPreface, bindAny(0, "any.Any", "echo"));
  for (let i = 0; i < 100; i++) {
    stranger.send(...Array.from({ length: 10 }, (_, slot) => echoOf((slot | (i << 20)) >>> 0, "hi")));
    await clock.advance(5);
  }
  await clock.advance(31_000);
  stranger.stream.resume();
  await clock.advance(100);
  assert.equal(stranger.ended(), true);
  await assertServed(clock, connection);
});

test("unknown streams and late frames are dropped", async () => {
  const { stranger, clock, connection } = await scene();
  stranger.send(
    clientPreface,
    bindAny(0, "any.Any", "echo"),
    frame(0x0a, 77),
    frame(0x03, 78),
    frame(0x09, 79, [1]),
    frame(0x0b, 80, [9]),
  );
  stranger.send(echoOf(0, "hi"));
  await clock.advance(50);
  assert.equal(framesOf(stranger.received()).at(-1)?.type, 0x04);
  await assertServed(clock, connection);
});
