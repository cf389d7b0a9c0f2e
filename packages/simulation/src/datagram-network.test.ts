import assert from "node:assert/strict";
import { test } from "node:test";
import { datagramNetwork } from "./datagram-network.ts";
import { seededRandom } from "./seeded-random.ts";

function arrivals(conditions: Parameters<typeof datagramNetwork>[1], count: number): number[][] {
  const network = datagramNetwork(seededRandom(7), conditions);
  return Array.from({ length: count }, () => [...network.deliveries("a", "b")]);
}

test("a quiet network delivers each datagram once, within its latency", () => {
  for (const delays of arrivals({}, 1_000)) {
    assert.equal(delays.length, 1);
    assert.ok((delays[0] as number) >= 1 && (delays[0] as number) <= 4);
  }
});

test("loss and duplication happen as often as asked", () => {
  const all = arrivals({ loss: 0.3, duplication: 0.1 }, 20_000);
  const lost = all.filter((delays) => delays.length === 0).length;
  const twice = all.filter((delays) => delays.length === 2).length;
  assert.ok(Math.abs(lost - 6_000) < 300, `lost ${lost}`);
  assert.ok(Math.abs(twice - 1_400) < 200, `twice ${twice}`);
});

test("reordering holds some datagrams back", () => {
  const late = arrivals({ reordering: 0.5, reorderingMs: 100 }, 1_000).filter((d) => (d[0] as number) > 100).length;
  assert.ok(late > 400 && late < 600, `late ${late}`);
});

test("one seed gives one fate", () => {
  assert.deepEqual(arrivals({ loss: 0.5 }, 100), arrivals({ loss: 0.5 }, 100));
});

test("a cut closes one direction only, a partition both, and heal opens them", () => {
  const network = datagramNetwork(seededRandom(1));
  network.cut("a", "b");
  assert.equal(network.deliveries("a", "b").length, 0);
  assert.equal(network.deliveries("b", "a").length, 1);
  network.partition([["a", "b"]]);
  assert.equal(network.isOpen("b", "c"), false);
  assert.equal(network.isOpen("c", "d"), true);
  network.heal();
  assert.ok(network.isOpen("a", "b") && network.isOpen("b", "c"));
});

test("a condition out of range is refused by name", () => {
  const random = seededRandom(1);
  assert.throws(() => datagramNetwork(random, { loss: 2 }), /Network loss: expected 0 to 1, got 2/);
  assert.throws(() => datagramNetwork(random, { minLatencyMs: 5, maxLatencyMs: 4 }), RangeError);
});
