import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, maglev, peakEwma, ringHash, roundRobin } from "@pipit/balancer";
import { endpoints, lowest, seeded, take, tally } from "../test/support/fixtures.ts";
import { slowStartFactor, slowStartLaw } from "./slow-start.ts";
import { zoneShares } from "./zone.ts";

/** Endpoints `a0 a1 … b0 …`, as many of each zone as told. */
function zoned(sizes: Readonly<Record<string, number>>): Endpoint[] {
  return Object.entries(sizes).flatMap(([zone, size]) =>
    endpoints(size, { zone }).map((endpoint, index) => ({ ...endpoint, id: `${zone}${index}` })),
  );
}

function shares(sizes: Readonly<Record<string, number>>, local: string, clientShare?: number): Record<string, number> {
  return Object.fromEntries(zoneShares(new Map(Object.entries(sizes)), { local, clientShare }));
}

test("zones: all stays local where the zone has its share of endpoints or more", () => {
  assert.deepEqual(shares({ a: 2, b: 2 }, "a"), { a: 1, b: 0 });
  assert.deepEqual(shares({ a: 6, b: 2 }, "a"), { a: 1, b: 0 });
  assert.deepEqual(shares({ a: 3 }, "a"), { a: 1 });
});

test("zones: what a small zone has no room for spills to where there is room", () => {
  // A quarter of the endpoints, half of the clients: half stays.
  assert.deepEqual(shares({ a: 1, b: 3 }, "a"), { a: 0.5, b: 0.5 });
  // b has 10 of 20 for a third of the clients; c has 8 of 20; a stays 2/20 ÷ 1/3 = 0.3. Room: b 1/6, c 1/15.
  const spread = shares({ a: 2, b: 10, c: 8 }, "a");
  assert.ok(Math.abs((spread["a"] ?? 0) - 0.3) < 1e-12);
  assert.ok(Math.abs((spread["b"] ?? 0) - 0.5) < 1e-12);
  assert.ok(Math.abs((spread["c"] ?? 0) - 0.2) < 1e-12);
  assert.deepEqual(shares({ a: 1, b: 1 }, "a", 1), { a: 0.5, b: 0.5 });
});

test("zones: every endpoint gets its equal share when the clients of all zones are counted", () => {
  const sizes = { a: 2, b: 5, c: 9 };
  const load: Record<string, number> = {};
  for (const client of Object.keys(sizes)) {
    for (const [zone, share] of Object.entries(shares(sizes, client))) load[zone] = (load[zone] ?? 0) + share / 3;
  }
  for (const [zone, size] of Object.entries(sizes)) {
    assert.ok(Math.abs((load[zone] ?? 0) - size / 16) < 1e-12, `${zone}: ${load[zone]}`);
  }
});

test("zones: a client in a zone without endpoints uses what room the others have", () => {
  // c has just what its own quarter of the clients needs.
  assert.deepEqual(shares({ b: 3, c: 1 }, "a", 0.5), { b: 1, c: 0 });
  assert.deepEqual(shares({ b: 3, c: 1 }, "a", 1), { b: 0.75, c: 0.25 });
});

test("zones: picks follow the shares, and an ejection in the local zone spills its part", () => {
  const balancer = roundRobin({ now: () => 0, random: seeded(1), zone: { local: "a" } });
  balancer.update(zoned({ a: 2, b: 2 }));
  assert.deepEqual(tally(take(balancer, 100)), { a0: 50, a1: 50 });
  balancer.pool.eject("a0");
  const { a1 = 0, b0 = 0, b1 = 0 } = tally(take(balancer, 30_000));
  // One endpoint of three for half of the clients: two thirds stay.
  assert.ok(Math.abs(a1 / 30_000 - 2 / 3) < 0.01, `${a1}`);
  assert.ok(Math.abs(b0 - b1) <= 1);
});

test("zones: when all of the local zone is excluded, the others serve", () => {
  const balancer = roundRobin({ random: lowest, zone: { local: "a" } });
  balancer.update(zoned({ a: 1, b: 1 }));
  assert.deepEqual(take(balancer, 2, { exclude: ({ zone }) => zone === "a" }), ["b0", "b0"]);
});

test("zones: not in panic", () => {
  const balancer = roundRobin({ now: () => 0, random: lowest, ejection: { maxPercent: 100 }, zone: { local: "a" } });
  balancer.update(zoned({ a: 2, b: 2 }));
  for (const id of ["a0", "a1", "b0"]) balancer.pool.eject(id);
  assert.equal(Object.keys(tally(take(balancer, 40))).length, 4);
});

test("zones: a hashing policy keeps a key in its zone and on its endpoint", () => {
  const balancer = ringHash({ zone: { local: "a" } });
  balancer.update(zoned({ a: 4, b: 4 }));
  for (let key = 0; key < 100; key += 1) {
    const [first, ...rest] = take(balancer, 3, { hashKey: `key ${key}` });
    assert.ok(first?.startsWith("a"));
    assert.deepEqual(rest, [first, first]);
  }
});

test("subset: a client uses as many endpoints as told, the same for any order, others for another seed", () => {
  const use = (seed: number, list: readonly Endpoint[]) => {
    const balancer = roundRobin({ random: lowest, subset: { size: 20, seed } });
    balancer.update(list);
    return Object.keys(tally(take(balancer, 200))).sort();
  };
  const list = endpoints(100);
  assert.equal(use(1, list).length, 20);
  assert.deepEqual(use(1, list), use(1, [...list].reverse()));
  assert.notDeepEqual(use(1, list), use(2, list));
});

