import assert from "node:assert/strict";
import { type Context, memoryRegistry } from "pipit";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { collect, deferred, failure, outcome } from "../support/outcome.ts";

/** Draining loses nothing that ends within the grace. */
export const lawSeven: Law = (it) => {
  it("running calls of every kind end with their replies while the server closes", async (world) => {
    const gate = deferred();
    const started: string[] = [];
    const server = world.server().handle(Probe, {
      async plain({ text }: { text: string }) {
        started.push("plain");
        await gate.promise;
        return { text };
      },
      async *items() {
        yield { text: "1" };
        started.push("items");
        await gate.promise;
        yield { text: "2" };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const plain = client.call(Probe.methods.plain, { text: "a" });
    const items = collect(client.call(Probe.methods.items, { text: "" }));
    await world.until(() => started.length === 2);
    const closed = server.close({ graceMs: 5000 });
    await world.pass(20);
    gate.resolve();
    assert.deepEqual(await world.run(plain), { text: "a" });
    assert.deepEqual((await world.run(items)).items.length, 2);
    await world.run(closed);
    assert.equal(server.stats().state, "closed");
  });

  it("what is left after the grace ends with unavailable, and the handler's signal fires", async (world) => {
    const aborted = deferred();
    const server = world.server().handle(Probe, {
      plain(_: unknown, { signal }: Context) {
        signal.addEventListener("abort", () => aborted.resolve());
        return new Promise(() => undefined);
      },
    } as never);
    const client = world.client(await world.listen(server));
    const end = failure(client.call(Probe.methods.plain, { text: "" }));
    await world.until(() => server.stats().inFlight === 1);
    await world.run(server.close({ graceMs: 20 }));
    const error = await world.run(end);
    assert.deepEqual([error.code, error.handled], ["unavailable", "maybe"]);
    await world.run(aborted.promise);
  });

  it("the reply to a caller that still sends is not lost when the server closes on its unread input", async (world) => {
    const answered = deferred();
    // So long that the last of it still lies in the kernel when the server ends.
    const text = "enough ".repeat(500_000);
    const server = world.server().handle(Probe, {
      async sum(requests: AsyncIterable<{ text: string }>) {
        for await (const _ of requests) break;
        answered.resolve();
        return { text };
      },
    } as never);
    const client = world.client(await world.listen(server));
    function* endless(): Generator<{ text: string }> {
      for (;;) yield { text: "x".repeat(30_000) };
    }
    const call = client.call(Probe.methods.sum, endless());
    await world.run(answered.promise);
    const closed = server.close({ graceMs: 10_000 });
    assert.equal((await world.run(call)).text.length, text.length);
    await world.run(closed);
  });

  it("a rolling restart under load of unsafe calls fails none", async (world) => {
    const registry = memoryRegistry();
    const start = async (): Promise<ReturnType<typeof world.server>> => {
      const server = world.server({ registry }).handle(Probe, {
        plain: ({ text }: { text: string }) => new Promise((resolve) => world.clock.after(2, () => resolve({ text }))),
      } as never);
      await world.listen(server);
      return server;
    };
    let fleet = [await start(), await start(), await start()];
    const client = world.client({ registry });
    await world.run(client.call(Probe.methods.plain, { text: "warm" }, { waitForReady: true }));
    const failures: string[] = [];
    const stop = new AbortController();
    let done = 0;
    async function load(): Promise<void> {
      while (!stop.signal.aborted) {
        const end = await outcome(client.call(Probe.methods.plain, { text: "x" }));
        if ("error" in end) failures.push(end.error.message);
        else done++;
      }
    }
    const workers = Array.from({ length: 16 }, load);
    const someCalls = async (): Promise<void> => {
      const enough = done + 32;
      await world.until(() => done >= enough || failures.length > 0);
    };
    for (let index = 0; index < 3; index++) {
      await someCalls();
      const fresh = await start();
      await world.run((fleet[index] as typeof fresh).close({ graceMs: 10_000 }));
      fleet = fleet.with(index, fresh);
    }
    await someCalls();
    stop.abort();
    await world.run(Promise.all(workers));
    assert.deepEqual(failures, []);
  });

  it("the record drains before the server refuses, and is gone after", async (world) => {
    const registry = memoryRegistry();
    const gate = deferred();
    const started = deferred();
    const server = world
      .server({ registry, id: "one" })
      .handle(Probe, { plain: () => (started.resolve(), gate.promise.then(() => ({ text: "" }))) } as never);
    await world.listen(server);
    const client = world.client({ registry });
    const call = client.call(Probe.methods.plain, { text: "" }, { waitForReady: true });
    await world.run(started.promise);
    const closed = server.close({ graceMs: 10_000 });
    await world.pass(5);
    const states = (await registry.list(Probe.name)).instances.map(({ id, state }) => `${id} ${state}`);
    assert.deepEqual(states, ["one draining"]);
    gate.resolve();
    await world.run(call);
    await world.run(closed);
    assert.deepEqual((await registry.list(Probe.name)).instances, []);
  });

  it("closing twice and disposing while draining wait for the one close", async (world) => {
    const server = world.server().handle(Probe, { plain: () => ({ text: "" }) } as never);
    await world.listen(server);
    const ends = Promise.all([
      server.drain(),
      server.close(),
      server.close({ graceMs: 0 }),
      server[Symbol.asyncDispose](),
    ]);
    await world.run(ends);
    assert.equal(server.stats().state, "closed");
    await assert.rejects(world.listen(server), /Cannot listen: the server is closed/);
  });

  it("a server whose clients have closed waits for no more than the bytes under way", async (world) => {
    const server = world.server().handle(Probe, {
      plain: ({ text }: { text: string }) => ({ text }),
      safe: () => new Promise(() => undefined),
    } as never);
    const address = await world.listen(server);
    const served = world.client(address);
    const waiting = world.client(address);
    await world.run(served.call(Probe.methods.plain, { text: "x" }));
    const end = failure(waiting.call(Probe.methods.safe, { text: "x" }));
    await world.until(() => server.stats().inFlight === 1);
    const startMs = world.clock.now();
    await world.run(Promise.all([served.close(), waiting.close({ graceMs: 0 })]));
    await world.run(server.close());
    const tookMs = world.clock.now() - startMs;
    assert.equal((await world.run(end)).code, "cancelled");
    // Elsewhere time passes by itself.
    if (world.isVirtual) assert.ok(tookMs <= 10, `${tookMs} ms`);
  });

  it("a server that closes while a client connects settles the call", async (world) => {
    for (let delay = 0; delay < 6; delay++) {
      const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
      const client = world.client(await world.listen(server));
      const end = outcome(client.call(Probe.methods.plain, { text: "x" }));
      await world.pass(delay / 2);
      await world.run(server.close({ graceMs: 10_000 }));
      const settled = await world.run(end);
      if ("error" in settled) assert.deepEqual([settled.error.code, settled.error.handled], ["unavailable", "no"]);
      await world.run(client.close({ graceMs: 0 }));
    }
  });
};
