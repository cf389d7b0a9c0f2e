import assert from "node:assert/strict";
import { bytes, channel, clientStream, serverStream, service, struct, u32, unary } from "pipit";
import type { Law } from "../support/law-suite.ts";
import { deferred, failure } from "../support/outcome.ts";

const chunkBytes = 16 * 1024;
/** What may be under way: a stream's window, what both sockets hold, and a few items between. */
const aheadBytes = 256 * 1024 + 4 * 1024 * 1024;

const Flow = service("laws.Flow", {
  produce: serverStream(struct({ count: u32 }), struct({ chunk: bytes })),
  consume: clientStream(struct({ chunk: bytes }), struct({ count: u32 })),
  hold: unary(struct({}), struct({})),
  take: unary(struct({ chunk: bytes }), struct({ bytes: u32 })),
});

/** A fast producer waits for a slow reader, in both directions; every queue has a bound. */
export const lawSix: Law = (it) => {
  it("a handler is asked for no more than the reader's window", async (world) => {
    let produced = 0;
    const server = world.server().handle(Flow, {
      *produce({ count }: { count: number }) {
        for (; produced < count; produced++) yield { chunk: new Uint8Array(chunkBytes) };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const total = 2000;
    const reader = client.call(Flow.methods.produce, { count: total }, { timeoutMs: 60_000 });
    await world.run(reader.next());
    await world.pass(50);
    assert.ok(produced * chunkBytes <= aheadBytes, `${produced} items ahead of one read`);
    async function rest(): Promise<number> {
      let seen = 1;
      for await (const _ of reader) seen++;
      return seen;
    }
    assert.equal(await world.run(rest()), total);
    assert.equal(produced, total);
  });

  it("an item that came late waits where other streams have used up the credit meanwhile, in both directions", async (world) => {
    const limits = { connectionWindowBytes: 1024 * 1024 };
    const isLate = [true, ...new Array<boolean>(8).fill(false)];
    let [gate, sent] = [deferred(), 0];
    /** Some fill the connection's window; one sends a little, which it was asked for before. */
    async function* items(late: boolean): AsyncGenerator<{ chunk: Uint8Array }> {
      if (late) await gate.promise;
      for (let count = late ? 97 : 0; count < 100; count++, sent++) yield { chunk: new Uint8Array(chunkBytes) };
    }
    async function countOf(chunks: AsyncIterable<unknown>): Promise<number> {
      let count = 0;
      for await (const _ of chunks) count++;
      return count;
    }
    /** Lets time pass until nothing moves, then the late one send, then all of them be read. */
    async function jam(read: () => Promise<readonly number[]>): Promise<void> {
      for (let before = -1; before !== sent; await world.pass(world.span(20))) before = sent;
      gate.resolve();
      await world.pass(world.span(20));
      assert.deepEqual(await world.run(read()), [3, ...new Array<number>(8).fill(100)]);
    }
    const reading = deferred();
    const server = world.server({ limits }).handle(Flow, {
      produce: ({ count }: { count: number }) => items(count === 0),
      async consume(requests: AsyncIterable<unknown>) {
        await reading.promise;
        return { count: await countOf(requests) };
      },
    } as never);
    const client = world.client(await world.listen(server), { limits });
    const inputs = isLate.map((late) => client.call(Flow.methods.consume, items(late), { timeoutMs: 60_000 }));
    await jam(async () => {
      reading.resolve();
      return (await Promise.all(inputs)).map(({ count }) => count);
    });
    [gate, sent] = [deferred(), 0];
    const replies = isLate.map((late) =>
      client.call(Flow.methods.produce, { count: late ? 0 : 1 }, { timeoutMs: 60_000 }),
    );
    // The late one begins first: only then is it asked while there is room.
    const begun = replies.map((reply) => reply.next());
    const rest = async (reply: AsyncIterable<unknown>, at: number): Promise<number> => {
      await begun[at];
      return 1 + (await countOf(reply));
    };
    await jam(() => Promise.all(replies.map(rest)));
  });

  it("a caller's input is asked for no more than the handler's window", async (world) => {
    const gate = deferred();
    const server = world.server().handle(Flow, {
      async consume(requests: AsyncIterable<unknown>) {
        await gate.promise;
        let count = 0;
        for await (const _ of requests) count++;
        return { count };
      },
    } as never);
    const client = world.client(await world.listen(server));
    let produced = 0;
    const total = 2000;
    function* input(): Generator<{ chunk: Uint8Array }> {
      for (; produced < total; produced++) yield { chunk: new Uint8Array(chunkBytes) };
    }
    const call = client.call(Flow.methods.consume, input(), { timeoutMs: 60_000 });
    await world.pass(50);
    assert.ok(produced * chunkBytes <= aheadBytes, `${produced} items ahead of none read`);
    gate.resolve();
    assert.deepEqual(await world.run(call), { count: total });
  });

  it("a channel's send waits for room, and its reader's leaving rejects it", async (world) => {
    const pushed = channel<{ chunk: Uint8Array }>({ capacity: 1 });
    const server = world.server().handle(Flow, { produce: () => pushed } as never);
    const client = world.client(await world.listen(server));
    let sent = 0;
    const source = (async () => {
      for (; sent < 10_000; sent++) await pushed.send({ chunk: new Uint8Array(chunkBytes) });
    })();
    const left = source.then(
      () => "finished",
      (error: Error) => error.message,
    );
    const reader = client.call(Flow.methods.produce, { count: 0 }, { timeoutMs: 60_000 });
    await world.run(reader.next());
    await world.pass(20);
    assert.ok(sent * chunkBytes <= aheadBytes, `${sent} sent`);
    await world.run(Promise.resolve(reader.return?.()));
    assert.match(await world.run(left), /reader has gone/);
  });

  it("calls beyond the cap wait in a short queue; beyond that they are refused with a time", async (world) => {
    const gate = deferred();
    const options = { maxConcurrentCalls: 2, maxQueuedCalls: 3, maxQueueWaitMs: 5000 };
    const server = world.server(options).handle(Flow, { hold: () => gate.promise.then(() => ({})) } as never);
    const client = world.client(await world.listen(server));
    const calls = Array.from({ length: 8 }, () =>
      client.call(Flow.methods.hold, {}).then(
        () => "done",
        (error: { code: string }) => error.code,
      ),
    );
    await world.until(() => server.stats().queued === 3);
    assert.equal(server.stats().inFlight, 2);
    gate.resolve();
    const ends = await world.run(Promise.all(calls));
    assert.ok(ends.filter((end) => end === "done").length >= 5, String(ends));
    assert.ok(server.stats().calls.refused >= 3);
    assert.deepEqual([server.stats().inFlight, server.stats().queued], [0, 0]);
  });

  it("a full queue gives way to a more critical call, and serves it first", async (world) => {
    const order: string[] = [];
    const gate = deferred();
    const options = { maxConcurrentCalls: 1, maxQueuedCalls: 2, maxQueueWaitMs: 5000 };
    const server = world.server(options).handle(Flow, {
      async hold(_: unknown, { criticality }: { criticality: number }) {
        order.push(String(criticality));
        await gate.promise;
        return {};
      },
    } as never);
    const client = world.client(await world.listen(server), { retry: { budget: { ratio: 0, perSecond: 0 } } });
    const call = (criticality: "sheddable" | "default" | "critical"): Promise<string> =>
      client.call(Flow.methods.hold, {}, { criticality }).then(
        () => "done",
        (error: { code: string }) => error.code,
      );
    const calls = [call("default")];
    await world.until(() => server.stats().inFlight === 1);
    calls.push(call("sheddable"), call("default"));
    await world.until(() => server.stats().queued === 2);
    calls.push(call("critical"));
    await world.until(() => server.stats().calls.refused > 0);
    gate.resolve();
    assert.deepEqual(await world.run(Promise.all(calls)), ["done", "resource_exhausted", "done", "done"]);
    assert.deepEqual(order, ["1", "2", "1"]);
  });

  it("a client's waiting calls are bounded", async (world) => {
    const server = world.server().handle(Flow, { hold: () => ({}) } as never);
    const address = await world.listen(server);
    const client = world.client(address, { connection: { maxWaitingCalls: 5 }, limits: { maxStreams: 1 } });
    const calls = Array.from({ length: 20 }, () =>
      client.call(Flow.methods.hold, {}).then(
        () => "done",
        (error: { code: string }) => error.code,
      ),
    );
    const ends = await world.run(Promise.all(calls));
    assert.deepEqual(
      [ends.filter((end) => end === "done").length, ends.filter((end) => end === "resource_exhausted").length],
      [6, 14],
    );
  });

  it("calls that wait on a connection full of cancelled ones go out as the server ends those", async (world) => {
    const server = world.server().handle(Flow, {
      hold: (_: unknown, { signal }: { signal: AbortSignal }) =>
        server.stats().calls.started > 2
          ? {}
          : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    } as never);
    const client = world.client(await world.listen(server), { limits: { maxStreams: 2 } });
    const controller = new AbortController();
    const held = [1, 2].map(() => failure(client.call(Flow.methods.hold, {}, { signal: controller.signal })));
    await world.until(() => server.stats().inFlight === 2);
    controller.abort();
    const waiting = [1, 2, 3, 4].map(() => client.call(Flow.methods.hold, {}));
    assert.equal(client.stats().waiting, 4);
    await world.run(Promise.all([...held, ...waiting]));
    assert.equal(client.stats().waiting, 0);
  });

  it("long messages at once are served within the budget and refused past it, and none waits for another", async (world) => {
    const server = world
      .server({ limits: { maxReassemblyBytes: 1024 * 1024 } })
      .handle(Flow, { take: ({ chunk }: { chunk: Uint8Array }) => ({ bytes: chunk.length }) } as never);
    const client = world.client(await world.listen(server));
    const chunk = new Uint8Array(200 * 1024);
    const calls = Array.from({ length: 40 }, () =>
      client.call(Flow.methods.take, { chunk }).then(
        ({ bytes: size }) => size,
        (error: { code: string }) => error.code,
      ),
    );
    const ends = await world.run(Promise.all(calls));
    const served = ends.filter((end) => end === chunk.length).length;
    const refused = ends.filter((end) => end === "resource_exhausted").length;
    assert.equal(served + refused, 40, String(ends));
    assert.ok(served >= 5, `${served} served`);
    assert.deepEqual(await world.run(client.call(Flow.methods.take, { chunk })), { bytes: chunk.length });
  });

  it("a handler that answers with a message beyond the limit fails its call only", async (world) => {
    const server = world.server().handle(Flow, {
      *produce() {
        yield { chunk: new Uint8Array(5 * 1024 * 1024) };
      },
      hold: () => ({}),
    } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Flow.methods.produce, { count: 1 }).next()));
    assert.ok(["resource_exhausted", "internal"].includes(error.code), error.code);
    assert.deepEqual(await world.run(client.call(Flow.methods.hold, {})), {});
  });
};
