import assert from "node:assert/strict";
import { test } from "node:test";
import { LazySet } from "./lazy-set.ts";

test("a lazy set is a set, before and after something was in it", () => {
  const set = new LazySet<string>();
  assert.equal(set.size, 0);
  assert.deepEqual([...set], []);
  assert.equal(set.delete("a"), false);
  set.add("a");
  set.add("a");
  set.add("b");
  assert.equal(set.size, 2);
  assert.deepEqual([...set], ["a", "b"]);
  assert.equal(set.delete("a"), true);
  assert.equal(set.delete("a"), false);
  assert.deepEqual([...set], ["b"]);
});
