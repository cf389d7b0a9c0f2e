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

test("what is usual is told by ten seconds, whatever the last one brought", () => {
  const follower = new CounterFollower();
  for (let i = 0; i <= 60; i++) follower.read(i * 250, 1, i * 5 + (i > 56 ? 500 : 0));
  assert.equal(follower.perSecond(15_000), 520);
  assert.equal(follower.usualPerSecond(15_000), 70);
  assert.equal(follower.usualPerSecond(16_001), 0);
});
