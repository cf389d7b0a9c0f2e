import assert from "node:assert/strict";
import { test } from "node:test";
import { isRpcError, service, unary } from "@pipit/protocol";
import { frame, type RawPeer, rawPeer, serverPreface } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";
import { wirePair } from "../support/wire-pair.ts";

/* A message may run its caller's code while it is encoded (a getter), and that may call on the very same connection. */

const Any = service("nested.Any", { echo: unary() });

test("a call made while another's request is encoded has a stream of its own", async () => {
  const pair = await wirePair({ contract: Any, onCall: (call) => call.reply(call.decodeRequest(), undefined, 1) });
  const inner: RecordedCall[] = [];
  const request = {
    get value(): string {
      const call = new RecordedCall(Any.methods.echo, `inner ${inner.length}`);
      inner.push(call);
      pair.connection.start(call);
      return "outer";
    },
  };
  const outer = new RecordedCall(Any.methods.echo, request);
  pair.connection.start(outer);
  await pair.clock.advance(100);
  assert.ok(inner.length > 0);
  for (const [index, call] of inner.entries())
    assert.deepEqual(call.end, { type: "reply", reply: `inner ${index}`, trailers: undefined });
  assert.deepEqual(outer.end, { type: "reply", reply: { value: "outer" }, trailers: undefined });
});

test("an outer request that does not encode takes nothing from the calls made inside it", async () => {
  const pair = await wirePair({ contract: Any, onCall: (call) => call.reply(call.decodeRequest(), undefined, 1) });
  const inner: RecordedCall[] = [];
  const request = {
    get value(): unknown {
      const call = new RecordedCall(Any.methods.echo, `inner ${inner.length}`);
      inner.push(call);
      pair.connection.start(call);
      return Symbol("of no wire");
    },
  };
  assert.throws(() => pair.connection.start(new RecordedCall(Any.methods.echo, request)));
  const later = new RecordedCall(Any.methods.echo, "later");
  pair.connection.start(later);
  await pair.clock.advance(100);
  assert.ok(inner.length > 0);
  for (const [index, call] of inner.entries())
    assert.deepEqual(call.end, { type: "reply", reply: `inner ${index}`, trailers: undefined });
  assert.deepEqual(later.end, { type: "reply", reply: "later", trailers: undefined });
});

test("a call whose request ends its own connection while it is encoded fails at once, as not run", async () => {
  for (const value of [1, Symbol("of no wire")]) {
    const pair = await wirePair({ contract: Any, onCall: (call) => call.reply(call.decodeRequest(), undefined, 1) });
    await pair.clock.advance(10);
    const request = {
      get value(): unknown {
        pair.connection.destroy();
        return value;
      },
    };
    const call = new RecordedCall(Any.methods.echo, request);
    const isNotRun = (error: unknown): boolean =>
      isRpcError(error) && error.code === "unavailable" && error.handled === "no";
    assert.throws(() => pair.connection.start(call), isNotRun);
    await pair.clock.advance(10);
    assert.deepEqual(call.events, []);
    assert.equal(pair.connection.openCalls, 0);
  }
});

test("a reply whose getter ends its own connection leaves whole, behind those of the same turn; what is open then ends", async () => {
  for (const size of [1, 100_000]) {
    const before = "x".repeat(size);
    const reply = {
      before,
      get value(): string {
        pair.listener.destroy();
        return "last";
      },
    };
    const pair = await wirePair({
      contract: Any,
      onCall(call) {
        const request = call.decodeRequest();
        if (request !== "stay") call.reply(request === "end" ? reply : request, undefined, 1);
      },
    });
    const calls = ["stay", "first", "end", "next"].map((request) => new RecordedCall(Any.methods.echo, request));
    for (const call of calls) pair.connection.start(call);
    await pair.clock.advance(100);
    const [stays, first, last, next] = calls.map(({ end }) => end);
    assert.deepEqual(first, { type: "reply", reply: "first", trailers: undefined });
    assert.deepEqual(last, { type: "reply", reply: { before, value: "last" }, trailers: undefined });
    assert.deepEqual(next, { type: "reply", reply: "next", trailers: undefined });
    assert.ok(stays?.type === "failure");
    assert.equal(stays.failure.error.message, "The server is closing");
    assert.equal(pair.calls[0]?.open, false);
    assert.deepEqual([pair.connection.state, pair.listener.connections], ["closed", 0]);
  }
});

test("of calls made inside another's encoding none is said not to have run that the server had taken", async () => {
  // What the outer call sends, how many calls the server says it took, and how those it lost were handled: outer, first and second inner.
  const cases: readonly (readonly [unknown, number, readonly unknown[]])[] = [
    ["outer", 0, ["no", "no", "no"]],
    ["outer", 1, ["maybe", "maybe", "no"]],
    ["outer", 2, ["maybe", "maybe", "maybe"]],
    [Symbol("of no wire"), 0, [undefined, "no", "no"]],
    [Symbol("of no wire"), 1, [undefined, "maybe", "no"]],
  ];
  for (const [value, taken, handled] of cases) {
    const pair = await wirePair({ contract: Any });
    const peers: RawPeer[] = [];
    const listener = await pair.clock.runUntil(
      pair.network.host("other").listen({}, (stream) => peers.push(rawPeer(stream))),
    );
    const connection = pair.connect(listener.address);
    await pair.clock.advance(10);
    const inner = [new RecordedCall(Any.methods.echo, 1), new RecordedCall(Any.methods.echo, 2)];
    const started = new Set<RecordedCall>();
    const request = {
      get value(): unknown {
        // It may be asked twice.
        for (const call of started.size === 0 ? inner : []) {
          started.add(call);
          connection.start(call);
        }
        return value;
      },
    };
    const outer = new RecordedCall(Any.methods.echo, request);
    if (value === "outer") connection.start(outer);
    else assert.throws(() => connection.start(outer));
    await pair.clock.advance(10);
    peers[0]?.send(serverPreface, frame(0x0f, 0, [taken, 14, 0]));
    await pair.clock.advance(10);
    peers[0]?.stream.destroy();
    await pair.clock.advance(10);
    const seen = [outer, ...inner].map(({ end }) => (end?.type === "failure" ? end.failure.handled : end?.type));
    assert.deepEqual(seen, handled, `${String(value)}, ${taken} taken`);
  }
});
