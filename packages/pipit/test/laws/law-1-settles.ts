import assert from "node:assert/strict";
import { seededRandom } from "@pipit/simulation";
import type { RpcError } from "pipit";
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

  it("a one-way call that has settled has left, even where its end is what closes the client", async (world) => {
    for (const size of [1, 40_000, 200_000]) {
      const notes: string[] = [];
      const server = world.server().handle(Probe, {
        plain: ({ text }: { text: string }) => ({ text }),
        note: ({ text }: { text: string }) => void notes.push(text),
      } as never);
      const client = world.client(await world.listen(server));
      await world.run(client.call(Probe.methods.plain, { text: "" }));
      const text = "n".repeat(size);
      const onEnd = (): void => void client.close({ graceMs: 0 });
      assert.equal(await world.run(client.call(Probe.methods.note, { text }, { onEnd })), undefined);
      await world.until(() => notes.length > 0);
      assert.deepEqual(notes, [text]);
    }
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
    const error = await world.run(
      failure(client.call(Probe.methods.plain, { text: "x" }, { timeoutMs: world.span(50) })),
    );
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

  it("calls that end in another order than they began get each its own reply", async (world) => {
    const gates = Array.from({ length: 50 }, () => deferred());
    const server = world.server().handle(Probe, {
      async plain({ text }: { text: string }) {
        await gates[Number(text)]?.promise;
        return { text: `${text}!` };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const order: string[] = [];
    const calls = gates.map(async (_, index) => {
      const { text } = await client.call(Probe.methods.plain, { text: String(index) });
      order.push(text);
      return text;
    });
    await world.until(() => server.stats().inFlight === gates.length);
    for (const [index, gate] of [...gates.entries()].sort(([a], [b]) => ((a * 7) % 50) - ((b * 7) % 50))) {
      gate.resolve();
      await world.until(() => order.includes(`${index}!`));
    }
    assert.deepEqual(
      await world.run(Promise.all(calls)),
      gates.map((_, index) => `${index}!`),
    );
  });

  it("a client that closes while it connects settles its calls", async (world) => {
    const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
    const address = await world.listen(server);
    for (let delay = 0; delay < 6; delay++) {
      const client = world.client(address);
      const end = outcome(client.call(Probe.methods.plain, { text: "x" }));
      await world.pass(delay / 2);
      await world.run(client.close({ graceMs: 0 }));
      const settled = await world.run(end);
      if ("error" in settled) assert.equal(settled.error.code, "cancelled");
    }
  });

  it("a session with a call of each kind, cut after any byte, settles each once, and says unhandled of none that ran", async (world) => {
    const ran = new Map<string, number>();
    const note = (name: string): void => void ran.set(name, (ran.get(name) ?? 0) + 1);
    const server = world.server().handle(Probe, {
      plain: ({ text }: { text: string }) => (note("plain"), { text }),
      note: () => note("note"),
      *items({ text }: { text: string }) {
        note("items");
        yield { text };
        yield { text };
      },
      async sum(requests: AsyncIterable<{ text: string }>) {
        note("sum");
        let sum = "";
        for await (const { text } of requests) sum += text;
        return { text: sum };
      },
      async *chat(requests: AsyncIterable<{ text: string }>) {
        note("chat");
        for await (const request of requests) yield request;
      },
    } as never);
    const address = await world.listen(server);
    const two = [{ text: "a" }, { text: "b" }];
    const session = async (): Promise<void> => {
      const client = world.client(address);
      ran.clear();
      const { plain, note, items, sum, chat } = client.service(Probe);
      const calls = {
        plain: outcome(plain({ text: "x" })),
        note: outcome(note({ text: "x" })),
        items: collect(items({ text: "x" })),
        sum: outcome(sum(two)),
        chat: collect(chat(two)),
      };
      for (const [name, call] of Object.entries(calls)) {
        const end = await world.run<object>(call);
        const error = "error" in end ? (end.error as RpcError | undefined) : undefined;
        if (error !== undefined) {
          assert.equal(error.code, "unavailable", `${name}: ${error.message}`);
          if (error.handled === "no") assert.equal(ran.get(name) ?? 0, 0, `${name} said unhandled`);
        } else if (name !== "note") assert.equal(ran.get(name), 1, name);
        assert.ok((ran.get(name) ?? 0) <= 1, `${name} ran ${ran.get(name)} times`);
      }
      await world.run(client.close({ graceMs: 0 }));
    };
    await session();
    const totals = { ...world.faults.passedBytes };
    const random = seededRandom(41);
    for (const direction of ["sent", "received"] as const) {
      // Every byte where time is ours; where it is not, a sample of a hundred.
      const places = world.isVirtual
        ? Array.from({ length: totals[direction] }, (_, place) => place)
        : Array.from({ length: 50 }, () => random.u32() % totals[direction]);
      for (const place of places) {
        world.faults.resetNextAfter(direction, place);
        await session().catch((error: unknown) => assert.fail(`${direction}, cut after ${place}: ${String(error)}`));
      }
    }
  });
};
