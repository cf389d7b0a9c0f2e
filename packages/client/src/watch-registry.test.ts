import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { systemClock, systemRandom } from "@pipit/protocol";
import type { Registry, Snapshot } from "@pipit/registry";
import { watchRegistry } from "./watch-registry.ts";

function snapshotOf(id: string): Snapshot {
  const instance = { id, generation: 1, service: "s", host: "h", port: 1, weight: 1, zone: "", version: "" };
  return { revision: 1, instances: [{ ...instance, metadata: {}, state: "up" }] };
}

test("what the user's own code throws over a snapshot is told, and the next one counts", async () => {
  const watching = new AbortController();
  async function* watch(): AsyncGenerator<Snapshot> {
    for (const id of ["first", "odd", "last"]) yield snapshotOf(id);
    watching.abort();
  }
  const seen: string[] = [];
  const warned = once(process, "warning");
  await watchRegistry({
    registry: { watch } as unknown as Registry,
    service: "s",
    signal: watching.signal,
    clock: systemClock,
    random: systemRandom,
    serverName({ id }) {
      if (id === "odd") throw new Error("No name for this one");
      return undefined;
    },
    onEndpoints: (endpoints) => void seen.push(...endpoints.map(({ id }) => id)),
  });
  assert.deepEqual(seen, ["first", "last"]);
  const [warning] = (await warned) as [Error];
  assert.equal(warning.message, "No name for this one");
});
