import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer, memoryRegistry } from "pipit";
import { memory } from "pipit/testing";
import { Probe } from "../support/contracts.ts";

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
