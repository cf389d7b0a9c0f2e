import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ByteStreamProbe } from "@pipit/protocol/testing";
import type { SimulatedLink } from "./simulated-link.ts";
import { type PacketEvent, simulatedNetwork, type SimulatedNetworkOptions } from "./simulated-network.ts";
import { seededRandom } from "./seeded-random.ts";
import { virtualClock } from "./virtual-clock.ts";

const text = new TextEncoder().encode("twelve bytes");

describe("simulated network:", () => {
  test("a packet takes the latency, and the bytes before it their time on the wire", async () => {
    const { clock, near, far } = await connected({ latencyMs: 10, bytesPerSecond: 1_000_000 });
    const startMs = clock.now();
    near.write(new Uint8Array(5_000));
    await clock.runUntil(far.received(5_000));
    assert.equal(clock.now() - startMs, 15);
  });

  test("connecting takes one round trip", async () => {
    const { clock } = await connected({ latencyMs: 10 });
    assert.equal(clock.now(), 20);
  });

  test("the default window keeps a long fat link busy", async () => {
    const { clock, near, far } = await connected({ latencyMs: 25, bytesPerSecond: 100_000_000 });
    const startMs = clock.now();
    for (let i = 0; i < 800; i++) near.write(new Uint8Array(65_536));
    await clock.runUntil(far.received(800 * 65_536));
    const bytesPerSecond = (800 * 65_536 * 1_000) / (clock.now() - startMs - 25);
    assert.ok(bytesPerSecond > 99_000_000, `${bytesPerSecond} bytes per second`);
  });

  test("one seed gives one trace, another seed another", async () => {
    assert.deepEqual(await trace(5), await trace(5));
    assert.notDeepEqual(await trace(5), await trace(6));
  });

  test("forced pieces arrive one byte at a time", async () => {
    const { clock, near, far } = await connected({ pieceBytes: 1 });
    near.write(text);
    await clock.runUntil(far.received(text.byteLength));
    assert.deepEqual(
      far.chunks.map((chunk) => chunk.byteLength),
      Array.from(text, () => 1),
    );
  });
});

describe("faults of a link:", () => {
  for (const direction of ["toServer", "toClient"] as const) {
    test(`cut at every byte ${direction}: those before it arrive, none after, and both ends are reset`, async () => {
      for (let count = 0; count <= text.byteLength; count++) {
        const { clock, near, far } = await connected({
          latencyMs: 3,
          pieceBytes: "random",
          onLink: (link) => link.cutAfterBytes(direction, count),
        });
        const [writer, reader] = direction === "toServer" ? [near, far] : [far, near];
        writer.writeAll([text.slice(0, 5), text.slice(5)]);
        await clock.runUntil(Promise.all([near.closed(), far.closed()]));
        assert.deepEqual(reader.bytes(), Buffer.from(text.slice(0, count)));
        assert.match(String(near.closeError), /^RpcError: The connection to server:7 was reset by the peer$/u);
        assert.match(String(far.closeError), /^RpcError: The connection to client:\d+ was reset by the peer$/u);
      }
    });
  }

  test("a cut is not reached by fewer bytes, nor by the other direction", async () => {
    const { clock, near, far, link } = await connected();
    link.cutAfterBytes("toServer", text.byteLength + 1);
    near.write(text);
    far.write(text);
    far.write(text);
    await clock.run();
    assert.deepEqual([near.closeCount, far.closeCount], [0, 0]);
    assert.deepEqual([link.sentBytes("toServer"), link.sentBytes("toClient")], [12, 24]);
  });

  test("a reset loses what is on the way and what is unread", async () => {
    const { clock, near, far, link } = await connected({ latencyMs: 5 });
    far.pause();
    near.write(text);
    await clock.advance(6);
    near.write(text);
    link.reset();
    far.resume();
    await clock.run();
    assert.equal(far.receivedBytes, 0);
    assert.deepEqual([near.closeCount, far.closeCount], [1, 1]);
    assert.ok(near.closeError !== undefined && far.closeError !== undefined);
  });

  test("silence: bytes vanish, nobody is told, and the writer is held up at last", async () => {
    const { clock, near, far, link } = await connected({ windowBytes: 100_000 });
    link.silence();
    for (let i = 0; i < 3; i++) near.write(new Uint8Array(65_536));
    far.destroy();
    await clock.run();
    assert.deepEqual([far.receivedBytes, near.closeCount, near.isEnded], [0, 0, false]);
    assert.equal(near.stream.unsentBytes, 3 * 65_536 - 100_000);
  });

  test("a reader that stopped holds the writer up until it reads again", async () => {
    const { clock, near, far, link } = await connected();
    link.stopReading("server");
    for (let i = 0; i < 16; i++) near.write(new Uint8Array(65_536));
    await clock.run();
    assert.deepEqual([far.receivedBytes, near.stream.unsentBytes], [0, 12 * 65_536]);
    link.resumeReading("server");
    await clock.runUntil(near.until(() => near.drainCount === 1));
    await clock.runUntil(far.received(16 * 65_536));
  });

  test("closing with unread input truncates the last reply; half-closing and reading on does not", async () => {
    for (const reads of [false, true]) {
      const { clock, near, far } = await connected({ latencyMs: 1 });
      far.pause();
      near.write(text);
      await clock.run();
      far.write(text);
      if (reads) {
        far.end();
        far.resume();
        near.end();
      } else {
        far.destroy();
      }
      await clock.runUntil(near.closed());
      assert.equal(near.receivedBytes, reads ? text.byteLength : 0);
    }
  });

  test("writing to a peer that closed is answered by a reset", async () => {
    const { clock, near, far } = await connected({ latencyMs: 1 });
    far.destroy();
    await clock.runUntil(near.ended());
    assert.equal(near.closeCount, 0);
    near.write(text);
    await clock.runUntil(near.closed());
    assert.match(String(near.closeError), /was reset by the peer/u);
  });
});

