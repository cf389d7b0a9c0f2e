import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterFollower } from "./counter-follower.ts";

test("a count that begins again at 0 goes on from where its former life was", () => {
  const follower = new CounterFollower();
  follower.read(0, 1, 10);
  follower.read(250, 1, 30);
  follower.read(500, 2, 50); // more than before, and yet another life
  follower.read(750, 2, 60);
  assert.equal(follower.total, 90);
});

test("a rate looks back over the last second, and is 0 once nobody answers", () => {
  const follower = new CounterFollower();
  for (let i = 0; i <= 20; i++) follower.read(i * 250, 1, i < 12 ? 0 : (i - 12) * 25);
  assert.equal(follower.perSecond(5000), 100);
  assert.equal(follower.perSecond(6001), 0);
  assert.equal(new CounterFollower().perSecond(0), 0);
});

test("what comes at least is told by the quietest second of ten, whatever bursts there were", () => {
  const follower = new CounterFollower();
  let total = 0;
  for (let i = 0; i <= 60; i++) {
    total += i > 50 ? 50 : i > 30 ? 10 : 1;
    follower.read(i * 250, 1, total);
  }
  assert.equal(follower.perSecond(15_000), 200);
  assert.equal(follower.leastPerSecond(15_000), 4);
  for (let i = 61; i <= 90; i++) follower.read(i * 250, 1, (total += 20));
  assert.equal(follower.leastPerSecond(22_500), 80);
  assert.equal(new CounterFollower().leastPerSecond(0), 0);
});
