import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@pipit/simulation";
import { ExpiryQueue } from "./expiry-queue.ts";

test("whatever is added when, the earliest comes first", () => {
  const random = seededRandom(7);
  const queue = new ExpiryQueue();
  const held: number[] = [];
  for (let step = 0; step < 4000; step++) {
    if (random.u32() % 5 < (step < 2000 ? 3 : 2)) {
      const expiresAtMs = random.u32() % 1000;
      queue.add({ expiresAtMs });
      held.push(expiresAtMs);
    } else {
      held.sort((a, b) => a - b);
      const wanted = held.shift();
      assert.equal(queue.first?.expiresAtMs, wanted);
      assert.equal(queue.takeFirst()?.expiresAtMs, wanted);
    }
  }
  while (queue.takeFirst() !== undefined) held.pop();
  assert.equal(held.length, 0);
  assert.equal(queue.first, undefined);
});
