import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  bidi,
  type ByteStream,
  type ByteStreamHandler,
  type CallAcceptor,
  createTransport,
  defaultLimits,
  type EndOptions,
  encodeMessage,
  type IncomingCall,
  oneway,
  type OutgoingStream,
  serverStream,
  service,
  unary,
} from "@pipit/protocol";
import { seededRandom, type VirtualClock, virtualClock } from "@pipit/simulation";
import { bindAny, clientPreface, frame, serverPreface } from "../support/raw-peer.ts";
import { RecordedCall } from "../support/recorded-call.ts";

/*
 * Frames of many calls leave and come in one piece of memory. A call that lasts must not keep all of it alive for its own few bytes. What is
 * kept alive the collector tells.
 */

const Any = service("any.Any", { echo: unary(), items: serverStream(), chat: bidi(), note: oneway() });

const skip = "Bun" in globalThis && "its collector does not run on demand by this name";

/** A byte stream that lets go of what is written to it, and notes in which memory that lay. */
class ForgetfulStream implements ByteStream {
  readonly peer = { address: "peer:1", secure: false, local: true };
  readonly unsentBytes = 0;
  readonly written: WeakRef<object>[] = [];
  handler: ByteStreamHandler | undefined;

  start(handler: ByteStreamHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(new WeakRef(bytes.buffer));
    return true;
  }

  writeAll(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) this.write(part);
    return true;
  }

  /** Has it receive a copy of the bytes; gives the copy's memory. */
  receive(...parts: readonly Uint8Array[]): WeakRef<object> {
    const copy = new Uint8Array(Buffer.concat(parts));
    this.handler?.onData(copy);
    return new WeakRef(copy.buffer);
  }

  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
}

interface Scene {
  readonly clock: VirtualClock;
  readonly stream: ForgetfulStream;
  readonly options: EndOptions;
}

function scene(): Scene {
  const clock = virtualClock();
  return { clock, stream: new ForgetfulStream(), options: { clock, random: seededRandom(1), limits: defaultLimits } };
}

async function collect(clock: VirtualClock): Promise<void> {
  await clock.advance(10);
  await setImmediate();
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

const isKept = (ref: WeakRef<object>): boolean => ref.deref() !== undefined;

/** Starts the calls in one turn, with `besideBytes` of another that is answered. Gives the memory that they left in. */
async function startTogether(
  { clock, stream, options }: Scene,
  calls: readonly RecordedCall[],
  besideBytes: number,
): Promise<{ readonly handles: readonly OutgoingStream[]; readonly left: WeakRef<object> }> {
  const handler = { onReady() {}, onLoad() {}, onDraining() {}, onClosed() {} };
  const transport = createTransport({
    name: "forgetful",
    connect: () => Promise.resolve(stream),
    listen: () => Promise.reject(new Error("It only connects")),
  });
  const connection = transport.connect("peer:1", { ...options, handler, connectTimeoutMs: 1000 });
  await clock.advance(10);
  stream.receive(serverPreface);
  const before = stream.written.length;
  const handles = calls.map((call) => connection.start(call));
  const beside = new RecordedCall(Any.methods.echo, "x".repeat(besideBytes));
  connection.start(beside);
  await clock.advance(10);
  assert.equal(stream.written.length, before + 1);
  stream.receive(frame(0x04, calls.length, [1, 0x60]));
  assert.equal(beside.end?.type, "reply");
  return { handles, left: stream.written[before] as WeakRef<object> };
}

for (const besideBytes of [20_000, 50_000]) {
  test(`a stream that was accepted keeps of the ${besideBytes} bytes that it left with its own request`, {
    skip,
  }, async () => {
    const world = scene();
    const calls = [new RecordedCall(Any.methods.items, "count"), new RecordedCall(Any.methods.chat, undefined)];
    const { handles, left } = await startTogether(world, calls, besideBytes);
    await collect(world.clock);
    assert.equal(isKept(left), true);
    world.stream.receive(frame(0x07, 0), frame(0x07, 1));
    await collect(world.clock);
    assert.equal(isKept(left), false);
    assert.deepEqual(
      handles.map((handle) => handle.takeRequestBytes()),
      [encodeMessage(Any.methods.items, "request", "count"), undefined],
    );
    assert.deepEqual(
      calls.map(({ events }) => events),
      [[{ type: "accepted" }], [{ type: "accepted" }]],
    );
    // It is still known to have left: nobody may be told that it has not run.
    world.stream.handler?.onClose(undefined);
    for (const { end } of calls) assert.equal(end?.type === "failure" && end.failure.handled, "maybe");
  });
}

test("a one-way call that the server still works on keeps nothing of what it left with", { skip }, async () => {
  const world = scene();
  const call = new RecordedCall(Any.methods.note, "note");
  const { left } = await startTogether(world, [call], 20_000);
  assert.equal(call.end?.type, "reply");
  await collect(world.clock);
  assert.equal(isKept(left), false);
});

test("a call at the server that has read its request keeps nothing of what came with it", { skip }, async () => {
  const { clock, stream, options } = scene();
  const calls: IncomingCall[] = [];
  const acceptor: CallAcceptor = {
    lookup: (_, method) => Any.methods[method as keyof typeof Any.methods],
    onCall: (call) => void calls.push(call),
    ready: () => true,
    load: () => undefined,
  };
  let accept: (stream: ByteStream) => void = () => undefined;
  const listener = { address: "forgetful:1", host: "forgetful", port: 1, close: () => Promise.resolve() };
  const transport = createTransport({
    name: "forgetful",
    connect: () => Promise.reject(new Error("It only listens")),
    listen: (_, taken) => ((accept = taken), Promise.resolve(listener)),
  });
  await clock.runUntil(transport.listen({}, { ...options, acceptor, identity: { id: "", generation: "" } }));
  accept(stream);
  await clock.advance(10);
  stream.receive(clientPreface, bindAny(0, "any.Any", "echo"), bindAny(1, "any.Any", "items", 1));
  const request = (slot: number, binding: number): Buffer => frame(0x01, slot, [binding, 0x01, 0x61, 0x61]);
  const came = stream.receive(request(0, 0), request(1, 1), frame(0x80, 0, Buffer.alloc(20_000)));
  stream.receive(frame(0x0d, 0, Buffer.alloc(8)));
  await collect(clock);
  assert.equal(isKept(came), true);
  assert.deepEqual(
    calls.map((call) => call.decodeRequest()),
    ["a", "a"],
  );
  stream.receive(frame(0x0d, 0, Buffer.alloc(8)));
  await collect(clock);
  assert.equal(isKept(came), false);
  assert.ok(calls.every(({ open, requestBytes }) => open && requestBytes.length === 0));
});
