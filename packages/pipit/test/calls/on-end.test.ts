import assert from "node:assert/strict";
import { type CallEnd, type CallOptions, type Interceptor, Metadata, RpcError } from "pipit";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { collect, deferred, failure } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

/** Options whose `onEnd` notes what it is told. */
function watched(): { readonly ends: CallEnd[]; readonly options: CallOptions } {
  const ends: CallEnd[] = [];
  return { ends, options: { onEnd: (end) => void ends.push(end) } };
}

/** The codes of the attempts that the one end tells of, "ok" for one that answered. */
function attemptsOf(ends: readonly CallEnd[]): string[] {
  assert.equal(ends.length, 1, "told once");
  return ends[0]?.record.attempts.map(({ code }) => code ?? "ok") ?? [];
}

const sendingTwice: Interceptor = async (request, next) => {
  try {
    return await next(request);
  } catch {
    return next(request);
  }
};

/** Reads the first of two streams to its end, whichever that is, then hands on the second. */
const readingTwice: Interceptor = async (request, next) => {
  const first = await next(request);
  if (first.streaming) await collect(first.messages);
  return next(request);
};

/** Fails as often as told, then answers; each reply's trailers say which it is. */
async function connect(world: World, failures: number, interceptor: Interceptor) {
  let runs = 0;
  const run = ({ trailers }: { trailers: Metadata }): void => {
    trailers.set("run", String(++runs));
    if (runs <= failures) throw new RpcError("not_found", `run ${runs}`);
  };
  const server = world.server().handle(Probe, {
    plain(_: unknown, context: { trailers: Metadata }) {
      run(context);
      return { text: "done" };
    },
    async *items(_: unknown, context: { trailers: Metadata }) {
      yield { text: "item" };
      run(context);
    },
  } as never);
  return world.client(await world.listen(server)).use(interceptor);
}

holdsEverywhere((it) => {
  it("onEnd is told once of a call that an interceptor sends twice, with both sendings in its record", async (world) => {
    const client = await connect(world, 1, sendingTwice);
    const { ends, options } = watched();
    await world.run(client.call(Probe.methods.plain, { text: "" }, options));
    assert.deepEqual(attemptsOf(ends), ["not_found", "ok"]);
    const [end] = ends;
    assert.equal(end?.error, undefined);
    assert.equal(end?.trailers?.text("run"), "2");
    const [first, second] = end?.record.attempts ?? [];
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(first.startedAtMs >= 0 && second.startedAtMs >= first.startedAtMs + first.elapsedMs);
    assert.ok(end !== undefined && end.record.elapsedMs >= second.startedAtMs + second.elapsedMs);
  });

  it("onEnd is told once of a call that fails both times that an interceptor sends it", async (world) => {
    const client = await connect(world, 2, sendingTwice);
    const { ends, options } = watched();
    const error = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, options)));
    assert.deepEqual(attemptsOf(ends), ["not_found", "not_found"]);
    assert.equal(ends[0]?.error, error);
    assert.equal(ends[0]?.trailers?.text("run"), "2");
  });

  it("onEnd is told once of a stream that an interceptor asks for twice, whether it ends well or not", async (world) => {
    for (const failures of [1, 2]) {
      const client = await connect(world, failures, readingTwice);
      const { ends, options } = watched();
      const { error } = await world.run(collect(client.call(Probe.methods.items, { text: "" }, options)));
      assert.deepEqual(attemptsOf(ends), ["not_found", failures === 1 ? "ok" : "not_found"]);
      assert.equal(ends[0]?.error, error);
      assert.equal(error?.code, failures === 1 ? undefined : "not_found");
      assert.equal(ends[0]?.trailers?.text("run"), "2");
    }
  });

  it("onEnd is told once of a call that an interceptor answers itself, with what it answered", async (world) => {
    const own = new Metadata({ from: "cache" });
    const client = await connect(world, 0, ({ streaming, method }) => {
      const messages = (async function* () {
        yield { text: "cached" };
      })();
      const reply = { metadata: new Metadata(), trailers: own };
      return Promise.resolve(
        streaming || method.name === "items"
          ? { ...reply, streaming: true, messages }
          : { ...reply, streaming: false, message: { text: "cached" } },
      );
    });
    const [unary, stream] = [watched(), watched()];
    await world.run(client.call(Probe.methods.plain, { text: "" }, unary.options));
    await world.run(collect(client.call(Probe.methods.items, { text: "" }, stream.options)));
    for (const { ends } of [unary, stream]) {
      assert.deepEqual(attemptsOf(ends), []);
      const { metadata, trailers, record, error } = ends[0] as CallEnd;
      assert.deepEqual([metadata, trailers, error, record.service], [undefined, own, undefined, "laws.Probe"]);
    }
  });

  it("onEnd is told once of a call that an interceptor refuses, with the error that its caller gets", async (world) => {
    const client = await connect(world, 0, () => Promise.reject(new RpcError("permission_denied", "not you")));
    const [unary, stream] = [watched(), watched()];
    const refused = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, unary.options)));
    const { error } = await world.run(collect(client.call(Probe.methods.items, { text: "" }, stream.options)));
    assert.deepEqual([attemptsOf(unary.ends), attemptsOf(stream.ends)], [[], []]);
    assert.deepEqual([unary.ends[0]?.error, stream.ends[0]?.error], [refused, error]);
    assert.deepEqual([refused.code, error?.code], ["permission_denied", "permission_denied"]);
  });

  it("onEnd is told nothing of a sending that outlives its call", async (world) => {
    const gate = deferred();
    const server = world.server().handle(Probe, { plain: () => gate.promise.then(() => ({ text: "late" })) } as never);
    const client = world.client(await world.listen(server)).use((request, next) => {
      void next(request);
      const message = { text: "at once" };
      return Promise.resolve({ streaming: false, message, metadata: new Metadata(), trailers: new Metadata() });
    });
    const { ends, options } = watched();
    await world.run(client.call(Probe.methods.plain, { text: "" }, options));
    assert.deepEqual(attemptsOf(ends), []);
    await world.pass(20);
    gate.resolve();
    await world.pass(20);
    assert.deepEqual([attemptsOf(ends), client.stats().inFlight], [[], 0]);
  });

  it("leaving a stream reaches its handler through an interceptor that waits for an item, and ends it once", async (world) => {
    const stopped = deferred();
    const server = world.server().handle(Probe, {
      async *items(_: unknown, { signal }: { signal: AbortSignal }) {
        yield { text: "first" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        stopped.resolve();
      },
    } as never);
    const client = world.client(await world.listen(server)).use(async (request, next) => {
      const reply = await next(request);
      assert.ok(reply.streaming);
      const { messages } = reply;
      async function* same(): AsyncGenerator<unknown> {
        for await (const message of messages) yield message;
      }
      return { streaming: true, messages: same(), metadata: reply.metadata, trailers: reply.trailers };
    });
    const { ends, options } = watched();
    async function readOne(): Promise<void> {
      for await (const _ of client.call(Probe.methods.items, { text: "" }, options)) break;
    }
    await world.run(readOne());
    await world.run(stopped.promise);
    assert.deepEqual(attemptsOf(ends), ["cancelled"]);
    assert.equal(ends[0]?.error, undefined);
  });
});
