import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "@pipit/balancer";
import { endpoints, lowest, seeded, take, tally } from "../test/support/fixtures.ts";

test("random picks by the draw", () => {
  const draws = [0, 0xffff_ffff, 0x4000_0000, 0x3fff_ffff];
  const balancer = random({ random: { u32: () => draws.shift() ?? 0 } });
  balancer.update(endpoints(4));
  assert.deepEqual(take(balancer, 4), ["e0", "e3", "e1", "e0"]);
});

test("random never gives what a request excludes", () => {
  const balancer = random({ random: seeded(3) });
  balancer.update(endpoints(4));
  const ids = take(balancer, 500, { exclude: ({ id }) => id === "e2" });
  assert.deepEqual(Object.keys(tally(ids)).sort(), ["e0", "e1", "e3"]);
  assert.equal(balancer.pick({ exclude: () => true }), undefined);
});

test("without endpoints there is nothing to pick", () => {
  const balancer = random({ random: lowest });
  assert.equal(balancer.pick(), undefined);
  balancer.update([]);
  assert.equal(balancer.pick(), undefined);
});
