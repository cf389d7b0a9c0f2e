import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { fakeClock, type FakeClock, settled } from "../../test/fake-clock.ts";
import { GossipStreams } from "./gossip-streams.ts";
import { encodeFrame } from "./stream-frames.ts";

const timeout = 20_000;

test("a message arrives whole, and its answer returns by the same connection", { timeout }, async () => {
  const [a, b] = [await open(), await open()];
  a.streams.send(b.address, bytes("ping"), false);
  const [from] = await b.heard("ping");
  assert.match(from, /^#\d+$/);
  b.streams.send(from, bytes("pong"), false);
  assert.deepEqual(await a.heard("pong"), [b.address]);
  assert.deepEqual([a.streams.connectionCount, b.streams.connectionCount], [1, 1]);
  await end(a, b);
});

test("a kept connection is used again, a fresh one is dialled and told", { timeout }, async () => {
  const [a, b] = [await open(), await open()];
  a.streams.send(b.address, bytes("one"), false);
  a.streams.send(b.address, bytes("two"), false);
  assert.deepEqual([await b.heard("one"), await b.heard("two")], [["#1"], ["#1"]]);
  assert.deepEqual(a.opened, []);
  a.streams.send(b.address, bytes("three"), true);
  assert.deepEqual(await b.heard("three"), ["#2"]);
  assert.deepEqual(a.opened, [b.address]);
  a.streams.send(b.address, bytes("four"), false);
  assert.deepEqual(await b.heard("four"), ["#2"], "the newest is the kept one");
  await end(a, b);
});

test("a port where nobody listens is refused, a killed peer is a reset, both told once and not from within send", {
  timeout,
}, async () => {
  const [a, b] = [await open(), await open()];
  a.streams.send(b.address, bytes("hello"), false);
  await b.heard("hello");
  await b.streams.close();
  await a.failure(`reset ${b.address}`);
  a.streams.send(b.address, bytes("hello?"), true);
  assert.equal(a.failed.length, 1);
  await a.failure(`refused ${b.address}`);
  assert.equal(a.failed.length, 2);
  assert.equal(a.streams.connectionCount, 0);
  await end(a);
});

test("an answer to a connection that is gone is dropped", { timeout }, async () => {
  const a = await open();
  a.streams.send("#7", bytes("nobody"), false);
  a.streams.send("#7", bytes("nobody"), true);
  await settled();
  assert.deepEqual([a.failed, a.streams.connectionCount], [[], 0]);
  await end(a);
});

test("a stranger that declares a frame past the limit loses the connection", { timeout }, async () => {
  const a = await open();
  const socket = await dial(a);
  socket.write(Uint8Array.of(0xff, 0xff, 0xff, 0x7f));
  await closed(socket);
  assert.equal(a.streams.connectionCount, 0);
  await end(a);
});

test("strangers that never finish a frame together hold at most 16 MiB", { timeout }, async () => {
  const a = await open(8 << 20);
  const half = encodeFrame(new Uint8Array(8 << 20)).subarray(0, 6 << 20);
  const sockets = [await dial(a), await dial(a), await dial(a)];
  const anyClosed = Promise.race(sockets.map(closed));
  for (const socket of sockets) socket.write(half);
  await anyClosed;
  for (const socket of sockets) socket.destroy();
  await end(a);
});

test("of more than 512 incoming connections the idlest makes room", { timeout }, async () => {
  const a = await open();
  const first = await dial(a);
  const firstClosed = closed(first);
  await a.clock.advance(1);
  const others: Socket[] = [];
  for (let count = 0; count < 512; count += 1) others.push(await dial(a));
  await firstClosed;
  assert.equal(a.streams.connectionCount, 512);
  for (const socket of others) socket.destroy();
  await end(a);
});

test("an idle connection is closed by the one that dialled it, after a minute, and that is no failure", {
  timeout,
}, async () => {
  const [a, b] = [await open(), await open()];
  a.streams.send(b.address, bytes("hello"), false);
  await b.heard("hello");
  await a.clock.advance(59_000);
  assert.equal(a.streams.connectionCount, 1);
  await a.clock.advance(16_000);
  assert.equal(a.streams.connectionCount, 0);
  assert.deepEqual(a.failed, []);
  await end(a, b);
});

interface Opened {
  readonly streams: GossipStreams;
  readonly address: string;
  readonly clock: FakeClock;
  readonly opened: string[];
  readonly failed: string[];
  /** Resolves with the sender of the first such message. */
  heard(text: string): Promise<[from: string]>;
  failure(text: string): Promise<void>;
}

async function open(maxFrameBytes: number = 1 << 20): Promise<Opened> {
  const clock = fakeClock();
  const [messages, opened, failed] = [new Map<string, string>(), [] as string[], [] as string[]];
  const checks = new Set<() => void>();
  const changed = (): void => {
    for (const check of checks) check();
  };
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (condition()) resolve();
      };
      checks.add(check);
      check();
    });
  const streams = new GossipStreams({
    maxFrameBytes,
    clock,
    onMessage(from, message) {
      messages.set(new TextDecoder().decode(message), from);
      changed();
    },
    onOpened: (to) => opened.push(to),
    onFailed(to, reason) {
      failed.push(`${reason} ${to}`);
      changed();
    },
  });
  const port = await streams.listen(0, "127.0.0.1");
  return {
    streams,
    address: `127.0.0.1:${port}`,
    clock,
    opened,
    failed,
    async heard(text) {
      await until(() => messages.has(text));
      return [messages.get(text) as string];
    },
    failure: (text) => until(() => failed.includes(text)),
  };
}

async function end(...all: Opened[]): Promise<void> {
  await Promise.all(all.map(({ streams }) => streams.close()));
}

function dial({ address }: Opened): Promise<Socket> {
  const [host, port] = address.split(":") as [string, string];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(socket));
    socket.on("error", () => {});
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("close", () => resolve()).resume());
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
