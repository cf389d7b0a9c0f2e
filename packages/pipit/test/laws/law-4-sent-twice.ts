import assert from "node:assert/strict";
import {
  type CallOptions,
  type CallRecord,
  type Context,
  memoryRegistry,
  RpcError,
  service,
  string,
  struct,
  unary,
} from "pipit";
import { roundRobin } from "pipit/balancer";
import { Probe } from "../support/contracts.ts";
import type { Law } from "../support/law-suite.ts";
import { collect, deferred, failure } from "../support/outcome.ts";
import type { World } from "../support/world.ts";

const never = (): Promise<never> => new Promise(() => undefined);

/** A server that notes what it ran, and answers with its name unless told otherwise. */
async function replica(
  world: World,
  name: string,
  ran: string[],
  answer: (attempt: number, context: Context) => unknown = () => ({ text: name }),
): Promise<string> {
  const handler = (_: unknown, context: Context): unknown => {
    ran.push(`${name}${context.attempt}`);
    return answer(context.attempt, context);
  };
  const server = world.server().handle(Probe, { plain: handler, safe: handler } as never);
  return world.listen(server);
}

/** Nothing is sent twice unless it may be. */
export const lawFour: Law = (it) => {
  it("a safe call lost with its connection is tried at another endpoint, within its deadline", async (world) => {
    const ran: string[] = [];
    const started = deferred();
    const a = await replica(world, "a", ran, () => (started.resolve(), never()));
    const b = await replica(world, "b", ran, () => (started.resolve(), ran.length > 1 ? { text: "b" } : never()));
    const c = await replica(world, "c", ran, () => (started.resolve(), ran.length > 1 ? { text: "c" } : never()));
    const client = world.client([a, b, c]);
    let record: CallRecord | undefined;
    const call = client.call(
      Probe.methods.safe,
      { text: "" },
      { timeoutMs: 5000, onEnd: (end) => (record = end.record) },
    );
    const end = call.then(
      ({ text }) => text,
      (error: RpcError) => error.code,
    );
    await world.run(started.promise);
    world.faults.reset();
    const text = await world.run(end);
    assert.equal(ran.length, 2);
    assert.notEqual(ran[0]?.[0], ran[1]?.[0], "the second try goes elsewhere");
    if (ran[1]?.[0] !== "a") assert.equal(`${text}2`, ran[1]);
    assert.ok(record === undefined || record.attempts.length === 2);
    await world.run(client.close({ graceMs: 0 }));
  });

  it("an unsafe call that may have run is not sent again, and its error says so", async (world) => {
    const ran: string[] = [];
    const started = deferred();
    const addresses = [await replica(world, "a", ran, () => (started.resolve(), never()))];
    addresses.push(await replica(world, "b", ran, () => (started.resolve(), never())));
    const client = world.client(addresses);
    const end = failure(client.call(Probe.methods.plain, { text: "" }));
    await world.run(started.promise);
    world.faults.reset();
    const error = await world.run(end);
    assert.deepEqual([error.code, error.handled, error.attempt, ran.length], ["unavailable", "maybe", 1, 1]);
  });

  it("a call that was refused goes elsewhere, each endpoint once and outside the budget", async (world) => {
    const busy = world.server({ maxConcurrentCalls: 1, maxQueuedCalls: 0 }).handle(Probe, { plain: never } as never);
    const busyAddress = await world.listen(busy);
    const blocker = world.client(busyAddress);
    const blocked = failure(blocker.call(Probe.methods.plain, { text: "" }));
    await world.until(() => busy.stats().inFlight === 1);
    const ran: string[] = [];
    const free = await replica(world, "free", ran);
    const client = world.client([busyAddress, free], { retry: { budget: { ratio: 0, perSecond: 0 } } });
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "free" });
    }
    assert.ok(busy.stats().calls.refused >= 1);
    assert.equal(client.stats().calls.retries, 0);
    const alone = world.client(busyAddress, { retry: { budget: { ratio: 0, perSecond: 0 } } });
    const error = await world.run(failure(alone.call(Probe.methods.plain, { text: "" })));
    assert.deepEqual([error.code, error.handled], ["resource_exhausted", "no"]);
    await world.run(blocker.close({ graceMs: 0 }));
    await world.run(blocked);
  });

  it("a method that half of the fleet lacks succeeds at the other half", async (world) => {
    const old = await world.listen(world.server().handle(Probe, { plain: () => ({ text: "old" }) } as never));
    const ran: string[] = [];
    const fresh = await replica(world, "new", ran);
    const client = world.client([old, fresh], { retry: { budget: { ratio: 0, perSecond: 0 } } });
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await world.run(client.call(Probe.methods.safe, { text: "" })), { text: "new" });
    }
  });

  it("an endpoint that lacks a method is asked once, and again after its restart", async (world) => {
    const lacking = world.server().handle(Probe, { plain: () => ({ text: "old" }) } as never);
    const address = await world.listen(lacking);
    const client = world.client([address, await replica(world, "new", [])], {
      balancer: ({ now, random }) => roundRobin({ now, random }),
    });
    const endpoints: string[] = [];
    const calls = async (count: number): Promise<string[]> => {
      endpoints.length = 0;
      for (let i = 0; i < count; i++) {
        const onEnd = ({ record }: { record: CallRecord }): void => {
          endpoints.push(...record.attempts.map(({ endpoint }) => endpoint));
        };
        await world.run(client.call(Probe.methods.safe, { text: "" }, { onEnd }));
      }
      return endpoints.filter((endpoint) => endpoint === address);
    };
    assert.equal((await calls(20)).length, 1, "one refusal for all twenty");
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "old" });
    await world.run(lacking.close({ graceMs: 0 }));
    await world.listen(
      world.server().handle(Probe, { safe: () => ({ text: "deployed" }) } as never),
      Number(address.split(":").at(-1)),
    );
    await world.until(() => client.stats().endpoints[0]?.state === "ready");
    assert.ok((await calls(20)).length >= 8, "its share of the calls");
  });

  it("a method that nobody has fails as unimplemented, after one look at each", async (world) => {
    const old = (): Promise<string> =>
      world.listen(world.server().handle(Probe, { plain: () => ({ text: "old" }) } as never));
    const client = world.client([await old(), await old(), await old()]);
    const attempts: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const error = await world.run(failure(client.call(Probe.methods.safe, { text: "" })));
      assert.deepEqual([error.code, error.handled], ["unimplemented", "no"]);
      attempts.push(error.attempt);
    }
    assert.deepEqual(attempts, [3, 1, 1]);
  });

  it("an endpoint nobody listens at costs a call nothing but a look", async (world) => {
    const ran: string[] = [];
    const live = await replica(world, "live", ran);
    const gone = world.server().handle(Probe, {} as never);
    const dead = await world.listen(gone);
    await world.run(gone.close({ graceMs: 0 }));
    const client = world.client([dead, live], { retry: { budget: { ratio: 0, perSecond: 0 } } });
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "live" });
    }
  });

  it("unavailable from a handler is retried for safe methods only, and no more than the tree's three", async (world) => {
    const ran: string[] = [];
    const down = (): never => {
      throw new RpcError("unavailable", "warming up");
    };
    const client = world.client(await replica(world, "a", ran, down));
    const safe = await world.run(failure(client.call(Probe.methods.safe, { text: "" })));
    assert.deepEqual([safe.code, safe.attempt, ran], ["unavailable", 4, ["a1", "a2", "a3", "a4"]]);
    ran.length = 0;
    const plain = await world.run(failure(client.call(Probe.methods.plain, { text: "" })));
    assert.deepEqual([plain.attempt, ran], [1, ["a1"]]);
    const recovering = world.client(
      await replica(world, "b", ran, (attempt) => (attempt < 3 ? down() : { text: "up" })),
    );
    assert.deepEqual(await world.run(recovering.call(Probe.methods.safe, { text: "" })), { text: "up" });
  });

  it("resource_exhausted is retried only when the server says after how long, and not before", async (world) => {
    const ran: string[] = [];
    let atMs = 0;
    const pushing = await replica(world, "a", ran, (attempt) => {
      if (attempt > 1) return { text: String(world.clock.now() - atMs >= 50) };
      atMs = world.clock.now();
      throw new RpcError("resource_exhausted", "later", { retryAfterMs: 50 });
    });
    assert.deepEqual(await world.run(world.client(pushing).call(Probe.methods.safe, { text: "" })), { text: "true" });
    ran.length = 0;
    const silent = await replica(world, "b", ran, () => {
      throw new RpcError("resource_exhausted", "no");
    });
    const error = await world.run(failure(world.client(silent).call(Probe.methods.safe, { text: "" })));
    assert.deepEqual([error.code, ran], ["resource_exhausted", ["b1"]]);
  });

  it("a server that says never to come back is believed", async (world) => {
    const ran: string[] = [];
    const address = await replica(world, "a", ran, () => {
      throw new RpcError("resource_exhausted", "closed for good", { retryAfterMs: Infinity });
    });
    const error = await world.run(failure(world.client(address).call(Probe.methods.safe, { text: "" })));
    assert.deepEqual([error.code, ran], ["resource_exhausted", ["a1"]]);
  });

  it("a wait that would pass the deadline fails at once", async (world) => {
    const ran: string[] = [];
    const address = await replica(world, "a", ran, () => {
      throw new RpcError("resource_exhausted", "come back tomorrow", { retryAfterMs: 60_000 });
    });
    const error = await world.run(
      failure(world.client(address).call(Probe.methods.safe, { text: "" }, { timeoutMs: 20_000 })),
    );
    assert.equal(error.code, "resource_exhausted");
    assert.ok((error.elapsedMs ?? Infinity) < 5000);
  });

  it("an empty budget stops retries, and first attempts go on", async (world) => {
    const ran: string[] = [];
    const address = await replica(world, "a", ran, () => {
      throw new RpcError("unavailable", "down");
    });
    const client = world.client(address, { retry: { baseMs: 1, maxMs: 1, budget: { ratio: 0, perSecond: 0.5 } } });
    for (let i = 0; i < 10; i++) await world.run(failure(client.call(Probe.methods.safe, { text: "" })));
    assert.equal(client.stats().calls.retries, 5);
    assert.equal(ran.length, 15);
  });

  it("a declared error is an answer: never sent again", async (world) => {
    const ran: string[] = [];
    const Shop = service("laws.Shop", {
      find: unary(struct({ text: string }), struct({ text: string }), {
        idempotency: "safe",
        errors: { closed: struct({ why: string }) },
      }),
    });
    const server = world.server().handle(Shop, {
      find(_, context) {
        ran.push("run");
        throw context.error("closed", { why: "sunday" }, { code: "unavailable" });
      },
    });
    const error = await world.run(
      failure(world.client(await world.listen(server)).call(Shop.methods.find, { text: "" })),
    );
    assert.deepEqual([error.error, error.data, ran.length], ["closed", { why: "sunday" }, 1]);
  });

  it("a stream is begun again only before its first item, a streamed input only untouched", async (world) => {
    const ran: string[] = [];
    const server = world.server().handle(Probe, {
      async *items(_: unknown, { attempt }: Context) {
        ran.push(`items${attempt}`);
        if (attempt > 1) yield { text: "never" };
        yield { text: "one" };
        throw new RpcError("unavailable", "gone");
      },
      sum() {
        ran.push("sum");
        throw new RpcError("unavailable", "gone");
      },
    } as never);
    const client = world.client(await world.listen(server));
    const { items, error } = await world.run(collect(client.call(Probe.methods.items, { text: "" })));
    assert.deepEqual([items.length, error?.code, ran], [1, "unavailable", ["items1"]]);
    await world.run(failure(client.call(Probe.methods.sum, [{ text: "a" }])));
    assert.deepEqual(ran, ["items1", "sum"]);
  });

  it("three hops that each retry three times make no 27 calls", async (world) => {
    const runs = [0, 0, 0];
    const third = await replica(world, "c", [], () => {
      runs[2] = (runs[2] ?? 0) + 1;
      throw new RpcError("unavailable", "down");
    });
    const thirdClient = world.client(third);
    const second = await replica(world, "b", [], () => {
      runs[1] = (runs[1] ?? 0) + 1;
      return thirdClient.call(Probe.methods.safe, { text: "" });
    });
    const secondClient = world.client(second);
    const first = await replica(world, "a", [], () => {
      runs[0] = (runs[0] ?? 0) + 1;
      return secondClient.call(Probe.methods.safe, { text: "" });
    });
    const error = await world.run(failure(world.client(first).call(Probe.methods.safe, { text: "" })));
    assert.equal(error.code, "unavailable");
    const [a = 0, b = 0, c = 0] = runs;
    // Every retry anywhere in the tree repeats at most the three handlers below it.
    assert.ok(a - 1 + (b - a) + (c - b) <= 3, `retries: ${a - 1} + ${b - a} + ${c - b}`);
  });

  it("three parallel children share the retries left, and give back what they did not use", async (world) => {
    let tries = 0;
    const child = await replica(world, "child", [], () => {
      tries++;
      throw new RpcError("unavailable", "down");
    });
    const childClient = world.client(child);
    const left = deferred<number>();
    const parent = await replica(world, "parent", [], async (_, context) => {
      const options: CallOptions = { context };
      await Promise.allSettled([1, 2, 3].map(() => childClient.call(Probe.methods.safe, { text: "" }, options)));
      left.resolve(context.retries.left);
      return { text: "" };
    });
    await world.run(world.client(parent).call(Probe.methods.safe, { text: "" }));
    const remaining = await world.run(left.promise);
    // The root lends one of its three.
    assert.equal(tries - 3 + remaining, 1);
  });

  it("after a restart at the same address the very next call succeeds", async (world) => {
    const server = world.server().handle(Probe, { plain: () => ({ text: "first" }) } as never);
    const address = await world.listen(server);
    const client = world.client(address);
    await world.run(client.call(Probe.methods.plain, { text: "" }));
    await world.run(server.close({ graceMs: 0 }));
    await world.pass(50);
    assert.equal((await world.run(failure(client.call(Probe.methods.plain, { text: "" })))).code, "unavailable");
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    await world.listen(world.server().handle(Probe, { plain: () => ({ text: "second" }) } as never), port);
    assert.deepEqual(await world.run(client.call(Probe.methods.plain, { text: "" })), { text: "second" });
  });

  it("wait-for-ready waits for a server that comes, and for an instance that registers", async (world) => {
    const server = world.server().handle(Probe, { plain: () => ({ text: "here" }) } as never);
    const address = await world.listen(server);
    await world.run(server.close({ graceMs: 0 }));
    const client = world.client(address);
    const waiting = client.call(Probe.methods.plain, { text: "" }, { waitForReady: true });
    await world.pass(20);
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    await world.listen(world.server().handle(Probe, { plain: () => ({ text: "here" }) } as never), port);
    assert.deepEqual(await world.run(waiting), { text: "here" });
    const registry = memoryRegistry();
    const registered = world.client({ registry });
    assert.equal((await world.run(failure(registered.call(Probe.methods.plain, { text: "" })))).code, "unavailable");
    const patient = registered.call(Probe.methods.plain, { text: "" }, { waitForReady: true });
    await world.pass(20);
    await world.listen(world.server({ registry }).handle(Probe, { plain: () => ({ text: "found" }) } as never));
    assert.deepEqual(await world.run(patient), { text: "found" });
  });
};
