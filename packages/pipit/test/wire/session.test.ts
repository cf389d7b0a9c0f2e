import assert from "node:assert/strict";
import { test } from "node:test";
import { array, bytes, int, optional, string, struct, u32 } from "@pipit/codec";
import {
  bidi,
  clientStream,
  type IncomingCall,
  Metadata,
  oneway,
  RpcError,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { RecordedCall } from "../support/recorded-call.ts";
import { wirePair } from "../support/wire-pair.ts";

const Echo = service("test.Echo", {
  echo: unary(struct({ text: string }), struct({ text: string }), { errors: { taken: struct({ by: string }) } }),
  blob: unary(bytes, bytes),
  loose: unary(),
  count: serverStream(struct({ to: u32 }), u32),
  sum: clientStream(int, int),
  chat: bidi(string, string),
  note: oneway(string),
});

function answer(call: IncomingCall): void {
  if (call.method.name === "echo")
    call.reply({ text: `${(call.decodeRequest() as { text: string }).text}!` }, undefined, 2);
  else call.reply(call.decodeRequest(), undefined, 2);
}

test("a call is answered, and calls interleave in any order", async () => {
  const held: IncomingCall[] = [];
  const pair = await wirePair({ contract: Echo, onCall: (call) => held.push(call) });
  const calls = ["a", "b", "c"].map((text) => new RecordedCall(Echo.methods.echo, { text }));
  for (const call of calls) pair.connection.start(call);
  await pair.clock.advance(10);
  for (const call of held.reverse()) answer(call);
  await pair.clock.advance(10);
  assert.deepEqual(
    calls.map((call) => call.end),
    ["a!", "b!", "c!"].map((text) => ({ type: "reply", reply: { text }, trailers: undefined })),
  );
  assert.equal(pair.connection.openCalls, 0);
});

test("a request that does not encode is refused at once, names the place, and sends nothing", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer });
  const bad = new RecordedCall(Echo.methods.echo, { text: 3 });
  assert.throws(
    () => pair.connection.start(bad),
    (error: unknown) =>
      error instanceof RpcError && error.code === "invalid_argument" && /\$\.text/.test(error.message),
  );
  const good = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(good);
  await pair.clock.advance(10);
  assert.equal(good.end?.type, "reply");
  assert.equal(pair.calls.length, 1);
});

test("every field of the head reaches the server, and only what is there is sent", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" }, pair.clock.now() + 1500);
  call.metadata = new Metadata({ tenant: "t1", raw: Uint8Array.of(1, 2) });
  call.idempotencyKey = "key-1";
  call.attempt = 2;
  call.retriesLent = 1;
  call.criticality = 2;
  call.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  pair.connection.start(call);
  await pair.clock.advance(10);
  const [seen] = pair.calls;
  assert.equal(seen?.metadata?.get("tenant"), "t1");
  assert.deepEqual(seen?.metadata?.get("raw"), Uint8Array.of(1, 2));
  assert.equal(seen?.idempotencyKey, "key-1");
  assert.equal(seen?.attempt, 2);
  assert.equal(seen?.retriesLent, 1);
  assert.equal(seen?.criticality, 2);
  assert.equal(seen?.traceparent, call.traceparent);
  assert.ok((seen?.deadlineMs ?? 0) >= 1500 && (seen?.deadlineMs ?? 0) <= 1510, String(seen?.deadlineMs));
});

test("a declared error arrives typed, with trailers; an undeclared one as code and message", async () => {
  const pair = await wirePair({
    contract: Echo,
    onCall: (call) =>
      call.fail(
        new RpcError("already_exists", "taken", { error: "taken", data: { by: "Ada" } }),
        new Metadata({ hint: "later" }),
        2,
      ),
  });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(call);
  await pair.clock.advance(10);
  assert.equal(call.end?.type, "failure");
  const error = call.end?.type === "failure" ? call.end.failure.error : undefined;
  assert.equal(error?.code, "already_exists");
  assert.equal(error?.error, "taken");
  assert.deepEqual(error?.data, { by: "Ada" });
  assert.equal(error?.metadata?.get("hint"), "later");
  assert.equal(error?.handled, "yes");
});

test("a refused call says that it did not run", async () => {
  const pair = await wirePair({
    contract: Echo,
    onCall: (call) => call.refuse(new RpcError("resource_exhausted", "full")),
  });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(call);
  await pair.clock.advance(10);
  assert.ok(call.end?.type === "failure" && call.end.failure.refused && call.end.failure.handled === "no");
});

