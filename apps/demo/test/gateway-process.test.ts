import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway } from "../src/supervisor/gateway-process.ts";
import { startSystem } from "../src/supervisor/start-system.ts";

/* The gateway as a process of its own, in a cluster of which it is the only other member. */

const counts = { stations: 0, inspection: 0, charts: 0, "non-conformance": 0, operators: 0 };
const system = await startSystem({ planPath: new URL("../data/line.json", import.meta.url).pathname, counts });
after(() => system.close());
const options = {
  seeds: system.seeds,
  adopt: (child: Parameters<typeof system.supervisor.adopt>[0]) => system.supervisor.adopt(child),
};

async function isServed(url: string): Promise<boolean> {
  return fetch(url).then(
    async (response) => (await response.text()).includes("<html") && response.ok,
    () => false,
  );
}

test("it serves the page from a process that gossip knows; killed, it is back at the same address; closed, it is gone", async () => {
  const gateway = await startGateway(options);
  try {
    const { url, pid } = gateway;
    assert.notEqual(pid, process.pid);
    assert.ok(await isServed(url));
    const isMember = () => system.registry.members().some(({ id, state }) => id === "gateway" && state === "alive");
    for (let i = 0; i < 600 && !isMember(); i++) await sleep(50);
    assert.ok(isMember());

    process.kill(pid as number, "SIGKILL");
    for (let i = 0; i < 1200 && (gateway.pid === pid || !(await isServed(url))); i++) await sleep(50);
    assert.ok(await isServed(url));
    assert.notEqual(gateway.pid, pid);
  } finally {
    await gateway.close();
  }
  assert.equal(await isServed(gateway.url), false);
  assert.throws(() => process.kill(gateway.pid as number, 0), { code: "ESRCH" });
});

test("a port that is taken is named, and what to do about it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    await assert.rejects(startGateway({ ...options, port }), {
      message: `Cannot start the gateway: port ${port} is taken by another program; choose one with --port`,
    });
  } finally {
    other.close();
  }
});
