import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ByteListener, ByteStream, ByteTransport, ListenAddress } from "../byte-stream.ts";
import type { Clock } from "../clock.ts";
import { isRpcError } from "../rpc-error.ts";
import { ByteStreamProbe } from "./byte-stream-probe.ts";

/** More than the buffers of both kernels hold, so that a stopped reader must hold the writer up. */
const floodBytes = 24 * 1_048_576;
/** Longest a law may take on a slow machine. */
const lawTimeoutMs = 30_000;
/** Round trips on another stream after which a held-up stream is believed to stand still. */
const patienceTrips = 20;

/** A fresh transport and what the suite must know of it. */
export interface ByteTransportUnderTest {
  /** Listens. */
  readonly server: ByteTransport;
  /** Connects. */
  readonly client: ByteTransport;
  readonly clock: Clock;
  /** Where to listen: a free place. */
  readonly where: ListenAddress;
  /** An address where nobody listens. */
  readonly deadAddress: string;
  /** Lets a law run to its end, where time has to be driven. Default: awaits it. */
  readonly drive?: ((law: Promise<void>) => Promise<void>) | undefined;
  /** Frees what the test opened besides listeners and streams. */
  readonly close?: (() => Promise<void>) | undefined;
}

/** What a law works with: both ends of one connection, and how to make more. */
interface Bench extends ByteTransportUnderTest {
  readonly listener: ByteListener;
  /** Connects, and starts both ends unless told not to. */
  readonly pair: (options?: PairOptions) => Promise<{ near: ByteStreamProbe; far: ByteStreamProbe }>;
  readonly connect: (address: string, signal?: AbortSignal) => Promise<ByteStream>;
}

interface PairOptions {
  readonly start?: boolean;
  readonly signal?: AbortSignal;
}

