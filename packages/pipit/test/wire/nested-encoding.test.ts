import assert from "node:assert/strict";
import { test } from "node:test";
import { isRpcError, service, unary } from "@pipit/protocol";
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

test("a reply whose getter ends its own connection is not sent by halves: the caller sees the connection close", async () => {
  for (const size of [1, 100_000]) {
    const reply = {
      before: "x".repeat(size),
      get value(): string {
        pair.listener.destroy();
        return "late";
      },
    };
    const pair = await wirePair({
      contract: Any,
      onCall: (call) => call.reply(call.decodeRequest() === "end" ? reply : "first", undefined, 1),
    });
    const [first, last] = [new RecordedCall(Any.methods.echo, ""), new RecordedCall(Any.methods.echo, "end")];
    pair.connection.start(first);
    await pair.clock.advance(100);
    pair.connection.start(last);
    await pair.clock.advance(100);
    assert.equal(first.end?.type, "reply");
    assert.ok(last.end?.type === "failure");
    assert.match(last.end.failure.error.message, /^server:\d+ closed the connection$/);
    assert.equal(pair.calls[1]?.open, false);
    assert.equal(pair.listener.connections, 0);
  }
});
