import assert from "node:assert/strict";
import { test } from "node:test";
import { Fifo } from "./fifo.ts";

test("items leave in the order they came, however long the queue and however pushes and shifts alternate", () => {
  const fifo = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  for (const [pushes, shifts] of [
    [3, 2],
    [5_000, 4_990],
    [20_000, 100],
    [1, 20_000],
  ] as const) {
    for (let i = 0; i < pushes; i++) fifo.push(pushed++);
    for (let i = 0; i < shifts && fifo.length > 0; i++) {
      assert.equal(fifo.first, shifted);
      assert.equal(fifo.shift(), shifted++);
    }
    assert.equal(fifo.length, pushed - shifted);
    assert.equal([...fifo].length, fifo.length);
  }
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.first, undefined);
});

test("the first can be replaced, and an empty queue has no first to replace", () => {
  const fifo = new Fifo<string>();
  fifo.replaceFirst("nobody");
  assert.equal(fifo.length, 0);
  fifo.push("a");
  fifo.push("b");
  fifo.replaceFirst("A");
  assert.deepEqual([...fifo], ["A", "b"]);
  fifo.clear();
  assert.equal(fifo.length, 0);
});
