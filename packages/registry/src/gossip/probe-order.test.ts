import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@pipit/simulation";
import { Member } from "./members.ts";
import { ALIVE, DEAD, emptyUpdate } from "./messages.ts";
import { ProbeOrder } from "./probe-order.ts";

function setUp() {
  const random = seededRandom(1);
  const order = new ProbeOrder((n) => random.u32() % n);
  const live = new Set<Member>();
  return {
    order,
    live,
    join(id: string): Member {
      const m = new Member({ ...emptyUpdate(), id, rank: ALIVE });
      live.add(m);
      order.enlist(m, live.size);
      return m;
    },
    die(m: Member): void {
      m.rank = DEAD;
      live.delete(m);
    },
    next: () => order.next(live.size),
  };
}

test("each live member has its turn once in a lap, and laps differ", () => {
  const { join, next } = setUp();
  const members = Array.from({ length: 20 }, (_, i) => join(`m${i}`));
  next(); // The first lap began while they joined.
  for (let i = 1; i < 20; i++) next();
  const laps = Array.from({ length: 3 }, () => members.map(() => next()?.id));
  for (const lap of laps) assert.deepEqual(new Set(lap), new Set(members.map((m) => m.id)));
  assert.notDeepEqual(laps[0], laps[1]);
});

test("nobody waits for more than three laps, however fast others come and go", () => {
  const { join, die, next, live } = setUp();
  const old = Array.from({ length: 100 }, (_, i) => join(`old-${i}`));
  const turn = new Map(old.map((m) => [m, 0]));
  const young: Member[] = [];
  let longest = 0;
  for (let probe = 1; probe <= 5_000; probe++) {
    for (let i = 0; i < 25; i++) young.push(join(`young-${probe}-${i}`));
    while (young.length > 50) die(young.shift() as Member);
    const m = next();
    assert.ok(m?.live === true);
    const last = turn.get(m);
    if (last !== undefined) {
      longest = Math.max(longest, probe - last);
      turn.set(m, probe);
    }
  }
  for (const last of turn.values()) longest = Math.max(longest, 5_000 - last);
  assert.ok(longest <= 3 * live.size, `${longest} probes between two of one member`);
});

test("those that are gone do not pile up", () => {
  const { order, join, die, next } = setUp();
  for (let i = 0; i < 10; i++) join(`old-${i}`);
  let largest = 0;
  for (let i = 0; i < 10_000; i++) {
    die(join(`young-${i}`));
    if (i % 10 === 0) next();
    largest = Math.max(largest, order.size);
  }
  assert.ok(largest <= 2 * 10 + 16 + 10 + 1, `${largest} held`);
});

test("nobody to probe is no member, and one that comes back is probed again", () => {
  const { order, live, join, die, next } = setUp();
  assert.equal(next(), undefined);
  const m = join("m");
  assert.equal(next(), m);
  die(m);
  assert.equal(next(), undefined);
  m.rank = ALIVE;
  live.add(m);
  order.enlist(m, live.size);
  assert.equal(next(), m);
});
