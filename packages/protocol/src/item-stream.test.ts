import assert from "node:assert/strict";
import { test } from "node:test";
import { ItemStream } from "./item-stream.ts";

function stream(): { items: ItemStream<number>; log: string[] } {
  const log: string[] = [];
  const items = new ItemStream<number>({
    onStarted: () => log.push("started"),
    onConsumed: (bytes) => log.push(`consumed ${bytes}`),
    onLeft: () => log.push("left"),
  });
  return { items, log };
}

test("items come in order, and their credit is given back as they are taken", async () => {
  const { items, log } = stream();
  items.push(1, 10);
  items.push(2, 20);
  assert.deepEqual(log, []);
  assert.deepEqual(await items.next(), { value: 1, done: false });
  assert.deepEqual(log, ["started", "consumed 10"]);
  const waiting = [items.next(), items.next()];
  items.push(3, 30);
  items.close();
  assert.deepEqual(await Promise.all(waiting), [
    { value: 2, done: false },
    { value: 3, done: false },
  ]);
  assert.deepEqual(await items.next(), { value: undefined, done: true });
  assert.deepEqual(log, ["started", "consumed 10", "consumed 20", "consumed 30"]);
});

test("a thousand waiting items keep their order", async () => {
  const { items } = stream();
  for (let value = 0; value < 1000; value++) items.push(value, 1);
  items.close();
  const seen: number[] = [];
  for await (const value of items) seen.push(value);
  assert.deepEqual(
    seen,
    Array.from({ length: 1000 }, (_, value) => value),
  );
});

test("fail ends the loop after the items that wait, abort before them", async () => {
  for (const [end, expected] of [
    ["fail", 1],
    ["abort", 0],
  ] as const) {
    const { items, log } = stream();
    items.push(1, 5);
    items[end](new Error("lost"));
    let seen = 0;
    await assert.rejects(async () => {
      for await (const _ of items) seen++;
    }, /lost/);
    assert.equal(seen, expected);
    assert.deepEqual(log.toSorted(), ["consumed 5", "started"]);
  }
});

test("leaving early tells the owner once and drops later items", async () => {
  const { items, log } = stream();
  items.push(1, 1);
  items.push(2, 2);
  for await (const _ of items) break;
  items.push(3, 3);
  await items.return();
  assert.deepEqual(log, ["started", "consumed 1", "consumed 2", "left", "consumed 3"]);
});

test("a stream that has been iterated throws instead of looking empty", async () => {
  const { items } = stream();
  items.close();
  for await (const _ of items) assert.fail();
  await assert.rejects(async () => {
    for await (const _ of items) assert.fail();
  }, TypeError);
});

test("leaving after the end tells the owner nothing", async () => {
  const { items, log } = stream();
  items.push(1, 1);
  items.close();
  await items.return();
  assert.deepEqual(log, ["consumed 1"]);
});
