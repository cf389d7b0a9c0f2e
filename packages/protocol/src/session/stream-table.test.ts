import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionStream } from "./stream-state.ts";
import { StreamIds, StreamTable } from "./stream-table.ts";
import { generationMask, slotBits, slotMask } from "./wire.ts";

function stream(id: number): SessionStream {
  return { id, state: undefined };
}

test("a stream is found by its id, and not by that of an earlier one in its slot", () => {
  const table = new StreamTable();
  const later = stream((3 << slotBits) | 5);
  table.add(later);
  assert.equal(table.find(later.id), later);
  assert.equal(table.find((2 << slotBits) | 5), undefined);
  assert.ok(table.isTaken((2 << slotBits) | 5));
  assert.equal(table.isTaken(4), false);
  assert.deepEqual(table.all(), [later]);
  table.remove(later);
  assert.equal(table.find(later.id), undefined);
  assert.equal(table.count, 0);
});

test("a stream that is gone already is not removed twice, nor the one that has its slot now", () => {
  const table = new StreamTable();
  const [earlier, later] = [stream(5), stream((1 << slotBits) | 5)];
  table.add(earlier);
  table.remove(earlier);
  table.remove(earlier);
  assert.equal(table.count, 0);
  table.add(later);
  table.remove(earlier);
  assert.equal(table.find(later.id), later);
  assert.equal(table.count, 1);
  table.clear();
  table.remove(later);
  assert.equal(table.count, 0);
});

test("a slot is used again under its next generation, and ids begin anew after the last", () => {
  const ids = new StreamIds();
  for (let generation = 0; generation <= generationMask; generation++) {
    const id = ids.take();
    assert.equal(id, generation << slotBits);
    ids.retire(id);
  }
  assert.equal(ids.take(), 0);
});

test("an id that was given back is the next that is taken", () => {
  const ids = new StreamIds();
  const [first, second] = [ids.take(), ids.take()];
  ids.giveBack(first);
  assert.equal(ids.take(), first);
  assert.notEqual(first, second);
});

for (const seed of [1, 2, 3, 4]) {
  test(`no two ids in use share a slot, and slots are no more than were ever in use at once (seed ${seed})`, () => {
    let random = seed;
    const below = (most: number): number => (random = (random * 48_271) % 0x7fff_ffff) % most;
    const ids = new StreamIds();
    const table = new StreamTable();
    let most = 0;
    for (let step = 0; step < 20_000; step++) {
      const open = table.all();
      const old = open[below(100)];
      if (old === undefined) {
        const fresh = stream(ids.take());
        assert.equal(table.isTaken(fresh.id), false);
        table.add(fresh);
      } else {
        table.remove(old);
        if (below(10) === 0) ids.giveBack(old.id);
        else ids.retire(old.id);
      }
      most = Math.max(most, table.count);
      assert.equal(ids.count, table.count);
      for (const { id } of table.all()) assert.ok((id & slotMask) < most);
    }
  });
}