/** The contract of `ByteTransport`, as tests. Each transport runs it in a dozen lines. */
export function byteTransportSuite(name: string, open: () => Promise<ByteTransportUnderTest>): void {
  const law = (title: string, body: (bench: Bench) => Promise<void>): void => {
    test(title, { timeout: lawTimeoutMs }, async () => {
      const opened = await open();
      const run = withBench(opened, body);
      await (opened.drive?.(run) ?? run);
      await opened.close?.();
    });
  };

  describe(`${name} keeps the contract of byte streams:`, () => {
    law("bytes arrive whole and in order, both ways, however they are written", async ({ pair }) => {
      const { near, far } = await pair();
      const sent = pattern(300_000);
      const cuts = [0, 1, 2, 3, 10, 1_000, 1_001, 66_537, 66_538, 200_000, 300_000];
      for (const end of [near, far]) {
        for (let i = 0; i + 2 < cuts.length; i += 2) {
          end.writeAll([sent.slice(cuts[i], cuts[i + 1]), sent.slice(cuts[i + 1], cuts[i + 2])]);
        }
      }
      await Promise.all([near.received(sent.byteLength), far.received(sent.byteLength)]);
      assertSame(near.bytes(), sent);
      assertSame(far.bytes(), sent);
    });

    law("an owner that takes borrowed bytes, and keeps none, gets them whole and in order", async (bench) => {
      const { near, far } = await bench.pair({ start: false });
      for (const end of [near, far]) {
        end.onBorrowed = (chunk) => end.onData(new Uint8Array(chunk));
        end.start();
      }
      const sent = pattern(3_000_000);
      for (const end of [near, far]) end.write(sent.slice());
      await Promise.all([near.received(sent.byteLength), far.received(sent.byteLength)]);
      assertSame(near.bytes(), sent);
      assertSame(far.bytes(), sent);
    });

    law("a stream that copies writes leaves the memory to the writer once none of it is unsent", async ({ pair }) => {
      const { near, far } = await pair();
      const memory = new Uint8Array(10_000);
      for (let round = 1; round <= 20; round++) {
        near.write(near.stream.copiesWrites === true ? memory.fill(round) : new Uint8Array(10_000).fill(round));
        if (near.stream.unsentBytes > 0) await far.received(round * 10_000);
      }
      await far.received(200_000);
      const received = far.bytes();
      for (let round = 1; round <= 20; round++) assert.equal(received[round * 10_000 - 1], round);
    });

    law("each end knows where the other is", async ({ pair, listener }) => {
      const { near, far } = await pair();
      assert.equal(near.stream.peer.address, listener.address);
      assert.notEqual(far.stream.peer.address, "");
      assert.equal(far.stream.peer.secure, near.stream.peer.secure);
      assert.equal(far.stream.peer.local, near.stream.peer.local);
    });

    law(
      "a paused reader holds the writer up: write says no, unsent bytes stay, and onDrain comes late",
      async (bench) => {
        const { near, far } = await bench.pair();
        far.pause();
        const sent = pattern(65_536);
        let accepted = true;
        for (let count = 0; count < floodBytes; count += sent.byteLength)
          accepted = near.write(sent.slice()) && accepted;
        assert.equal(accepted, false);
        await roundTrips(bench, patienceTrips);
        assert.ok(near.stream.unsentBytes > 0, "the flood was swallowed though nobody read");
        assert.equal(near.drainCount, 0);
        far.resume();
        await Promise.all([far.received(floodBytes), near.until(() => near.drainCount > 0)]);
        assert.equal(near.drainCount, 1);
        for (let at = 0; at < floodBytes; at += 9_999_991)
          assert.equal(byteAt(far.chunks, at), sent[at % sent.byteLength]);
      },
    );

    law("a paused end still writes", async ({ pair }) => {
      const { near, far } = await pair();
      near.pause();
      near.write(pattern(1_000));
      await far.received(1_000);
    });

    law("end delivers what was written, then onEnd; the other direction lives on", async ({ pair }) => {
      const { near, far } = await pair();
      near.write(pattern(200_000));
      near.end();
      near.write(pattern(10));
      await far.ended();
      assertSame(far.bytes(), pattern(200_000));
      far.write(pattern(100_000));
      far.end();
      await Promise.all([near.closed(), far.closed()]);
      assertSame(near.bytes(), pattern(100_000));
      assert.ok(near.isEnded);
      assert.deepEqual([near.closeError, far.closeError], [undefined, undefined]);
    });

    law("destroy closes both ends, each once; what is written after it is dropped", async ({ pair }) => {
      const { near, far } = await pair();
      near.destroy();
      near.destroy();
      near.end();
      assert.equal(near.write(pattern(10)), true);
      assert.equal(near.writeAll([pattern(1), pattern(2)]), true);
      await near.closed();
      assert.equal(near.closeError, undefined);
      await far.until(() => far.isEnded || far.closeCount > 0);
      far.end();
      await far.closed();
      assert.equal(far.receivedBytes, 0);
      assert.deepEqual([near.closeCount, far.closeCount], [1, 1]);
    });

    law("the error given to destroy is the one that onClose tells", async ({ pair }) => {
      const { near, far } = await pair();
      const why = new Error("The peer broke the protocol");
      near.destroy(why);
      await near.closed();
      assert.equal(near.closeError, why);
      far.destroy();
      await far.closed();
    });

    law("a peer that closes with unread input resets the stream: onClose tells an error", async ({ pair }) => {
      const { near, far } = await pair();
      far.pause();
      for (let count = 0; count < floodBytes; count += 65_536) near.write(pattern(65_536));
      far.destroy();
      await Promise.all([near.closed(), far.closed()]);
      assert.ok(isRpcError(near.closeError), `onClose told ${String(near.closeError)}`);
      assert.equal(near.closeError.code, "unavailable");
      assert.match(near.closeError.message, new RegExp(escaped(near.stream.peer.address), "u"));
    });

    law("bytes that arrive before start wait for it", async (bench) => {
      const { near, far } = await bench.pair({ start: false });
      near.start();
      near.write(pattern(5_000));
      await roundTrips(bench, 2);
      far.start();
      await far.received(5_000);
      assertSame(far.bytes(), pattern(5_000));
    });

    law("a stream destroyed before start still tells onClose", async (bench) => {
      const { near, far } = await bench.pair({ start: false });
      near.destroy();
      await roundTrips(bench, 2);
      near.start();
      await near.closed();
      far.destroy();
      far.start();
      await far.closed();
    });

    law("connecting where nobody listens is unavailable and names the address", async ({ connect, deadAddress }) => {
      const error: unknown = await connect(deadAddress).catch((thrown: unknown) => thrown);
      assert.ok(isRpcError(error), `connect rejected with ${String(error)}`);
      assert.equal(error.code, "unavailable");
      assert.match(error.message, new RegExp(`^Cannot connect to ${escaped(deadAddress)}: `, "u"));
    });

    law("connect rejects with the signal's reason, aborted before or meanwhile", async ({ connect, listener }) => {
      const reason = new Error("Not needed any more");
      await assert.rejects(connect(listener.address, AbortSignal.abort(reason)), reason);
      const controller = new AbortController();
      const pending = connect(listener.address, controller.signal);
      controller.abort(reason);
      await assert.rejects(pending, reason);
    });

    law("a signal aborted after connect leaves the stream alone", async (bench) => {
      const controller = new AbortController();
      const { near, far } = await bench.pair({ signal: controller.signal });
      controller.abort(new Error("Too late"));
      near.write(pattern(10));
      await far.received(10);
      assert.equal(near.closeCount, 0);
    });

    law(
      "closing the listener leaves its streams alive and lets nobody else in",
      async ({ pair, listener, connect }) => {
        const { near, far } = await pair();
        await listener.close();
        await listener.close();
        near.write(pattern(1_000));
        await far.received(1_000);
        const error: unknown = await connect(listener.address).catch((thrown: unknown) => thrown);
        assert.ok(isRpcError(error) && error.code === "unavailable", `connect rejected with ${String(error)}`);
      },
    );

    law("listening where somebody listens is refused and names the place", async ({ server, listener, where }) => {
      const taken: ListenAddress = where.path === undefined ? { ...where, port: listener.port } : where;
      const error: unknown = await server.listen(taken, dropStream).catch((thrown: unknown) => thrown);
      assert.ok(isRpcError(error), `listen rejected with ${String(error)}`);
      assert.equal(error.code, "already_exists");
      assert.ok(error.message.includes(where.path ?? `port ${listener.port} is taken`), error.message);
    });

    law("a hundred streams at once keep their bytes apart", async ({ pair }) => {
      const pairs = await Promise.all(Array.from({ length: 100 }, () => pair()));
      for (const [index, { near }] of pairs.entries()) near.write(new Uint8Array(1_000).fill(index));
      await Promise.all(pairs.map(({ far }) => far.received(1_000)));
      const seen = pairs.map(({ far }) => {
        const [first] = far.bytes();
        assert.ok(far.bytes().every((byte) => byte === first));
        return first ?? -1;
      });
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, index) => index),
      );
    });
  });
}

