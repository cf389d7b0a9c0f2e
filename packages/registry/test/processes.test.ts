import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessCluster } from "./process-cluster.ts";

/** Two services of four, so that one death leaves the most of its service. The long run is `npm run processes`. */
const memberCount = 8;
const killCount = 3;

test("in eight processes a killed member goes, a leaver goes, and one that stands still for 3 s stays", {
  timeout: 180_000,
}, async () => {
  const cluster = await ProcessCluster.create(["even", "odd"]);
  try {
    for (let index = 0; index < memberCount; index += 1) await cluster.start(`m${index}`, serviceOf(index));
    await cluster.settled();
    assert.deepEqual(await cluster.freeze("m3", 3_000), []);
    for (let index = 0; index < killCount; index += 1) {
      await cluster.end(`m${index}`, "SIGKILL");
      await cluster.start(`m${index}`, serviceOf(index));
      await cluster.settled();
    }
    await cluster.end("m7", "SIGTERM");
  } finally {
    await cluster.close();
  }
});

function serviceOf(index: number): string {
  return index % 2 === 0 ? "even" : "odd";
}
