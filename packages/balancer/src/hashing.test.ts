import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { boundedLoad, type Endpoint, maglev, type PolicyBalancer, rendezvous, ringHash } from "@pipit/balancer";
import { answer, endpoints, seeded, take, tally } from "../test/support/fixtures.ts";
import { maglevTable } from "./maglev.ts";

const policies = { ringHash, maglev, rendezvous, boundedLoad };

function owners(balancer: PolicyBalancer, count = 1_000): (string | undefined)[] {
  return Array.from({ length: count }, (_, key) => take(balancer, 1, { hashKey: `key ${key}` })[0]);
}

test("two processes agree on every key, for any order of the endpoints", () => {
  const script = fileURLToPath(new URL("../test/support/print-picks.ts", import.meta.url));
  const flags = ["--conditions=pipit-source", "--import", "tsx"];
  const [one, other] = ["1", "2"].map((seed) => {
    const child = spawnSync(process.execPath, [...flags, script, seed], { encoding: "utf8" });
    assert.equal(child.status, 0, child.stderr);
    return child.stdout;
  });
  assert.equal(one?.split("\n").length, 5);
  assert.equal(one, other);
});

for (const [name, policy] of Object.entries(policies)) {
  test(`${name}: a key stays; without a key, calls spread`, () => {
    const balancer = policy({ random: seeded(1) });
    balancer.update(endpoints(10));
    assert.equal(new Set(take(balancer, 50, { hashKey: "one" })).size, 1);
    assert.equal(new Set(take(balancer, 500)).size, 10);
  });

  test(`${name}: an ejected or excluded endpoint's keys go elsewhere, all others stay`, () => {
    const balancer = policy({ now: () => 0 });
    balancer.update(endpoints(10));
    const before = owners(balancer);
    const check = (after: readonly (string | undefined)[]) => {
      for (const [key, id] of before.entries()) {
        if (id === "e4") assert.notEqual(after[key], "e4");
        else assert.equal(after[key], id);
      }
    };
    const excluding = before.map(
      (_, key) => take(balancer, 1, { hashKey: `key ${key}`, exclude: ({ id }) => id === "e4" })[0],
    );
    check(excluding);
    balancer.pool.eject("e4");
    check(owners(balancer));
    balancer.pool.restore("e4");
    assert.deepEqual(owners(balancer), before);
    balancer.update(endpoints(10).map((each) => (each.id === "e4" ? { ...each, state: "suspect" } : each)));
    check(owners(balancer));
  });

  test(`${name}: weights are heeded`, () => {
    const balancer = policy();
    balancer.update(endpoints(10).map((each, index) => ({ ...each, weight: index === 0 ? 3 : 1 })));
    const { e0 = 0 } = tally(owners(balancer, 12_000).map(String));
    assert.ok(Math.abs(e0 / 12_000 - 3 / 12) < 0.05, `${e0} of 12,000`);
  });

  test(`${name}: the hash key of an endpoint and not its id says where it is`, () => {
    const named = (prefix: string): Endpoint[] =>
      endpoints(10).map(({ id, address }) => ({ id: `${prefix}${id}`, address, hashKey: id }));
    const [one, other] = [policy(), policy()];
    one.update(named("x"));
    other.update(named("y"));
    assert.deepEqual(
      owners(one).map((id) => id?.slice(1)),
      owners(other).map((id) => id?.slice(1)),
    );
  });

  test(`${name}: gives nothing when all is excluded or nothing is there`, () => {
    const balancer = policy();
    assert.equal(balancer.pick({ hashKey: "x" }), undefined);
    balancer.update(endpoints(3));
    assert.equal(balancer.pick({ hashKey: "x", exclude: () => true }), undefined);
    balancer.update([]);
    assert.equal(balancer.pick({ hashKey: "x" }), undefined);
  });

  test(`${name}: 100 endpoints are loaded evenly enough`, () => {
    const balancer = policy();
    balancer.update(endpoints(100));
    const most = Math.max(...Object.values(tally(owners(balancer, 50_000).map(String)))) / 500;
    const bound = name === "maglev" || name === "rendezvous" ? 1.15 : 1.35;
    assert.ok(most < bound, `${most}`);
  });
}

test("maglev: entries are within 1 of each other, and follow weights", () => {
  for (const count of [1, 2, 3, 100, 999]) {
    const keys = endpoints(count).map(({ id }) => id);
    const counts = new Array<number>(count).fill(0);
    for (const owner of maglevTable(
      keys,
      keys.map(() => 1),
    ))
      counts[owner] = (counts[owner] ?? 0) + 1;
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${count}`);
  }
  const uneven = maglevTable(["a", "b"], [3, 1]);
  assert.ok(Math.abs(uneven.filter((owner) => owner === 0).length - 49_153) <= 2);
});

test("bounded load: a key's calls overflow to the next, and come back when there is room", () => {
  const balancer = boundedLoad({ factor: 1.5 });
  balancer.update(endpoints(4));
  const picks = Array.from({ length: 8 }, () => balancer.pick({ hashKey: "one" }));
  const counts = Object.values(tally(picks.map((pick) => pick?.endpoint.id ?? "-")));
  // ceil(1.5 · 8 ÷ 4) = 3 at most on one.
  assert.equal(Math.max(...counts), 3);
  for (const pick of picks) answer(pick);
  assert.equal(balancer.pick({ hashKey: "one" })?.endpoint.id, picks[0]?.endpoint.id);
});

test("bounded load: the bound is over those that may be picked, and calls to a removed endpoint weigh nothing", () => {
  const balancer = boundedLoad({ now: () => 0 });
  balancer.update(endpoints(3));
  for (let call = 0; call < 90; call += 1) balancer.pick({ hashKey: `${call}` });
  balancer.update([...endpoints(2), { id: "new", address: "new:1" }]);
  balancer.pool.eject("e0");
  // What is left holds some 20 or 30 calls, all at e1: more than 1.25 times the mean of the two, so that new takes the next.
  const held = balancer.pool.stats().find(({ id }) => id === "e1")?.inFlight ?? 0;
  assert.ok(held >= 20, `${held}`);
  for (let call = 0; call < 8; call += 1) {
    assert.equal(balancer.pick({ hashKey: `${call}` })?.endpoint.id, "new");
  }
});

test("options out of range are refused by name", () => {
  assert.throws(
    () => boundedLoad({ factor: 1 }),
    new RangeError("Cannot create a balancer: factor is 1, expected a finite number above 1"),
  );
  assert.throws(
    () => ringHash({ pointsPerWeight: 0 }),
    new RangeError("Cannot create a balancer: pointsPerWeight is 0, expected a finite number above 0"),
  );
});