async function withBench(opened: ByteTransportUnderTest, body: (bench: Bench) => Promise<void>): Promise<void> {
  const probes: ByteStreamProbe[] = [];
  const accepted: ByteStreamProbe[] = [];
  const takers: ((probe: ByteStreamProbe) => void)[] = [];
  const listener = await opened.server.listen(opened.where, (stream) => {
    const probe = new ByteStreamProbe(stream);
    probes.push(probe);
    const taker = takers.shift();
    if (taker === undefined) accepted.push(probe);
    else taker(probe);
  });
  const connect = async (address: string, signal: AbortSignal = new AbortController().signal): Promise<ByteStream> =>
    opened.client.connect(address, { signal, clock: opened.clock });
  const accept = (): Promise<ByteStreamProbe> =>
    new Promise((resolve) => {
      const first = accepted.shift();
      if (first === undefined) takers.push(resolve);
      else resolve(first);
    });

  try {
    await body({
      ...opened,
      listener,
      connect,
      async pair({ start = true, signal } = {}) {
        const [stream, far] = await Promise.all([connect(listener.address, signal), accept()]);
        const near = new ByteStreamProbe(stream);
        probes.push(near);
        if (start) {
          near.start();
          far.start();
        }
        return { near, far };
      },
    });
  } finally {
    await listener.close();
    for (const probe of probes) probe.destroy();
  }
}

/** Sends a byte there and back, so often, on a stream of its own. */
async function roundTrips({ pair }: Bench, count: number): Promise<void> {
  const { near, far } = await pair();
  for (let i = 1; i <= count; i++) {
    near.write(Uint8Array.of(i));
    await far.received(i);
    far.write(Uint8Array.of(i));
    await near.received(i);
  }
}

/** Bytes that show where they belong: no two positions near each other are alike. */
function pattern(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = Math.imul(i, 2_654_435_761) >>> 13;
  return bytes;
}

function byteAt(chunks: readonly Uint8Array[], at: number): number | undefined {
  let from = 0;
  for (const chunk of chunks) {
    if (at < from + chunk.byteLength) return chunk[at - from];
    from += chunk.byteLength;
  }
  return undefined;
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.byteLength, expected.byteLength);
  assert.ok(Buffer.compare(actual, expected) === 0, "the bytes differ");
}

function dropStream(stream: ByteStream): void {
  stream.destroy();
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&");
}
