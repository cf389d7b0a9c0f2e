import assert from "node:assert/strict";
import { type Context, currentContext, service, string, struct, unary } from "pipit";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { collect, deferred, failure, outcome } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

const never = (): Promise<never> => new Promise(() => undefined);

/** Between a late timer and the callback that judges, only Node's loop is sure to read what came meanwhile. */
const stalls = { tcpNeedsNode: "other loops may run a timer's immediate callback before they read sockets" };

/** The program computes for so long. In virtual time nothing passes meanwhile. */
function compute({ isVirtual, clock }: World, ms: number): void {
  if (isVirtual) return;
  const until = clock.now() + ms;
  while (clock.now() < until);
}

/** Every call has a deadline, both ends keep it, and nested calls inherit it. */
export const lawTwo: Law = (it) => {
  it("both ends enforce the deadline: the caller is told, the handler's signal fires", async (world) => {
    const reason = deferred<string>();
    const server = world.server().handle(Probe, {
      plain(_: unknown, { signal }: Context) {
        signal.addEventListener("abort", () => reason.resolve((signal.reason as { code: string }).code));
        return never();
      },
    } as never);
    const client = world.client(await world.listen(server));
    const error = await world.run(
      failure(client.call(Probe.methods.plain, { text: "x" }, { timeoutMs: world.span(40) })),
    );
    assert.equal(error.code, "deadline_exceeded");
    assert.notEqual(error.handled, "no");
    assert.ok(["deadline_exceeded", "cancelled"].includes(await world.run(reason.promise)));
  });

  it("the call's option wins over the service's, the method's and the client's", async (world) => {
    let given = 0;
    const server = world.server().handle(Probe, {
      // To five seconds, of which those that connecting takes are some.
      plain: (_: unknown, context: Context) => ({ text: String(5 * Math.ceil(context.remainingMs() / 5000)) }),
      quick: (_: unknown, context: Context) => ((given = context.remainingMs()), { text: "" }),
    } as never);
    const address = await world.listen(server);
    const client = world.client(address, { defaults: { timeoutMs: 50_000 } });
    const seconds = async (call: Promise<{ text: string }>): Promise<string> => (await world.run(call)).text;
    const service = client.service(Probe, { timeoutMs: 30_000 });
    assert.equal(await seconds(service.plain({ text: "" }, { timeoutMs: 20_000 })), "20");
    assert.equal(await seconds(service.plain({ text: "" })), "30");
    assert.equal(await seconds(client.call(Probe.methods.plain, { text: "" })), "50");
    assert.equal(await seconds(world.client(address).call(Probe.methods.plain, { text: "" })), "10");
    await world.run(client.call(Probe.methods.quick, { text: "" }, { timeoutMs: 5000 }));
    assert.ok(given > 1000, "the option wins over the method's 40 ms");
  });

  it("no time left fails unsent", async (world) => {
    const server = world.server().handle(Probe, { plain: never } as never);
    const client = world.client(await world.listen(server));
    for (const timeoutMs of [0, -5]) {
      const error = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs })));
      assert.equal(error.code, "deadline_exceeded");
      assert.deepEqual([error.handled, error.attempt], ["no", 0]);
    }
    assert.equal(server.stats().calls.started, 0);
  });

  it("Infinity is for streams: a call with one reply refuses it at once", async (world) => {
    const server = world.server().handle(Probe, { items: () => [{ text: "a" }] } as never);
    const client = world.client(await world.listen(server));
    assert.throws(() => client.call(Probe.methods.plain, { text: "" }, { timeoutMs: Infinity }), RangeError);
    const { items } = await world.run(collect(client.call(Probe.methods.items, { text: "" }, { timeoutMs: Infinity })));
    assert.deepEqual(items, [{ text: "a" }]);
  });

  it("a stream without a given deadline outlives the default, once it is accepted", async (world) => {
    const server = world.server().handle(Probe, {
      async *items(_: unknown, context: Context) {
        assert.equal(context.deadlineMs, Infinity);
        yield { text: "early" };
        world.clock.after(world.span(150), () => gate.resolve());
        await gate.promise;
        yield { text: "late" };
      },
    } as never);
    const gate = deferred();
    const client = world.client(await world.listen(server), { defaults: { timeoutMs: world.span(100) } });
    const { items, error } = await world.run(collect(client.call(Probe.methods.items, { text: "" })));
    assert.deepEqual([items.map(({ text }) => text), error], [["early", "late"], undefined]);
  });

  it("a given deadline bounds a whole stream", async (world) => {
    const server = world.server().handle(Probe, {
      async *items() {
        yield { text: "early" };
        await never();
      },
    } as never);
    const client = world.client(await world.listen(server));
    const { items, error } = await world.run(
      collect(client.call(Probe.methods.items, { text: "" }, { timeoutMs: world.span(100) })),
    );
    assert.equal(items.length, 1);
    assert.equal(error?.code, "deadline_exceeded");
  });

  it("the default bounds the wait of a client stream from its last input to the reply", async (world) => {
    const server = world.server().handle(Probe, { sum: never } as never);
    const client = world.client(await world.listen(server), { defaults: { timeoutMs: world.span(40) } });
    const error = await world.run(failure(client.call(Probe.methods.sum, [{ text: "a" }])));
    assert.equal(error.code, "deadline_exceeded");
    assert.match(error.message, /^No reply came/);
  });

  it("a stream that nobody accepts fails after the default", async (world) => {
    const server = world.server({ maxConcurrentCalls: 1 }).handle(Probe, { items: never, plain: never } as never);
    const client = world.client(await world.listen(server), { defaults: { timeoutMs: 40 } });
    const first = failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 5000 }));
    await world.until(() => server.stats().inFlight === 1);
    const { error } = await world.run(collect(client.call(Probe.methods.items, { text: "" })));
    assert.equal(error?.code, "deadline_exceeded");
    await world.run(client.close({ graceMs: 0 }));
    await world.run(first);
  });

  it("a call across three servers has one deadline, and its context after each yield and await", async (world) => {
    const Hop = service("laws.Hop", { go: unary(struct({ text: string }), struct({ text: string })) });
    const seen: number[] = [];
    const last = world.server().handle(Hop, {
      async go(_, context) {
        seen.push(context.remainingMs());
        await never();
        return { text: "" };
      },
    });
    const lastClient = world.client(await world.listen(last));
    const middle = world.server().handle(Probe, {
      async *items(_: unknown, context: Context) {
        yield { text: "1" };
        assert.equal(currentContext()?.deadlineMs, context.deadlineMs);
        yield await lastClient.call(Hop.methods.go, { text: "" });
      },
    } as never);
    const middleClient = world.client(await world.listen(middle));
    const first = world.server().handle(Probe, {
      async plain(_: unknown, context: Context) {
        seen.push(context.remainingMs());
        for await (const _item of middleClient.call(Probe.methods.items, { text: "" }));
        return { text: "" };
      },
    } as never);
    const client = world.client(await world.listen(first));
    const timeoutMs = world.span(100);
    const error = await world.run(failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs })));
    assert.equal(error.code, "deadline_exceeded");
    assert.equal(seen.length, 2);
    assert.ok(
      seen.every((ms) => ms > 0 && ms <= timeoutMs + 1),
      String(seen),
    );
    await world.until(() =>
      [last, middle, first].every((server) => server.stats().calls.failed === 1 || server.stats().inFlight === 1),
    );
  });

  it("a peer that froze is found out by keepalive, long before a long deadline", async (world) => {
    const server = world.server().handle(Probe, { plain: never } as never);
    const limits = { keepaliveMs: world.span(30), keepaliveTimeoutMs: world.span(30) };
    const client = world.client(await world.listen(server), { limits });
    const end = failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 60_000 }));
    await world.until(() => server.stats().inFlight === 1);
    world.faults.freeze();
    const error = await world.run(end);
    assert.equal(error.code, "unavailable");
    assert.equal(error.handled, "maybe");
  });

  it("a half-open connection is found out at the server, too: the handler of a client that vanished is told", async (world) => {
    const reason = deferred<string>();
    const limits = { keepaliveMs: world.span(30), keepaliveTimeoutMs: world.span(30) };
    const server = world.server({ limits }).handle(Probe, {
      plain(_: unknown, { signal }: Context) {
        signal.addEventListener("abort", () => reason.resolve((signal.reason as Error).message));
        return never();
      },
    } as never);
    const client = world.client(await world.listen(server));
    const end = failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 60_000 }));
    await world.until(() => server.stats().inFlight === 1);
    world.faults.freeze();
    assert.match(await world.run(reason.promise), /gave no sign of life for/);
    await world.run(client.close({ graceMs: 0 }));
    await world.run(end);
  });

  it(
    "after a stall, a reply that lies in the socket wins over the deadline that passed meanwhile",
    async (world) => {
      const server = world.server().handle(Probe, {
        safe: () => ({ text: "warm" }),
        plain() {
          // Both ends stand still, as in one process they must.
          compute(world, 200);
          return { text: "in time" };
        },
      } as never);
      const client = world.client(await world.listen(server));
      await world.run(client.call(Probe.methods.safe, { text: "" }));
      // The kernel of a busy machine may hand a reply on too late for once. Who judges before he reads loses every other.
      let lost = 0;
      for (let round = 0; round < 12; round++) {
        const end = await world.run(outcome(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 120 })));
        if (!("error" in end)) continue;
        assert.equal((end.error as { code?: string }).code, "deadline_exceeded");
        lost++;
      }
      assert.ok(lost <= 2, `lost ${lost} of 12`);
    },
    stalls,
  );

  it(
    "a call made behind a long computation in the same turn keeps its whole time",
    async (world) => {
      const server = world.server().handle(Probe, { plain: ({ text }: { text: string }) => ({ text }) } as never);
      const client = world.client(await world.listen(server));
      await world.run(client.call(Probe.methods.plain, { text: "warm" }));
      const first = client.call(Probe.methods.plain, { text: "first" });
      // So long that a busy machine answers within the time that is given for it.
      compute(world, 600);
      const second = client.call(Probe.methods.plain, { text: "second" }, { timeoutMs: 500 });
      assert.deepEqual(await world.run(second), { text: "second" });
      await world.run(first);
    },
    stalls,
  );
};
