import assert from "node:assert/strict";
import type { Law } from "../support/law-suite.ts";
import { Probe } from "../support/contracts.ts";
import { collect, deferred, failure, outcome } from "../support/outcome.ts";

/** Every call settles, exactly once. */
export const lawOne: Law = (it) => {
  it("a reply settles a call of each kind", async (world) => {
    const notes: string[] = [];
    const server = world.server().handle(Probe, {
      plain: ({ text }) => ({ text: `${text}!` }),
      safe: async ({ text }) => ({ text }),
      once: ({ text }) => ({ text }),
      declared: ({ text }) => ({ text }),
      quick: ({ text }) => ({ text }),
      *items({ text }) {
        yield { text: `${text}1` };
        yield { text: `${text}2` };
      },
      async sum(requests) {
        let sum = "";
        for await (const { text } of requests) sum += text;
        return { text: sum };
      },
      async *chat(requests) {
        for await (const { text } of requests) yield { text: text.toUpperCase() };
      },
      note: ({ text }) => void notes.push(text),
    });
    const client = world.client(await world.listen(server));
    const probe = client.service(Probe);
    assert.deepEqual(await world.run(probe.plain({ text: "a" })), { text: "a!" });
    assert.deepEqual(await world.run(probe.safe({ text: "b" })), { text: "b" });
    assert.deepEqual((await world.run(collect(probe.items({ text: "i" })))).items, [{ text: "i1" }, { text: "i2" }]);
    assert.deepEqual(await world.run(probe.sum([{ text: "x" }, { text: "y" }])), { text: "xy" });
    assert.deepEqual((await world.run(collect(probe.chat([{ text: "p" }, { text: "q" }])))).items, [
      { text: "P" },
      { text: "Q" },
    ]);
    assert.equal(await world.run(probe.note({ text: "n" })), undefined);
    await world.run(probe.plain({ text: "after" }));
    assert.deepEqual(notes, ["n"]);
    const { calls, inFlight } = client.stats();
    assert.deepEqual([calls.started, calls.succeeded, inFlight], [7, 7, 0]);
  });

  it("an unknown service or method is unimplemented, and the connection lives on", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Probe.methods.safe, { text: "x" })));
    assert.equal(error.code, "unimplemented");
    assert.equal(error.handled, "no");
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "y" })), { text: "y" });
  });

  it("a call to nobody fails with unavailable, not sent", async (world) => {
    const server = world.server().handle(Probe, {} as never);
    const address = await world.listen(server);
    await world.run(server.close({ graceMs: 0 }));
    const error = await world.run(failure(world.client(address).call(Probe.methods.plain, { text: "x" })));
    assert.equal(error.code, "unavailable");
    assert.equal(error.handled, "no");
  });

  it("a reset settles every open call of every kind, and later calls work", async (world) => {
    const started = deferred();
    const server = world.server().handle(Probe, {
      plain: ({ text }: { text: string }) => (text === "hang" ? new Promise(() => started.resolve()) : { text }),
      async *items() {
        yield { text: "one" };
        await new Promise(() => undefined);
      },
      sum: () => new Promise(() => undefined),
      async *chat() {
        await new Promise(() => undefined);
      },
    } as never);
    const client = world.client(await world.listen(server));
    const probe = client.service(Probe);
    async function* endless(): AsyncGenerator<{ text: string }> {
      yield { text: "in" };
      await new Promise(() => undefined);
    }
    const items = probe.items({ text: "x" });
    const ends = [
      failure(probe.plain({ text: "hang" })),
      failure(probe.sum(endless())),
      collect(probe.chat(endless())),
    ] as const;
    assert.deepEqual(await world.run(items.next()), { value: { text: "one" }, done: false });
    await world.run(started.promise);
    world.faults.reset();
    const [plain, sum, chat] = await world.run(Promise.all(ends));
    for (const error of [plain, sum, chat.error]) {
      assert.equal(error?.code, "unavailable");
      assert.equal(error?.handled, "maybe");
    }
    assert.equal((await world.run(failure(items.next()))).code, "unavailable");
    assert.deepEqual(await world.run(probe.plain({ text: "again" })), { text: "again" });
    assert.equal(client.stats().inFlight, 0);
  });

  it("a reply before the input ends stops the input iterator, once", async (world) => {
    const server = world.server().handle(Probe, { sum: () => ({ text: "enough" }) } as never);
    const client = world.client(await world.listen(server));
    let returns = 0;
    let sent = 0;
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ value: { text: `${sent++}` }, done: false }),
        return: async () => {
          returns++;
          return { value: undefined, done: true };
        },
      }),
    } as AsyncIterable<{ text: string }>;
    assert.deepEqual(await world.run(client.call(Probe.methods.sum, endless)), { text: "enough" });
    assert.equal(returns, 1);
  });

  it("an input that throws cancels the call, and its error is the cause", async (world) => {
    const aborted = deferred<string>();
    const server = world.server().handle(Probe, {
      async sum(requests: AsyncIterable<unknown>, { signal }: { signal: AbortSignal }) {
        signal.addEventListener("abort", () => aborted.resolve((signal.reason as { code: string }).code));
        for await (const _ of requests);
        return { text: "never" };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const mishap = new Error("no more paper");
    async function* broken(): AsyncGenerator<{ text: string }> {
      yield { text: "one" };
      throw mishap;
    }
    const error = await world.run(failure(client.call(Probe.methods.sum, broken())));
    assert.equal(error.code, "cancelled");
    assert.equal(error.cause, mishap);
    assert.equal(await world.run(aborted.promise), "cancelled");
  });

  it("a handler that ignores its signal keeps its place until it returns", async (world) => {
    const release = deferred();
    const server = world
      .server()
      .handle(Probe, { plain: () => release.promise.then(() => ({ text: "late" })) } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Probe.methods.plain, { text: "x" }, { timeoutMs: 30 })));
    assert.equal(error.code, "deadline_exceeded");
    await world.until(() => server.stats().inFlight === 1);
    await world.pass(30);
    assert.equal(server.stats().inFlight, 1);
    release.resolve();
    await world.until(() => server.stats().inFlight === 0);
  });

  it("closing the client settles what is open, and refuses what comes later", async (world) => {
    const server = world.server().handle(Probe, { plain: () => new Promise(() => undefined) } as never);
    const client = world.client(await world.listen(server));
    const open = failure(client.call(Probe.methods.plain, { text: "x" }));
    await world.until(() => server.stats().inFlight === 1);
    await world.run(client.close({ graceMs: 0 }));
    assert.equal((await world.run(open)).code, "cancelled");
    assert.equal((await world.run(failure(client.call(Probe.methods.plain, { text: "y" })))).code, "unavailable");
    await world.run(client.close());
  });

  it("a request that does not encode fails at its path and spoils nothing", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    const wrong = failure(client.call(Probe.methods.plain, { text: 3 } as never));
    const right = client.call(Probe.methods.plain, { text: "fine" });
    const error = await world.run(wrong);
    assert.equal(error.code, "invalid_argument");
    assert.match(error.message, /^\$\.text: expected string/);
    assert.deepEqual(await world.run(right), { text: "fine" });
  });

  it("a connection cut after any byte settles its call, and never says unhandled of one that ran", async (world) => {
    let runs = 0;
    const server = world.server().handle(Probe, {
      plain({ text }: { text: string }) {
        runs++;
        return { text };
      },
    } as never);
    const address = await world.listen(server);
    // Every byte where time is ours, a hundred places where it is not.
    const step = world.name === "tcp" ? 8 : 1;
    for (const direction of ["sent", "received"] as const) {
      for (let count = 0; count < 400; count += step) {
        const client = world.client(address);
        const before = runs;
        world.faults.resetNextAfter(direction, count);
        const end = await world.run(outcome(client.call(Probe.methods.plain, { text: "x" })));
        const ran = runs - before;
        if ("value" in end) assert.ok(ran >= 1);
        else {
          assert.equal(end.error.code, "unavailable");
          if (end.error.handled === "no")
            assert.equal(ran, 0, `${direction} ${count}: said unhandled, ran ${ran} times`);
        }
        assert.ok(ran <= 1, `${direction} ${count}: ran ${ran} times`);
        await world.run(client.close({ graceMs: 0 }));
      }
    }
  });
};