test("a stream of replies comes in order, held back by the reader's credit", async () => {
  const total = 60_000;
  let sent = 0;
  const pair = await wirePair({
    contract: Echo,
    onCall(call) {
      call.accept();
      const pump = (): void => {
        while (sent < total && call.writable) call.send(sent++);
        if (sent === total) call.end(undefined, 2);
      };
      call.handler = { onItem() {}, onInputEnd() {}, onCancel() {}, onWritable: pump };
      pump();
    },
  });
  const call = new RecordedCall(Echo.methods.count, { to: total });
  const stream = pair.connection.start(call);
  await pair.clock.advance(100);
  const unread = sent;
  assert.ok(unread < total && unread > 1000, `${unread} items sent ahead of a reader that takes none`);
  let held = 0;
  for (const event of call.events) if (event.type === "item") held += event.bytes;
  call.onEvent = (event) => {
    if (event.type === "item") stream.release(event.bytes);
  };
  stream.release(held);
  await pair.clock.advance(1000);
  assert.equal(sent, total);
  assert.deepEqual(
    call.items,
    Array.from({ length: total }, (_, i) => i),
  );
  assert.equal(call.end?.type, "reply");
});

test("long messages are cut, interleaved, and whole at the other end; small calls pass them", async () => {
  const order: string[] = [];
  const pair = await wirePair({ contract: Echo, onCall: answer });
  const long = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
  const blobs = [long, long.slice(0, 2_000_000)].map((request) => new RecordedCall(Echo.methods.blob, request));
  for (const [index, call] of blobs.entries()) {
    call.onEvent = () => order.push(`blob ${index}`);
    pair.connection.start(call);
  }
  await pair.clock.advance(2);
  const small = new RecordedCall(Echo.methods.echo, { text: "x" });
  small.onEvent = () => order.push("small");
  pair.connection.start(small);
  await pair.clock.advance(10_000);
  assert.deepEqual(
    blobs.map((call) => call.end?.type),
    ["reply", "reply"],
  );
  const [first] = blobs;
  assert.ok(first?.end?.type === "reply");
  assert.deepEqual(Buffer.compare(first.end.reply as Uint8Array, long), 0);
  assert.equal(order[0], "small");
});

test("a message longer than the limit is refused before it is sent, and by a receiver before it is kept", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer, serverLimits: { maxMessageBytes: 100_000 } });
  const early = new RecordedCall(Echo.methods.blob, new Uint8Array(200_000));
  pair.connection.start(early);
  await pair.clock.advance(50);
  assert.ok(early.end?.type === "failure" && early.end.failure.refused);
  assert.match(early.end.failure.error.message, /200.?\d\d\d bytes: at most 100000/);
  const late = new RecordedCall(Echo.methods.blob, new Uint8Array(200_000));
  assert.throws(() => pair.connection.start(late), /the peer accepts at most 100000/);
  const fits = new RecordedCall(Echo.methods.blob, new Uint8Array(90_000));
  pair.connection.start(fits);
  await pair.clock.advance(50);
  assert.equal(fits.end?.type, "reply");
});

test("cancel reaches the handler, ends in one terminal frame, and frees the slot only then", async () => {
  const cancelled: string[] = [];
  const pair = await wirePair({
    contract: Echo,
    onCall(call) {
      call.handler = {
        onItem() {},
        onInputEnd() {},
        onWritable() {},
        onCancel: (reason) => cancelled.push(reason.code),
      };
    },
    serverLimits: { maxStreams: 1024 },
  });
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: 1024 }, () => new RecordedCall(Echo.methods.echo, { text: "x" }));
    const streams = calls.map((call) => pair.connection.start(call));
    assert.equal(pair.connection.available, false);
    for (const stream of streams) stream.cancel();
    assert.equal(pair.connection.available, false);
    await pair.clock.advance(10);
    assert.equal(pair.connection.available, true);
    assert.ok(calls.every((call) => call.events.length === 0));
  }
  assert.equal(cancelled.length, 3 * 1024);
});

test("a one-way call settles when it is written", async () => {
  const pair = await wirePair({ contract: Echo });
  const call = new RecordedCall(Echo.methods.note, "hello");
  pair.connection.start(call);
  await pair.clock.advance(5);
  assert.equal(call.end?.type, "reply");
  assert.equal(pair.calls[0]?.decodeRequest(), "hello");
});

test("a stream of requests flows both ways at once", async () => {
  const pair = await wirePair({
    contract: Echo,
    onCall(call) {
      call.accept();
      call.handler = {
        onItem(item, size) {
          call.release(size);
          call.send(`${item as string}?`);
        },
        onInputEnd: () => call.end(new Metadata({ bye: "now" }), 2),
        onCancel() {},
        onWritable() {},
      };
    },
  });
  const call = new RecordedCall(Echo.methods.chat, undefined);
  const stream = pair.connection.start(call);
  stream.send("a");
  await pair.clock.advance(5);
  stream.send("b");
  stream.endInput();
  await pair.clock.advance(5);
  assert.deepEqual(call.items, ["a?", "b?"]);
  assert.ok(call.end?.type === "reply");
  assert.equal(call.end.trailers?.get("bye"), "now");
});

