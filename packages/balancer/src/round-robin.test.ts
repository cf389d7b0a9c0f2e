import assert from "node:assert/strict";
import { test } from "node:test";
import { roundRobin } from "@pipit/balancer";
import { endpoints, lowest, take, tally } from "../test/support/fixtures.ts";

test("round robin gives each endpoint in turn", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(endpoints(3));
  assert.deepEqual(take(balancer, 7), ["e0", "e1", "e2", "e0", "e1", "e2", "e0"]);
});

test("round robin begins at a random endpoint", () => {
  const balancer = roundRobin({ random: { u32: () => 0x8000_0000 } });
  balancer.update(endpoints(4));
  assert.deepEqual(take(balancer, 4), ["e2", "e3", "e0", "e1"]);
});

test("round robin passes over what a request excludes and gives nothing when all is excluded", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update(endpoints(3));
  assert.deepEqual(take(balancer, 3, { exclude: ({ id }) => id === "e1" }), ["e0", "e2", "e0"]);
  assert.equal(balancer.pick({ exclude: () => true }), undefined);
  assert.deepEqual(tally(take(balancer, 300)), { e0: 100, e1: 100, e2: 100 });
});

test("round robin ignores weight but for 0", () => {
  const balancer = roundRobin({ random: lowest });
  balancer.update([
    { id: "a", address: "a:1", weight: 9 },
    { id: "b", address: "b:1", weight: 0 },
    { id: "c", address: "c:1" },
  ]);
  assert.deepEqual(take(balancer, 4), ["a", "c", "a", "c"]);
});
