import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes } from "@pipit/codec";
import { serverStream, service, unary } from "@pipit/protocol";
import { RecordedCall } from "../support/recorded-call.ts";
import { wirePair } from "../support/wire-pair.ts";

/* Slots are used again and again, but never before the server has ended what was in them. */

const Any = service("slots.Any", { echo: unary(), hang: serverStream() });
const Blobs = service("slots.Blobs", { get: unary(bytes, bytes) });

/** Calls in all. A million, which CI makes, take twelve seconds of a core: `PIPIT_CALLS=1000000`. */
const callCount = Number(process.env["PIPIT_CALLS"] ?? 200_000);
/** So few slots that each one's generation, 12 bits, comes round. */
const maxStreams = 32;

test("countless cancelled calls owe their ends, slots wait for them, and not one is mistaken for another", async () => {
  let opened = 0;
  const pair = await wirePair({
    contract: Any,
    latencyMs: 0,
    clientLimits: { maxStreams },
    serverLimits: { maxStreams },
    onCall: (call) => {
      opened++;
      pair.calls.length = 0;
      // Of every hundred one is answered at once, so that its end races the cancel.
      if (opened % 100 === 0) call.end(undefined, 1);
    },
  });
  await pair.clock.advance(1);
  const { connection } = pair;
  let ended = 0;
  let cancelled = 0;
  let refusedForRoom = 0;
  let started = 0;
  const held: { cancel(): void }[] = [];
  class Cancelled extends RecordedCall {
    override onReply(): void {
      ended++;
    }
    override onFailure(): void {
      assert.fail("the call was cancelled, or answered");
    }
  }
  while (started < callCount) {
    for (let i = 0; i < maxStreams && connection.available && started < callCount; i++) {
      const stream = connection.start(new Cancelled(Any.methods.hang, i));
      started++;
      if (i % 3 === 0) held.push(stream);
      else {
        stream.cancel();
        cancelled++;
      }
    }
    if (!connection.available) refusedForRoom++;
    await pair.clock.advance(0);
    for (const stream of held.splice(0)) {
      stream.cancel();
      cancelled++;
    }
    await pair.clock.advance(0);
  }
  await pair.clock.advance(10);
  assert.equal(started, callCount);
  assert.equal(opened, callCount);
  assert.equal(cancelled, callCount);
  assert.ok(refusedForRoom > 1000, `${refusedForRoom} times there was no room: ends were owed`);
  assert.ok(ended > 0, "some ends overtook their cancel");
  assert.equal(connection.openCalls, 0);
  assert.deepEqual(pair.states, ["ready"]);
  assert.equal(connection.available, true);
});

/** A connection with one slot, on a path where a reply of 200 KiB is on the way for 20 ms after the server has written all of it. */
const slowPair = (clientLimits: Parameters<typeof wirePair>[0]["clientLimits"] = {}): ReturnType<typeof wirePair> =>
  wirePair({
    contract: Blobs,
    latencyMs: 5,
    bytesPerSecond: 10_000_000,
    clientLimits,
    serverLimits: { maxStreams: 1 },
    onCall: (call) => call.reply(new Uint8Array(200 * 1024), undefined, 1),
  });

test("a call cancelled at any moment of its long reply gives its slot back", async () => {
  for (let atMs = 0; atMs < 50; atMs += 2) {
    const { clock, connection } = await slowPair();
    await clock.advance(50);
    const stream = connection.start(new RecordedCall(Blobs.methods.get, new Uint8Array(0)));
    await clock.advance(atMs);
    stream.cancel();
    await clock.advance(100);
    assert.equal(connection.available, true, `cancelled after ${atMs} ms`);
    const next = new RecordedCall(Blobs.methods.get, new Uint8Array(0));
    connection.start(next);
    await clock.advance(100);
    assert.equal(next.end?.type, "reply");
  }
});

test("a long reply that there is no room for gives its slot back when it has come", async () => {
  const { clock, connection } = await slowPair({ maxReassemblyBytes: 100 * 1024 });
  await clock.advance(50);
  const call = new RecordedCall(Blobs.methods.get, new Uint8Array(0));
  connection.start(call);
  await clock.advance(20);
  assert.ok(call.end?.type === "failure" && call.end.failure.error.code === "resource_exhausted");
  assert.equal(connection.available, false);
  await clock.advance(100);
  assert.equal(connection.available, true);
});
