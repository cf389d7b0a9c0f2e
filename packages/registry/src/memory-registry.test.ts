import assert from "node:assert/strict";
import { test } from "node:test";
import { openWritable, registration, registrySuite, suiteService } from "../test/registry-suite.ts";
import { memoryRegistry } from "./memory-registry.ts";

registrySuite("memoryRegistry", { open: () => openWritable(memoryRegistry()) });

test("a full memory registry refuses one more instance, and takes it after a release", async () => {
  const registry = memoryRegistry({ maxInstances: 1 });
  const lease = await registry.register(registration("a"));
  await assert.rejects(registry.register(registration("b")), /Cannot register "b": 1 instances are registered/);
  await lease.release();
  await registry.register(registration("b"));
});

test("a registry refuses one watcher more than its limit, and takes it after one left", async () => {
  const registry = memoryRegistry({ maxWatchers: 1 });
  const one = registry.watch(suiteService)[Symbol.asyncIterator]();
  const two = registry.watch(suiteService)[Symbol.asyncIterator]();
  await one.next();
  await assert.rejects(two.next(), /Cannot watch service "suite.Service": 1 watchers are open/);
  await one.return?.();
  assert.equal((await two.next()).done, false);
});