test("methods without a schema carry any value, and match only each other", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer });
  const call = new RecordedCall(Echo.methods.loose, { deep: [1, "two", new Date(3)] });
  pair.connection.start(call);
  await pair.clock.advance(10);
  assert.deepEqual(call.end, { type: "reply", reply: { deep: [1, "two", new Date(3)] }, trailers: undefined });
});

test("contracts that differ are resolved by names, or refused in words without harm to other methods", async () => {
  const Newer = service("test.Echo", {
    echo: unary(
      struct({ text: string, lang: optional(string) }),
      struct({ text: string, length: optional(u32, { default: 0 }) }),
    ),
    blob: unary(string, bytes),
    extra: unary(string, array(string)),
  });
  const pair = await wirePair({ contract: Newer, serverContract: Echo, onCall: answer });
  const calls = {
    echo: new RecordedCall(Newer.methods.echo, { text: "x", lang: "en" }),
    blob: new RecordedCall(Newer.methods.blob, "x"),
    extra: new RecordedCall(Newer.methods.extra, "x"),
  };
  for (const call of Object.values(calls)) pair.connection.start(call);
  await pair.clock.advance(10);
  assert.deepEqual(calls.echo.end, { type: "reply", reply: { text: "x!", length: 0 }, trailers: undefined });
  assert.ok(calls.blob.end?.type === "failure" && calls.blob.end.failure.refused);
  assert.equal(calls.blob.end.failure.error.code, "failed_precondition");
  assert.match(calls.blob.end.failure.error.message, /request: .*string.*bytes/);
  assert.ok(calls.extra.end?.type === "failure" && calls.extra.end.failure.error.code === "unimplemented");
  assert.equal(pair.calls.length, 1);
});

test("draining refuses later calls, lets running ones end, and then closes without an error", async () => {
  const held: IncomingCall[] = [];
  const pair = await wirePair({ contract: Echo, onCall: (call) => held.push(call) });
  const running = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(running);
  await pair.clock.advance(5);
  const drained = pair.listener.drain();
  const late = new RecordedCall(Echo.methods.echo, { text: "y" });
  pair.connection.start(late);
  await pair.clock.advance(5);
  assert.ok(late.end?.type === "failure" && late.end.failure.refused);
  assert.equal(pair.connection.available, false);
  for (const call of held) answer(call);
  await pair.clock.runUntil(drained);
  assert.equal(running.end?.type, "reply");
  assert.deepEqual(pair.states, ["ready", "draining", "closed"]);
  assert.equal(pair.closedWith(), undefined);
});

test("a lost connection ends every call, and says which cannot have run", async () => {
  const pair = await wirePair({ contract: Echo });
  const sent = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(sent);
  await pair.clock.advance(5);
  const unsent = new RecordedCall(Echo.methods.echo, { text: "y" });
  const stream = pair.connection.start(unsent);
  pair.connection.destroy();
  assert.ok(sent.end?.type === "failure" && sent.end.failure.handled === "maybe");
  assert.ok(unsent.end?.type === "failure" && unsent.end.failure.handled === "no");
  assert.deepEqual(stream.takeRequestBytes(), Echo.methods.echo.request?.encode({ text: "y" }));
});

test("calls started while connecting go out when it stands, and fail as not run when it does not", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(call);
  assert.equal(pair.connection.state, "connecting");
  await pair.clock.advance(10);
  assert.equal(call.end?.type, "reply");
});

test("a connection that does not come about in time fails, with what waited for it not run", async () => {
  const pair = await wirePair({ contract: Echo, onCall: answer });
  await pair.clock.advance(10);
  pair.network.partition(["client"], ["server"]);
  const late = pair.connect();
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  late.start(call);
  await pair.clock.advance(4990);
  assert.equal(call.events.length, 0);
  await pair.clock.advance(20);
  assert.ok(call.end?.type === "failure" && call.end.failure.handled === "no");
  assert.match(call.end.failure.error.message, /^No connection to server:\d+ within 5000 ms/);
  assert.equal(late.state, "closed");
});

test("a peer that falls silent while a call waits is found by keepalive", async () => {
  const pair = await wirePair({ contract: Echo });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(call);
  await pair.clock.advance(100);
  pair.network.partition(["client"], ["server"]);
  await pair.clock.advance(16_000);
  assert.ok(call.end?.type === "failure");
  assert.match(call.end.failure.error.message, /gave no sign of life for 15\d\d\d ms/);
  assert.equal(call.end.failure.handled, "maybe");
});

test("a quiet call on a living connection outlasts keepalive", async () => {
  const pair = await wirePair({ contract: Echo });
  const call = new RecordedCall(Echo.methods.echo, { text: "x" });
  pair.connection.start(call);
  await pair.clock.advance(120_000);
  assert.equal(call.end, undefined);
});
