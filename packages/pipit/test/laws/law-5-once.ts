import assert from "node:assert/strict";
import { type Context, type Interceptor, RpcError } from "pipit";
import { memoryReplyStore, type ReplyStore } from "@pipit/server";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { deferred, failure, outcome } from "../support/outcome.ts";

/** The handler of a `once` call runs once, whatever is lost on the way. */
export const lawFive: Law = (it) => {
  it("a reply lost at any byte is answered from the store, and the handler runs once", async (world) => {
    const runs = new Map<string, number>();
    const server = world.server().handle(Probe, {
      plain: () => ({ text: "warm" }),
      once({ text }: { text: string }) {
        runs.set(text, (runs.get(text) ?? 0) + 1);
        return { text: `${text} done` };
      },
    } as never);
    const address = await world.listen(server);
    for (let count = 0; count < 300; count += world.isVirtual ? 1 : 23) {
      const client = world.client(address, { retry: { baseMs: 1, maxMs: 5 } });
      world.faults.resetNextAfter("received", count);
      const text = `order ${count}`;
      const end = await world.run(outcome(client.call(Probe.methods.once, { text }, { timeoutMs: 20_000 })));
      const ran = runs.get(text) ?? 0;
      assert.ok(ran <= 1, `ran ${ran} times when cut after ${count} bytes`);
      if ("value" in end) assert.deepEqual([end.value, ran], [{ text: `${text} done` }, 1]);
      // Only a server that never said who it is cannot be recognised again.
      else assert.deepEqual([end.error.code, end.error.handled], ["unavailable", "maybe"]);
      await world.run(client.close({ graceMs: 0 }));
    }
  });

  it("control: without the store, the same cut makes an idempotent handler run twice", async (world) => {
    let runs = 0;
    const server = world.server().handle(Probe, {
      safe({ text }: { text: string }) {
        runs++;
        return { text };
      },
    } as never);
    const address = await world.listen(server);
    let twice = 0;
    for (let count = 0; count < 200; count += 10) {
      const client = world.client(address, { retry: { baseMs: 1, maxMs: 5 } });
      world.faults.resetNextAfter("received", count);
      const before = runs;
      await world.run(outcome(client.call(Probe.methods.safe, { text: "x" })));
      if (runs - before > 1) twice++;
      await world.run(client.close({ graceMs: 0 }));
    }
    assert.ok(twice > 0);
  });

  it("a duplicate waits for the running call and gets its reply", async (world) => {
    const gate = deferred();
    let runs = 0;
    const server = world.server().handle(Probe, {
      async once({ text }: { text: string }) {
        runs++;
        await gate.promise;
        return { text: `${text}${runs}` };
      },
    } as never);
    const client = world.client(await world.listen(server));
    const options = { idempotencyKey: "k".repeat(32) };
    const first = client.call(Probe.methods.once, { text: "a" }, options);
    const second = client.call(Probe.methods.once, { text: "a" }, options);
    await world.until(() => server.stats().inFlight === 2);
    gate.resolve();
    assert.deepEqual(await world.run(Promise.all([first, second])), [{ text: "a1" }, { text: "a1" }]);
    assert.deepEqual(await world.run(client.call(Probe.methods.once, { text: "a" }, options)), { text: "a1" });
    assert.equal(runs, 1);
  });

  it("the same key with another request is invalid_argument", async (world) => {
    const server = world.server().handle(Probe, { once: ({ text }: { text: string }) => ({ text }) } as never);
    const client = world.client(await world.listen(server));
    const options = { idempotencyKey: "same" };
    await world.run(client.call(Probe.methods.once, { text: "a" }, options));
    const error = await world.run(failure(client.call(Probe.methods.once, { text: "b" }, options)));
    assert.equal(error.code, "invalid_argument");
  });

  it("a failed call keeps its error, declared or not", async (world) => {
    let runs = 0;
    const server = world.server().handle(Probe, {
      once() {
        runs++;
        throw new RpcError("aborted", "lost the race");
      },
    } as never);
    const client = world.client(await world.listen(server));
    for (let i = 0; i < 2; i++) {
      const error = await world.run(failure(client.call(Probe.methods.once, { text: "a" }, { idempotencyKey: "k" })));
      assert.equal(error.code, "aborted");
      assert.match(error.message, /^lost the race/);
    }
    assert.equal(runs, 1);
  });

  it("a refusal by an interceptor is kept from no later sending; the handler's own is its reply", async (world) => {
    for (const code of ["unavailable", "resource_exhausted"] as const) {
      const runs: string[] = [];
      let turnedAway = 0;
      const server = world
        .server()
        .use((request, next) => {
          if (turnedAway++ > 0) return next(request);
          throw new RpcError(code, "warming up");
        })
        .handle(Probe, {
          once({ text }: { text: string }) {
            runs.push(text);
            throw new RpcError(code, "sold out");
          },
        } as never);
      const client = world.client(await world.listen(server), { retries: false });
      const send = async (): Promise<string> => {
        const call = client.call(Probe.methods.once, { text: "a" }, { idempotencyKey: "k" });
        return (await world.run(failure(call))).message.split(" (")[0] ?? "";
      };
      assert.deepEqual([await send(), await send(), await send()], ["warming up", "sold out", "sold out"]);
      assert.deepEqual(runs, ["a"]);
    }
  });

  it("a client sends a call again that an interceptor turned away, and its handler runs once", async (world) => {
    let [turnedAway, runs] = [0, 0];
    const server = world
      .server()
      .use((request, next) => {
        if (turnedAway++ > 0) return next(request);
        throw new RpcError("unavailable", "warming up");
      })
      .handle(Probe, { once: ({ text }: { text: string }) => (runs++, { text }) } as never);
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Probe.methods.once, { text: "a" })), { text: "a" });
    assert.deepEqual([turnedAway, runs], [2, 1]);
  });

  it("an interceptor that turns a call away cannot run its handler behind the next sending's back", async (world) => {
    const late: Promise<unknown>[] = [];
    const gate = deferred();
    let runs = 0;
    const lateNext = async (...[request, next]: Parameters<Interceptor>): Promise<string> => {
      await gate.promise;
      return (await failure(Promise.resolve(next(request)))).code;
    };
    const server = world
      .server()
      .use(async (request, next) => {
        if (late.length > 0) return next(request);
        late.push(lateNext(request, next));
        throw new RpcError("unavailable", "too slow");
      })
      .handle(Probe, { once: ({ text }: { text: string }) => (runs++, { text }) } as never);
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Probe.methods.once, { text: "a" })), { text: "a" });
    gate.resolve();
    assert.deepEqual([await world.run(Promise.all(late)), runs], [["cancelled"], 1]);
  });

  it("a duplicate that waits for a call that is turned away is asked to come again", async (world) => {
    const gate = deferred();
    let [seen, runs] = [0, 0];
    const server = world
      .server()
      .use(async (request, next) => {
        if (seen++ > 0) return next(request);
        await gate.promise;
        throw new RpcError("unavailable", "warming up");
      })
      .handle(Probe, { once: ({ text }: { text: string }) => (runs++, { text }) } as never);
    const client = world.client(await world.listen(server), { retry: { baseMs: 1, maxMs: 5 } });
    const send = (): Promise<unknown> => client.call(Probe.methods.once, { text: "a" }, { idempotencyKey: "k" });
    const both = [send(), send()];
    await world.until(() => server.stats().inFlight === 2);
    gate.resolve();
    assert.deepEqual(await world.run(Promise.all(both)), [{ text: "a" }, { text: "a" }]);
    assert.equal(runs, 1);
  });

  it("another caller's key is another key", async (world) => {
    let runs = 0;
    let caller = "alice";
    const server = world.server({ authenticate: () => caller }).handle(Probe, {
      once: ({ text }: { text: string }, { peer }: Context) => (
        runs++, { text: `${text} for ${String(peer.identity)}` }
      ),
    } as never);
    const address = await world.listen(server);
    const options = { idempotencyKey: "k" };
    assert.equal(
      (await world.run(world.client(address).call(Probe.methods.once, { text: "a" }, options))).text,
      "a for alice",
    );
    caller = "bob";
    assert.equal(
      (await world.run(world.client(address).call(Probe.methods.once, { text: "a" }, options))).text,
      "a for bob",
    );
    assert.equal(runs, 2);
  });

  it("an identity that names nobody is refused instead of shared", async (world) => {
    const server = world
      .server({ authenticate: () => ({ role: "user" }) })
      .handle(Probe, { once: () => ({ text: "" }) } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(failure(client.call(Probe.methods.once, { text: "" })));
    assert.equal(error.code, "failed_precondition");
    assert.match(error.message, /callerKey/);
  });

  it("a full store refuses new calls and still answers old ones; an entry outlives its time", async (world) => {
    const replyStore = memoryReplyStore({ maxEntries: 1, ttlMs: 40, clock: world.clock });
    let runs = 0;
    const server = world
      .server({ replyStore })
      .handle(Probe, { once: ({ text }: { text: string }) => (runs++, { text }) } as never);
    const client = world.client(await world.listen(server));
    const once = (key: string): Promise<{ text: string }> =>
      client.call(Probe.methods.once, { text: key }, { idempotencyKey: key, timeoutMs: 5000 });
    await world.run(once("a"));
    const error = await world.run(failure(once("b")));
    assert.equal(error.code, "resource_exhausted");
    assert.ok((error.retryAfterMs ?? 0) > 40, "kept for the call's deadline and a margin, not for 40 ms");
    assert.deepEqual(await world.run(once("a")), { text: "a" });
    assert.equal(runs, 1);
  });

  it("a restart at the same address is another process: nothing is sent there again", async (world) => {
    const started = deferred();
    const server = world
      .server()
      .handle(Probe, { once: () => (started.resolve(), new Promise(() => undefined)) } as never);
    const address = await world.listen(server);
    const client = world.client(address, { retry: { baseMs: 1, maxMs: 2 } });
    const end = failure(client.call(Probe.methods.once, { text: "a" }));
    await world.run(started.promise);
    let runs = 0;
    await world.run(server.close({ graceMs: 0 }));
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    await world.listen(world.server().handle(Probe, { once: () => (runs++, { text: "" }) } as never), port);
    const error = await world.run(end);
    assert.deepEqual([error.code, error.handled, runs], ["unavailable", "maybe", 0]);
  });

  it("a lost connection does not cancel the handler; the caller's cancel does", async (world) => {
    const aborted: string[] = [];
    const gate = deferred();
    const started = deferred();
    const server = world.server().handle(Probe, {
      async once({ text }: { text: string }, { signal }: Context) {
        signal.addEventListener("abort", () => aborted.push(text));
        started.resolve();
        await gate.promise;
        return { text: `${text} done` };
      },
    } as never);
    const client = world.client(await world.listen(server), { retry: { baseMs: 1, maxMs: 2 } });
    // The server has said who it is.
    await world.run(failure(client.call(Probe.methods.plain, { text: "" })));
    const call = client.call(Probe.methods.once, { text: "a" });
    await world.run(started.promise);
    world.faults.reset();
    await world.pass(50);
    gate.resolve();
    assert.deepEqual(await world.run(call), { text: "a done" });
    assert.deepEqual(aborted, []);
  });

  it("a claim that a crash left behind is answered, never run", async (world) => {
    const lost: ReplyStore = { claim: async () => ({ type: "lost" }) };
    let runs = 0;
    const server = world.server({ replyStore: lost }).handle(Probe, { once: () => (runs++, { text: "" }) } as never);
    const error = await world.run(
      failure(world.client(await world.listen(server)).call(Probe.methods.once, { text: "" })),
    );
    assert.deepEqual([error.code, runs], ["data_loss", 0]);
    assert.match(error.message, /may have run/);
  });

  it("a store hands its transaction to the handler, and the reply goes out only after the commit", async (world) => {
    const order: string[] = [];
    const replyStore: ReplyStore = {
      claim: () => ({
        type: "claimed",
        transaction: { insert: (row: string) => order.push(`insert ${row}`) },
        commit: async () => {
          await Promise.resolve();
          order.push("commit");
        },
      }),
    };
    const server = world.server({ replyStore }).handle(Probe, {
      once({ text }: { text: string }, { transaction }: Context) {
        (transaction as { insert(row: string): void }).insert(text);
        return { text };
      },
    } as never);
    await world.run(world.client(await world.listen(server)).call(Probe.methods.once, { text: "row" }));
    assert.deepEqual(order, ["insert row", "commit"]);
  });
};