describe("faults of a host:", () => {
  test("a frozen host reads nothing and fires no timer; thawed, its timers come before its sockets", async () => {
    const { clock, network, near, far } = await connected();
    const host = network.host("server");
    const order: string[] = [];
    host.clock.after(10, () => order.push(`timer at ${clock.now()}, ${far.receivedBytes} bytes read`));
    host.clock.after(20, () => assert.fail("cancelled while frozen"))();
    host.freeze();
    near.write(text);
    await clock.advance(50);
    assert.deepEqual([order, far.receivedBytes], [[], 0]);
    host.thaw();
    await clock.runUntil(far.received(text.byteLength));
    assert.deepEqual(order, ["timer at 50, 0 bytes read"]);
  });

  test("a frozen host still lets the kernel shake hands", async () => {
    const { clock, network } = await connected();
    network.host("server").freeze();
    const stream = await clock.runUntil(network.host("client").connect("server:7", connectOptions(clock)));
    assert.equal(stream.peer.address, "server:7");
  });

  test("a crash closes every stream, refuses connections, and nothing of the process runs again", async () => {
    const { clock, network, near, far } = await connected();
    const host = network.host("server");
    host.clock.after(5, () => assert.fail("a dead process ran"));
    host.crash();
    await clock.runUntil(near.ended());
    await clock.advance(10);
    assert.deepEqual([far.isEnded, far.closeCount], [false, 0]);
    await assert.rejects(clock.runUntil(network.host("client").connect("server:7", connectOptions(clock))), {
      code: "unavailable",
      message: "Cannot connect to server:7: the connection was refused",
    });
    const successor = network.host("server");
    assert.notEqual(successor, host);
    await successor.listen({ port: 7 }, () => undefined);
    await clock.runUntil(network.host("client").connect("server:7", connectOptions(clock)));
  });

  test("a host without power answers nothing: streams stay open and connecting waits for its signal", async () => {
    const { clock, network, near } = await connected();
    network.host("server").vanish();
    const controller = new AbortController();
    const options = { clock, signal: controller.signal };
    const pending = network.host("client").connect("server:7", options);
    clock.after(1_000, () => controller.abort(new Error("Gave up")));
    await assert.rejects(clock.runUntil(pending), { message: "Gave up" });
    assert.deepEqual([near.isEnded, near.closeCount], [false, 0]);
  });

  test("a host that refuses lets its streams live", async () => {
    const { clock, network, near, far } = await connected();
    network.host("server").refuseConnections(true);
    await assert.rejects(clock.runUntil(network.host("client").connect("server:7", connectOptions(clock))), {
      message: "Cannot connect to server:7: the connection was refused",
    });
    near.write(text);
    await clock.runUntil(far.received(text.byteLength));
  });

  test("a partition holds bytes and handshakes back, and healing brings them, in order", async () => {
    const { clock, network, near, far } = await connected({ latencyMs: 5 });
    network.partition(["client"], ["server", "elsewhere"]);
    near.write(text);
    near.write(Uint8Array.of(1));
    const pending = network.host("client").connect("server:7", connectOptions(clock));
    await clock.advance(60_000);
    assert.equal(far.receivedBytes, 0);
    network.heal();
    const healedMs = clock.now();
    await clock.runUntil(far.received(text.byteLength + 1));
    assert.equal(clock.now() - healedMs, 5);
    assert.deepEqual(far.bytes(), Buffer.from([...text, 1]));
    await clock.runUntil(pending);
  });

  test("an unknown host and a malformed address are named", async () => {
    const { clock, network } = await connected();
    const connect = (address: string) => clock.runUntil(network.host("client").connect(address, connectOptions(clock)));
    await assert.rejects(connect("nowhere:7"), {
      code: "unavailable",
      message: "Cannot connect to nowhere:7: no host is called nowhere",
    });
    for (const address of ["server", "server:0", ":7"]) {
      await assert.rejects(connect(address), {
        code: "invalid_argument",
        message: `Address "${address}": expected host:port`,
      });
    }
  });
});

async function connected(options: Omit<SimulatedNetworkOptions, "clock"> = {}) {
  const clock = virtualClock();
  const network = simulatedNetwork({ clock, ...options });
  const accepted: ByteStreamProbe[] = [];
  await network.host("server").listen({ port: 7 }, (stream) => accepted.push(new ByteStreamProbe(stream).start()));
  const stream = await clock.runUntil(network.host("client").connect("server:7", connectOptions(clock)));
  const near = new ByteStreamProbe(stream).start();
  const [far] = accepted;
  assert.ok(far !== undefined);
  return { clock, network, near, far, link: network.links[0] as SimulatedLink };
}

function connectOptions(clock: ReturnType<typeof virtualClock>) {
  return { clock, signal: new AbortController().signal };
}

async function trace(seed: number): Promise<PacketEvent[]> {
  const events: PacketEvent[] = [];
  const { clock, near, far } = await connected({
    random: seededRandom(seed),
    latencyMs: 2,
    jitterMs: 7,
    pieceBytes: "random",
    onPacket: (event) => events.push(event),
  });
  for (let i = 0; i < 20; i++) {
    near.write(new Uint8Array(10_000));
    far.write(new Uint8Array(3_000));
  }
  near.end();
  far.end();
  await clock.run();
  assert.ok(events.length > 40);
  return events;
}
