import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "@pipit/simulation";
import type { Registration } from "@pipit/registry";
import { createClient, createServer, memoryRegistry, type Registry } from "pipit";
import { memory } from "pipit/testing";
import { Probe } from "../support/contracts.ts";
import { deferred, failure } from "../support/outcome.ts";

test("the registry is told where the server is to be reached, not where it listens", async () => {
  const registry = memoryRegistry();
  await using server = createServer({ registry, id: "one", zone: "north", version: "7", weight: 2 }).handle(
    Probe,
    {} as never,
  );
  await server.listen({ transport: memory(), advertise: { host: "10.1.2.3", port: 443 } });
  const [instance] = (await registry.list(Probe.name)).instances;
  const { id, host, port, zone, version, weight, state } = instance ?? {};
  assert.deepEqual([id, host, port, zone, version, weight, state], ["one", "10.1.2.3", 443, "north", "7", 2, "up"]);
});

test("a server that listens twice is announced at both places, and at none once it has closed", async () => {
  const registry = memoryRegistry();
  const server = createServer({ registry, id: "one" }).handle(Probe, {} as never);
  await server.listen({ transport: memory(), advertise: { port: 1 } });
  await server.listen({ transport: memory(), advertise: { port: 2 } });
  const { instances } = await registry.list(Probe.name);
  assert.deepEqual(instances.map(({ id, port }) => `${id}:${port}`).sort(), ["one-1:2", "one:1"]);
  await server.close();
  assert.deepEqual((await registry.list(Probe.name)).instances, []);
});

const never = (): Promise<never> => new Promise(() => undefined);

test("a registry that never answers holds up neither the draining of a server nor its end", async () => {
  const clock = virtualClock();
  const lease = { update: never, drain: never, release: never };
  const registry = { ...memoryRegistry(), register: () => Promise.resolve(lease) } as unknown as Registry;
  const link = memory();
  const gate = deferred();
  const server = createServer({ registry, clock }).handle(Probe, {
    plain: () => gate.promise.then(() => ({ text: "ended" })),
  } as never);
  await clock.runUntil(server.listen({ transport: link }));
  const client = createClient({ target: link.address, transport: link, clock });
  const running = client.call(Probe.methods.plain, { text: "" });
  await clock.advance(10);
  const closed = server.close();
  await clock.advance(2100);
  const late = await clock.runUntil(failure(client.call(Probe.methods.plain, { text: "" }, { timeoutMs: 100 })));
  assert.equal(server.stats().calls.started, 1, late.message);
  gate.resolve();
  assert.deepEqual(await clock.runUntil(running), { text: "ended" });
  await clock.runUntil(closed, { withinMs: 5000 });
  await clock.runUntil(client.close());
});

test("a server that cannot be announced does not listen, and may try again under the same id", async () => {
  const registry = memoryRegistry();
  let fails = true;
  const moody: Registry = {
    ...registry,
    register: (instance: Registration) =>
      fails ? Promise.reject(new Error("The registry is away")) : registry.register(instance),
  };
  const link = memory();
  await using server = createServer({ registry: moody, id: "one" }).handle(Probe, {} as never);
  await assert.rejects(server.listen({ transport: link }), /The registry is away/);
  assert.deepEqual(server.stats().addresses, []);
  fails = false;
  await server.listen({ transport: link });
  assert.deepEqual(
    (await registry.list(Probe.name)).instances.map(({ id }) => id),
    ["one"],
  );
});

test("a listen that is overtaken by close ends nothing but itself", async () => {
  const registry = memoryRegistry();
  const [asked, gate] = [deferred(), deferred()];
  let count = 0;
  const slow: Registry = {
    ...registry,
    async register(instance: Registration) {
      if (++count === 2) {
        asked.resolve();
        await gate.promise;
      }
      return registry.register(instance);
    },
  };
  const link = memory();
  const [started, end] = [deferred(), deferred()];
  const server = createServer({ registry: slow, id: "one" }).handle(Probe, {
    plain: () => (started.resolve(), end.promise.then(() => ({ text: "ended" }))),
  } as never);
  await server.listen({ transport: link });
  await using client = createClient({ target: link.address, transport: link });
  const running = client.call(Probe.methods.plain, { text: "" });
  await started.promise;
  const second = server.listen({ transport: memory() });
  await asked.promise;
  const closed = server.close();
  gate.resolve();
  await assert.rejects(second, /Cannot listen: the server is draining/);
  end.resolve();
  assert.deepEqual(await running, { text: "ended" });
  await closed;
  assert.deepEqual((await registry.list(Probe.name)).instances, []);
});