test("subset: an ejected endpoint is replaced by one other", () => {
  const balancer = roundRobin({ now: () => 0, random: lowest, subset: { size: 10, seed: 1 } });
  balancer.update(endpoints(50));
  const before = Object.keys(tally(take(balancer, 100)));
  balancer.pool.eject(before[0] ?? "");
  const after = Object.keys(tally(take(balancer, 100)));
  assert.equal(after.length, 10);
  assert.equal(after.filter((id) => !before.includes(id)).length, 1);
});

test("slow start: a line from a tenth to the whole over 30 s", () => {
  const law = slowStartLaw({});
  assert.deepEqual(
    [0, 1_500, 3_000, 15_000, 29_999, 30_000, 90_000].map((ageMs) => slowStartFactor(ageMs, law)),
    [0.1, 0.1, 0.1, 0.5, 29_999 / 30_000, 1, 1],
  );
});

test("slow start: endpoints of the first update are warm, a later one warms up", () => {
  let nowMs = 0;
  const balancer = roundRobin({ now: () => nowMs, random: seeded(1), slowStart: {} });
  balancer.update(endpoints(9));
  assert.equal(tally(take(balancer, 90))["e0"], 10);
  nowMs = 1_000;
  balancer.update(endpoints(10));
  const shareAt = (ageMs: number) => {
    nowMs = 1_000 + ageMs;
    return (tally(take(balancer, 20_000))["e9"] ?? 0) / 2_000;
  };
  // Of its fair share of a tenth: f ÷ (9 + f) × 10.
  for (const [ageMs, factor] of [
    [0, 0.1],
    [15_000, 0.5],
    [30_000, 1],
  ] as const) {
    const share = shareAt(ageMs);
    const expected = (factor / (9 + factor)) * 10;
    assert.ok(Math.abs(share - expected) < 0.05, `${ageMs} ms: ${share}, expected ${expected}`);
  }
});

test("slow start: an endpoint back from an ejection warms up; one that is alone is used at once", () => {
  let nowMs = 0;
  const balancer = roundRobin({ now: () => nowMs, random: seeded(1), slowStart: {}, panicThreshold: 0 });
  balancer.update(endpoints(2));
  balancer.pool.eject("e0", 1_000);
  nowMs = 1_000;
  assert.ok((tally(take(balancer, 1_000))["e0"] ?? 0) < 200);
  balancer.update([{ id: "new", address: "new:1" }]);
  assert.deepEqual(tally(take(balancer, 100)), { new: 100 });
});

test("slow start: under a hashing policy keys move to a new endpoint one by one and each once", () => {
  let nowMs = 0;
  const balancer = maglev({ now: () => nowMs, slowStart: {} });
  balancer.update(endpoints(9));
  nowMs = 1;
  balancer.update(endpoints(10));
  const moved = new Set<string>();
  let count = 0;
  for (; nowMs <= 30_001; nowMs += 3_000) {
    const now = new Set<string>();
    for (let key = 0; key < 500; key += 1) {
      if (take(balancer, 1, { hashKey: `key ${key}` })[0] === "e9") now.add(`key ${key}`);
    }
    for (const key of moved) assert.ok(now.has(key), `${key} moved back`);
    assert.ok(now.size >= count);
    count = now.size;
    for (const key of now) moved.add(key);
  }
  assert.ok(count > 30 && count < 75, `${count}`);
});

test("all filters together never pick what left, drains, or is excluded", () => {
  let nowMs = 0;
  const random = seeded(7);
  const balancer = peakEwma({
    now: () => nowMs,
    random: seeded(8),
    ejection: { intervalMs: 50, baseMs: 100 },
    zone: { local: "a" },
    subset: { size: 5, seed: 1 },
    slowStart: { windowMs: 200 },
  });
  for (let round = 0; round < 400; round += 1) {
    const list = endpoints(random.u32() % 12).map((endpoint, index) => ({
      ...endpoint,
      id: `e${(index * 7 + (random.u32() % 3)) % 100}-${index}`,
      zone: ["a", "b", "c"][random.u32() % 3],
      state: (["up", "up", "suspect", "stale", "draining"] as const)[random.u32() % 5],
      weight: random.u32() % 3,
    }));
    balancer.update(list);
    const excluded = list[0]?.id;
    const usable = list.filter(({ id, state, weight }) => id !== excluded && state !== "draining" && weight > 0);
    for (let call = 0; call < 20; call += 1) {
      nowMs += random.u32() % 10;
      const pick = balancer.pick({ exclude: ({ id }) => id === excluded });
      assert.equal(pick !== undefined, usable.length > 0, `round ${round}`);
      if (pick === undefined) continue;
      assert.ok(
        usable.some(({ id }) => id === pick.endpoint.id),
        `round ${round}: ${pick.endpoint.id}`,
      );
      if (random.u32() % 2 === 0) pick.done({ result: "failed", elapsedMs: 1 });
    }
  }
});

test("options out of range are refused by name", () => {
  const cases: readonly (readonly [Parameters<typeof roundRobin>[0], string])[] = [
    [{ zone: { local: "a", clientShare: 0 } }, "zone.clientShare is 0, expected above 0 and up to 1"],
    [{ subset: { size: 0 } }, "subset.size is 0, expected a whole number ≥ 1"],
    [{ subset: { seed: -1 } }, "subset.seed is -1, expected a whole number of 32 bits"],
    [{ slowStart: { windowMs: 0 } }, "slowStart.windowMs is 0, expected a finite number above 0"],
    [{ slowStart: { least: 2 } }, "slowStart.least is 2, expected 0 to 1"],
  ];
  for (const [options, why] of cases) {
    assert.throws(() => roundRobin(options), new RangeError(`Cannot create a balancer: ${why}`));
  }
});
