import assert from "node:assert/strict";
import { test } from "node:test";
import { pickFirst } from "@pipit/balancer";
import { answer, endpoints, fail, take } from "../test/support/fixtures.ts";

test("pick first stays with the first endpoint", () => {
  const balancer = pickFirst();
  balancer.update(endpoints(3));
  assert.deepEqual(take(balancer, 3), ["e0", "e0", "e0"]);
});

test("pick first moves on when a call fails, and stays there", () => {
  const balancer = pickFirst();
  balancer.update(endpoints(3));
  fail(balancer.pick());
  assert.deepEqual(take(balancer, 3), ["e1", "e1", "e1"]);
});

test("when all have failed, pick first goes round", () => {
  const balancer = pickFirst();
  balancer.update(endpoints(3));
  const tried = Array.from({ length: 4 }, () => {
    const pick = balancer.pick();
    fail(pick);
    return pick?.endpoint.id;
  });
  assert.deepEqual(tried, ["e0", "e1", "e2", "e0"]);
});

test("an excluded first endpoint is passed over for that call only", () => {
  const balancer = pickFirst();
  balancer.update(endpoints(3));
  assert.deepEqual(take(balancer, 1, { exclude: ({ id }) => id === "e0" }), ["e1"]);
  assert.deepEqual(take(balancer, 1), ["e0"]);
});

test("pick first keeps its endpoint when the list changes around it", () => {
  const balancer = pickFirst();
  balancer.update(endpoints(3));
  fail(balancer.pick());
  answer(balancer.pick());
  balancer.update([{ id: "z", address: "z:1" }, ...endpoints(3)]);
  assert.deepEqual(take(balancer, 2), ["e1", "e1"]);
});
