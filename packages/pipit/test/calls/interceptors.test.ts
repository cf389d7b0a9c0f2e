import assert from "node:assert/strict";
import { type Interceptor, type InterceptorReply, Metadata, RpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { collect, deferred, failure } from "../support/outcome.ts";

/** Notes on its way in and out. */
function noting(log: string[], name: string): Interceptor {
  return async (request, next) => {
    log.push(`${name}> ${request.method.name}`);
    const reply = await next(request);
    log.push(`<${name}`);
    return reply;
  };
}

holdsEverywhere((it) => {
  it("the first interceptor is outermost, on both sides", async (world) => {
    const log: string[] = [];
    const server = world
      .server()
      .handle(Probe, { plain: ({ text }: { text: string }) => (log.push("handler"), { text }) } as never);
    server.use(noting(log, "s1")).use(noting(log, "s2"));
    const client = world
      .client(await world.listen(server))
      .use(noting(log, "c1"))
      .use(noting(log, "c2"));
    await world.run(client.call(Probe.methods.plain, { text: "" }));
    assert.deepEqual(log, ["c1> plain", "c2> plain", "s1> plain", "s2> plain", "handler", "<s2", "<s1", "<c2", "<c1"]);
  });

  it("an interceptor changes request, reply and metadata", async (world) => {
    const server = world.server().handle(Probe, {
      plain: ({ text }: { text: string }, { metadata }: { metadata: Metadata }) => ({
        text: `${text} ${metadata.text("who")}`,
      }),
    } as never);
    server.use(async (request, next) => {
      assert.ok(!request.streaming);
      const reply = (await next({ ...request, message: { text: "changed" } })) as Extract<
        InterceptorReply,
        { streaming: false }
      >;
      reply.trailers.set("seen", "yes");
      return { ...reply, message: { text: `${(reply.message as { text: string }).text}!` } };
    });
    const client = world.client(await world.listen(server)).use((request, next) => {
      request.metadata.set("who", "me");
      return next(request);
    });
    let seen: string | undefined;
    const options = {
      onEnd: ({ trailers }: { trailers: Metadata | undefined }) => void (seen = trailers?.text("seen")),
    };
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "given" }, options)), {
      text: "changed me!",
    });
    assert.equal(seen, "yes");
  });

  it("an interceptor answers without the handler, or refuses", async (world) => {
    const server = world.server().handle(Probe, { plain: () => assert.fail(), safe: () => assert.fail() } as never);
    const answering: Interceptor = (request) => {
      if (request.method.name === "safe") return Promise.reject(new RpcError("permission_denied", "not you"));
      const message = { text: "cached" };
      return Promise.resolve({ streaming: false, message, metadata: new Metadata(), trailers: new Metadata() });
    };
    server.use(answering);
    const client = world.client(await world.listen(server));
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "cached" });
    assert.equal((await world.run(failure(client.call(Probe.methods.safe, { text: "" })))).code, "permission_denied");
  });

  it("streams pass through interceptors item by item, and leaving early reaches the handler", async (world) => {
    let stopped = 0;
    const bothStopped = deferred();
    const server = world.server().handle(Probe, {
      async *chat(requests: AsyncIterable<{ text: string }>) {
        try {
          for await (const { text } of requests) yield { text: text.toUpperCase() };
        } finally {
          if (++stopped === 2) bothStopped.resolve();
        }
      },
    } as never);
    const doubling: Interceptor = async (request, next) => {
      const reply = await next(request);
      if (!reply.streaming) return reply;
      async function* twice(messages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
        for await (const message of messages) {
          yield message;
          yield message;
        }
      }
      return { streaming: true, messages: twice(reply.messages), metadata: reply.metadata, trailers: reply.trailers };
    };
    server.use(doubling);
    const client = world.client(await world.listen(server)).use(doubling);
    const { items } = await world.run(collect(client.call(Probe.methods.chat, [{ text: "a" }, { text: "b" }])));
    assert.equal(items.map(({ text }) => text).join(""), "AAAABBBB");
    async function* endless(): AsyncGenerator<{ text: string }> {
      for (;;) yield { text: "x" };
    }
    async function readOne(): Promise<void> {
      for await (const _ of client.call(Probe.methods.chat, endless())) break;
    }
    await world.run(readOne());
    await world.run(bothStopped.promise);
  });

  it("a stream that is left while an interceptor is at work does not begin", async (world) => {
    const server = world.server().handle(Probe, { items: () => new Promise(() => undefined) } as never);
    const [asked, gate] = [deferred(), deferred()];
    const client = world.client(await world.listen(server)).use(async (request, next) => {
      asked.resolve();
      await gate.promise;
      return next(request);
    });
    const replies = client.call(Probe.methods.items, { text: "" })[Symbol.asyncIterator]();
    const first = replies.next();
    await world.run(asked.promise);
    await replies.return?.();
    assert.deepEqual(await first, { value: undefined, done: true });
    gate.resolve();
    await world.pass(20);
    assert.deepEqual([client.stats().inFlight, server.stats().calls.started], [0, 0]);
  });

  it("a client's interceptor wraps the whole call: retries happen inside of it", async (world) => {
    let runs = 0;
    const server = world.server().handle(Probe, {
      safe() {
        if (++runs < 3) throw new RpcError("unavailable", "not yet");
        return { text: "up" };
      },
    } as never);
    let wrapped = 0;
    const client = world.client(await world.listen(server)).use((request, next) => {
      wrapped++;
      return next(request);
    });
    assert.deepEqual(await world.run(client.call(Probe.methods.safe, { text: "" })), { text: "up" });
    assert.deepEqual([wrapped, runs], [1, 3]);
  });
});
