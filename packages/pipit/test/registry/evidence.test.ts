import assert from "node:assert/strict";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { createClient, createServer, memoryRegistry, type Registry } from "pipit";
import { Probe } from "../support/contracts.ts";

const timeout = 20_000;

test("a client tells the registry of a refused and of a reset connection, by instance, and of no other", {
  timeout,
}, async () => {
  const told: string[] = [];
  const inner = memoryRegistry();
  const registry: Registry = {
    register: (instance) => inner.register(instance),
    watch: (service, options) => inner.watch(service, options),
    list: (service) => inner.list(service),
    close: () => inner.close(),
    report: (id, evidence) => told.push(`${id} ${evidence}`),
  };
  const healthy = createServer({ registry, id: "healthy" }).handle(Probe, {
    plain: () => ({ text: "" }),
  } as never);
  await healthy.listen({ port: 0 });
  const resetting = await listen((socket) => socket.once("data", () => socket.resetAndDestroy()).on("error", () => {}));
  const silent = await listen(() => {});
  const closedPort = silent.port;
  await end(silent.server);
  const service = Probe.name;
  await registry.register({ id: "resetting", service, host: "127.0.0.1", port: resetting.port });
  await registry.register({ id: "nobody", service, host: "127.0.0.1", port: closedPort });
  const client = createClient({ target: { registry } });
  try {
    while (new Set(told).size < 2) await client.call(Probe.methods.plain, { text: "" }).catch(() => {});
    assert.deepEqual([...new Set(told)].sort(), ["nobody refused", "resetting reset"]);
  } finally {
    await client.close();
    await healthy.close({ graceMs: 0 });
    await end(resetting.server);
    await registry.close();
  }
});

async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createTcpServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as { port: number }).port };
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
