import assert from "node:assert/strict";
import { broadcast, failback, failfast, failover, failsafe, forking } from "@pipit/client";
import type { LoadReport, Outcome } from "@pipit/balancer";
import { type CallRecord, type Context, type RouteEndpoint, RpcError } from "pipit";
import { type EjectionOptions, roundRobin } from "pipit/balancer";
import { Probe } from "../support/contracts.ts";
import { holdsEverywhere } from "../support/law-suite.ts";
import { deferred, failure } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

/** A server that answers with its name after `delayMs`. */
async function replica(world: World, name: string, delayMs: number, cancelled: string[] = []): Promise<string> {
  const answer = (_: unknown, { signal }: Context): Promise<{ text: string }> =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => {
        cancelled.push(name);
        reject(signal.reason as Error);
      });
      world.clock.after(delayMs, () => resolve({ text: name }));
    });
  return world.listen(world.server().handle(Probe, { safe: answer, plain: answer } as never));
}

const down = (): never => {
  throw new RpcError("unavailable", "down");
};

holdsEverywhere((it) => {
  it("a slow call is hedged at another endpoint, the first answer wins, the loser is cancelled", async (world) => {
    const cancelled: string[] = [];
    const slow = await replica(world, "slow", 3000, cancelled);
    const quick = await replica(world, "quick", 1, cancelled);
    const client = world.client([slow, quick]);
    const probe = client.service(Probe, { hedge: { initialDelayMs: 20 } });
    const ends: string[] = [];
    for (let i = 0; i < 10; i++) {
      const onEnd = ({ record }: { record: { attempts: readonly { reason: string }[] } }): void =>
        void ends.push(record.attempts.at(-1)?.reason ?? "");
      assert.equal((await world.run(probe.safe({ text: "" }, { timeoutMs: 2000, onEnd }))).text, "quick");
    }
    assert.equal(ends.length, 10, "one end per call");
    assert.ok(client.stats().calls.hedges >= 1);
    assert.ok(ends.includes("hedge"));
    await world.until(() => cancelled.length === client.stats().calls.hedges);
    assert.ok(cancelled.every((name) => name === "slow"));
  });

  it("a hedge sends what the first sending did, whatever the caller has done to the request meanwhile", async (world) => {
    const texts: string[] = [];
    const both = deferred<{ text: string }>();
    const answer = ({ text }: { text: string }): Promise<{ text: string }> => {
      if (texts.push(text) === 2) both.resolve({ text });
      return both.promise;
    };
    const serve = (): Promise<string> => world.listen(world.server().handle(Probe, { safe: answer } as never));
    const client = world.client([await serve(), await serve()]);
    const probe = client.service(Probe, { hedge: { initialDelayMs: 20 } });
    const request = { text: "asked" };
    const reply = probe.safe(request, { timeoutMs: world.span(5000) });
    await world.until(() => texts.length === 1);
    request.text = "used again";
    assert.deepEqual(await world.run(reply), { text: "asked" });
    assert.deepEqual(texts, ["asked", "asked"]);
  });

  it("a call is hedged once it is slower than the measured share of the latest ones, and not before", async (world) => {
    let delayMs = 10;
    const answer = (): Promise<{ text: string }> =>
      new Promise((resolve) => world.clock.after(delayMs, () => resolve({ text: "" })));
    const addresses: string[] = [];
    for (let count = 0; count < 2; count++) {
      addresses.push(await world.listen(world.server().handle(Probe, { safe: answer } as never)));
    }
    const client = world.client(addresses);
    const probe = client.service(Probe, { hedge: { percentile: 0.9 } });
    const hedgesAtMs: number[] = [];
    const onEnd = ({ record }: { record: CallRecord }): void => {
      for (const { type, atMs } of record.decisions) if (type === "hedge") hedgesAtMs.push(atMs);
    };
    for (let count = 0; count < 32; count++) await world.run(probe.safe({ text: "" }, { onEnd }));
    assert.equal(hedgesAtMs.length, 0, "nothing was measured yet");
    delayMs = 1000;
    await world.run(probe.safe({ text: "" }, { onEnd }));
    const [atMs = 0, ...more] = hedgesAtMs.splice(0);
    assert.ok(atMs >= 9 && atMs < 1000 && more.length === 0, `hedged after ${atMs} ms`);
  });

  it("servers tell their load with replies, and the balancer hears of it", async (world) => {
    const heard: LoadReport[] = [];
    const client = world.client([await replica(world, "a", 30), await replica(world, "b", 30)], {
      balancer({ now, random }) {
        const inner = roundRobin<RouteEndpoint>({ now, random });
        return {
          update: (endpoints) => inner.update(endpoints),
          pick(request) {
            const pick = inner.pick(request);
            const done = (outcome: Outcome): void => {
              if (outcome.load !== undefined) heard.push(outcome.load);
              pick?.done(outcome);
            };
            return pick && { endpoint: pick.endpoint, tier: pick.tier, done };
          },
        };
      },
    });
    for (let round = 0; round < 5; round++) {
      await world.run(Promise.all([1, 2, 3, 4].map(() => client.call(Probe.methods.safe, { text: "" }))));
      await world.pass(110);
    }
    assert.ok(heard.length >= 4, `${heard.length} reports`);
    for (const { inFlight, eventLoopDelayMs } of heard) {
      assert.ok(inFlight !== undefined && inFlight <= 2 && eventLoopDelayMs !== undefined && eventLoopDelayMs >= 0);
    }
  });

  it("an endpoint that fails far more than others is ejected by the next sweep; control: without, it stays", async (world) => {
    const bad = await world.listen(world.server().handle(Probe, { plain: down } as never));
    const good: string[] = [];
    for (const name of ["a", "b", "c"]) good.push(await replica(world, name, 0));
    const failuresAfter = async (ejection: EjectionOptions | false): Promise<number> => {
      const client = world.client([bad, ...good], {
        balancer: (context) => roundRobin({ now: context.now, random: context.random, ejection: context.ejection }),
        breaker: false,
        ejection,
      });
      let failed = 0;
      const calls = async (): Promise<void> => {
        failed = 0;
        for (let count = 0; count < 40; count++) {
          await world.run(client.call(Probe.methods.plain, { text: "" }).catch(() => failed++));
        }
      };
      await calls();
      await world.pass(600);
      await calls();
      return failed;
    };
    const rule = { threshold: 85, minEndpoints: 4, minCalls: 5 };
    assert.equal(await failuresAfter({ intervalMs: 500, failurePercentage: rule }), 0);
    assert.equal(await failuresAfter(false), 10);
  });

  it("an unsafe method is never hedged, and an empty budget hedges nothing", async (world) => {
    const slow = await replica(world, "slow", 60);
    const client = world.client(slow, { hedge: { initialDelayMs: 5 } });
    await world.run(client.call(Probe.methods.plain, { text: "" }));
    const poor = world.client(slow, {
      hedge: { initialDelayMs: 5 },
      retry: { budget: { ratio: 0, perSecond: 0 } },
    });
    await world.run(poor.call(Probe.methods.safe, { text: "" }));
    assert.deepEqual([client.stats().calls.hedges, poor.stats().calls.hedges], [0, 0]);
  });

  it("failures in a row open the breaker: the endpoint gets no calls until its time is over", async (world) => {
    let failing = 0;
    const bad = await world.listen(
      world.server().handle(Probe, {
        plain: () => {
          failing++;
          throw new RpcError("internal", "broken");
        },
      } as never),
    );
    const good = [await replica(world, "a", 0), await replica(world, "b", 0), await replica(world, "c", 0)];
    const client = world.client([bad, ...good], {
      breaker: { failures: 3, openMs: 60_000 },
      balancer: undefined,
      ejection: false,
    });
    for (let i = 0; i < 100; i++)
      await world.run(client.call(Probe.methods.plain, { text: "" }).catch(() => undefined));
    assert.ok(failing >= 1 && failing <= 3, `${failing} calls to the broken one`);
  });

  it("a cap on open calls queues a few, refuses the rest, and lets a cancelled one go", async (world) => {
    const gate = deferred();
    const server = world.server().handle(Probe, { plain: () => gate.promise.then(() => ({ text: "" })) } as never);
    const client = world.client(await world.listen(server));
    const probe = client.service(Probe, { concurrency: { max: 2, maxQueued: 2, maxWaitMs: 5000 } });
    const code = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => "done",
        (error: RpcError) => error.code,
      );
    const controller = new AbortController();
    const calls = [code(probe.plain({ text: "" })), code(probe.plain({ text: "" }))];
    calls.push(code(probe.plain({ text: "" }, { signal: controller.signal })), code(probe.plain({ text: "" })));
    calls.push(code(probe.plain({ text: "" })));
    await world.until(() => server.stats().inFlight === 2);
    controller.abort();
    gate.resolve();
    assert.deepEqual(await world.run(Promise.all(calls)), ["done", "done", "cancelled", "done", "resource_exhausted"]);
  });

  it("a stream of requests that waited for a place has no deadline of its own either, unless one was given", async (world) => {
    const server = world.server().handle(Probe, {
      async sum(requests: AsyncIterable<{ text: string }>, { deadlineMs }: Context) {
        for await (const _ of requests);
        return { text: String(deadlineMs === Infinity) };
      },
    } as never);
    const client = world.client(await world.listen(server), { defaults: { timeoutMs: world.span(50) } });
    const probe = client.service(Probe, { concurrency: { max: 1, maxQueued: 2, maxWaitMs: 60_000 } });
    const gates = [deferred(), deferred(), deferred()];
    async function* items(gate: Promise<void> | undefined): AsyncGenerator<{ text: string }> {
      yield { text: "x" };
      await gate;
    }
    const calls = Promise.all([
      probe.sum(items(gates[0]?.promise)),
      probe.sum(items(gates[1]?.promise)),
      probe.sum(items(gates[2]?.promise), { timeoutMs: world.span(60_000) }),
    ]);
    for (const [at, gate] of gates.entries()) {
      await world.until(() => server.stats().calls.started === at + 1);
      // Longer than the default, which bounds only the silent parts.
      await world.pass(at === 1 ? world.span(60) : 1);
      gate.resolve();
    }
    const texts = (await world.run(calls)).map(({ text }) => text);
    assert.deepEqual(texts, ["true", "true", "false"]);
  });

  it("a fallback answers in place of an error, and not for a cancel", async (world) => {
    const address = await world.listen(world.server().handle(Probe, { plain: down } as never));
    const probe = world.client(address).service(Probe, {
      methods: { plain: { fallback: (error: RpcError) => ({ text: `instead of ${error.code}` }) } },
    });
    assert.deepEqual(await world.run(probe.plain({ text: "" })), { text: "instead of unavailable" });
    const error = await world.run(failure(probe.plain({ text: "" }, { signal: AbortSignal.abort() })));
    assert.equal(error.code, "cancelled");
  });

  it("options for a method that is none are refused at once", async (world) => {
    const client = world.client("127.0.0.1:1");
    assert.throws(
      () => client.service(Probe, { methods: { plian: { retries: false } } as never }),
      /"plian", which is no method/,
    );
  });

  it("retries: false sends once", async (world) => {
    let runs = 0;
    const address = await world.listen(world.server().handle(Probe, { safe: () => (runs++, down()) } as never));
    await world.run(failure(world.client(address).service(Probe, { retries: false }).safe({ text: "" })));
    assert.equal(runs, 1);
  });

  it("broadcast asks every endpoint, gathers answers and errors, and keeps its quorum", async (world) => {
    const addresses = [await replica(world, "a", 1), await replica(world, "b", 5)];
    addresses.push(await world.listen(world.server().handle(Probe, { plain: down } as never)));
    const client = world.client(addresses);
    const { results, values } = await world.run(
      broadcast(client, Probe.methods.plain, { text: "" }, { quorum: "majority" }),
    );
    assert.deepEqual(values.map(({ text }) => text).sort(), ["a", "b"]);
    assert.deepEqual(
      results.map(({ endpoint, ok }) => [endpoint, ok]),
      addresses.map((address, index) => [address, index < 2]),
    );
    const error = await world.run(failure(broadcast(client, Probe.methods.plain, { text: "" }, { quorum: "all" })));
    assert.match(error.message, /^2 of 3 endpoints of laws.Probe answered plain, 3 were wanted/);
  });

  it("forking takes the first answer and cancels the other; unsafe methods are refused", async (world) => {
    const cancelled: string[] = [];
    const client = world.client([
      await replica(world, "slow", 3000, cancelled),
      await replica(world, "quick", 1, cancelled),
    ]);
    assert.deepEqual(await world.run(forking(client, Probe.methods.safe, { text: "" })), { text: "quick" });
    await world.until(() => cancelled.length === 1);
    assert.deepEqual(cancelled, ["slow"]);
    await assert.rejects(world.run(forking(client, Probe.methods.plain, { text: "" })), /neither safe nor idempotent/);
  });

  it("failover tries again where the law allows it, failfast does not, failsafe gives undefined", async (world) => {
    let runs = 0;
    const address = await world.listen(
      world.server().handle(Probe, { safe: () => (++runs % 2 === 1 ? down() : { text: "up" }), plain: down } as never),
    );
    const client = world.client(address);
    assert.deepEqual(await world.run(failover(client, Probe.methods.safe, { text: "" })), { text: "up" });
    assert.equal((await world.run(failure(failfast(client, Probe.methods.safe, { text: "" })))).code, "unavailable");
    const heard: string[] = [];
    const options = { onError: (error: RpcError) => void heard.push(error.code) };
    assert.equal(await world.run(failsafe(client, Probe.methods.plain, { text: "" }, options)), undefined);
    assert.deepEqual(heard, ["unavailable"]);
  });

  it("each sending of a strategy passes the client's interceptors and its cap; failover and failsafe its fallback", async (world) => {
    const addresses = [await replica(world, "a", 30), await replica(world, "b", 30), await replica(world, "c", 30)];
    addresses.push(await world.listen(world.server().handle(Probe, { plain: down, safe: down } as never)));
    const seen: string[] = [];
    let open = 0;
    let mostOpen = 0;
    const client = world.client(addresses, {
      concurrency: { max: 2, maxQueued: 10, maxWaitMs: 5000 },
      fallback: () => ({ text: "instead" }),
    });
    client.use(async (request, next) => {
      seen.push(request.method.name);
      mostOpen = Math.max(mostOpen, ++open);
      try {
        return await next(request);
      } finally {
        open--;
      }
    });
    const { values, results } = await world.run(broadcast(client, Probe.methods.plain, { text: "" }));
    assert.deepEqual([seen.length, mostOpen, values.length], [4, 2, 3]);
    assert.equal(results.filter(({ ok }) => !ok).length, 1, "what one endpoint says is not made up");
    const { text } = await world.run(forking(client, Probe.methods.safe, { text: "" }, { forks: 2 }));
    assert.ok(text !== "instead" && seen.length === 6);
    const alone = world.client(addresses.slice(3), { fallback: () => ({ text: "instead" }) });
    assert.deepEqual(await world.run(failover(alone, Probe.methods.plain, { text: "" })), { text: "instead" });
    assert.deepEqual(await world.run(failsafe(alone, Probe.methods.plain, { text: "" })), { text: "instead" });
    assert.equal((await world.run(failure(failfast(alone, Probe.methods.plain, { text: "" })))).code, "unavailable");
    const kept = failback(alone, Probe.methods.safe);
    assert.equal(await world.run(kept.call({ text: "" })), undefined);
    assert.equal(kept.pending, 1);
    kept.close();
  });

  it("failback keeps what failed and sends it until it succeeds; what may have run is not kept", async (world) => {
    let up = false;
    const seen: string[] = [];
    const server = world.server().handle(Probe, {
      safe({ text }: { text: string }) {
        if (!up) down();
        seen.push(text);
        return { text };
      },
      plain: down,
    } as never);
    const client = world.client(await world.listen(server), { retry: { baseMs: 1, maxMs: 1 } });
    const later = failback(client, Probe.methods.safe, { intervalMs: 20 });
    assert.equal(await world.run(later.call({ text: "x" })), undefined);
    assert.equal(later.pending, 1);
    up = true;
    await world.until(() => later.pending === 0);
    assert.deepEqual(seen, ["x"]);
    assert.deepEqual(await world.run(later.call({ text: "y" })), { text: "y" });
    later.close();
    const unsafe = failback(client, Probe.methods.plain, { intervalMs: 20 });
    assert.equal((await world.run(failure(unsafe.call({ text: "" })))).code, "unavailable");
    assert.equal(unsafe.pending, 0);
  });
});
