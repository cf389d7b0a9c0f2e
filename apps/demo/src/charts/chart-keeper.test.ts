import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "pipit/testing";
import type { ChartEvent, Inspected, Specification } from "../contracts/index.ts";
import { ChartKeeper } from "./chart-keeper.ts";
import { ChartStore } from "./chart-store.ts";

const time = new Date(0);
const width: Specification = {
  characteristic: "width",
  unit: "mm",
  chart: "xbar-r",
  subgroupSize: 3,
  baselinePoints: 10,
};

/** Measurements of a process that jumps now and then, so that rules are violated. */
const measurements: readonly Inspected[] = Array.from({ length: 600 }, (_, i) => ({
  station: "a",
  sequence: i + 1,
  value: ((i * 7919) % 101) / 50 + (i > 60 && i % 90 < 20 ? 2 : 0),
  time,
  verdict: "ok",
}));

async function withStore(use: (open: () => Promise<ChartStore>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pipit-demo-test-"));
  const stores: ChartStore[] = [];
  try {
    await use(async () => {
      const store = await ChartStore.open(join(folder, "charts.db"));
      stores.push(store);
      return store;
    });
  } finally {
    for (const store of stores) store.close();
    rmSync(folder, { recursive: true });
  }
}

function keeper(store: ChartStore, owner: string): ChartKeeper {
  return new ChartKeeper({ owner, store, plan: new Map([["width", width]]), now: () => time, onHappening() {} });
}

/** What happened, without who held the chart. */
function happenings(events: readonly ChartEvent[]): ChartEvent["event"][] {
  return events.map(({ event }) => event).filter(({ type }) => type !== "owner");
}

test("however owners change, and whatever is sent again, points and alarms are those of a single owner", async () => {
  let expected: ChartEvent["event"][] = [];
  await withStore(async (open) => {
    const store = await open();
    keeper(store, "only").record("width", measurements);
    expected = happenings(store.events("width", 0, 10_000));
    assert.ok(expected.filter(({ type }) => type === "alarm").length > 10);
  });

  for (let seed = 1; seed <= 20; seed++) {
    await withStore(async (open) => {
      const random = seededRandom(seed);
      const pick = (count: number): number => random.u32() % count;
      // Each with a connection of its own, as in processes of their own; each goes on believing that it is the owner.
      const keepers = await Promise.all(["a", "b", "c"].map(async (name) => keeper(await open(), name)));
      const store = await open();
      let acknowledged = 0;
      let changes = 0;
      while (acknowledged < measurements.length) {
        // Sent from at or before the last acknowledged one, to anybody; every fourth acknowledgement is lost.
        const from = Math.max(0, acknowledged - pick(30));
        const to = Math.min(measurements.length, acknowledged + 1 + pick(40));
        const result = keepers[pick(3)]?.record("width", measurements.slice(from, to));
        assert.ok(typeof result === "object", `seed ${seed}: ${JSON.stringify(result)}`);
        changes = result.version;
        if (pick(4) > 0) acknowledged = to;
      }
      const events = store.events("width", 0, 100_000);
      assert.deepEqual(happenings(events), expected, `seed ${seed}`);
      assert.deepEqual(
        events.map(({ number }) => number),
        events.map((_, i) => i + 1),
      );
      assert.ok(changes > 10, `seed ${seed}: only ${changes} changes of owner`);
      assert.equal(store.sources()[0]?.recorded, measurements.length);
    });
  }
});

test("a commit under an older version changes nothing", async () => {
  await withStore(async (open) => {
    const store = await open();
    const old = store.takeOver("width", "old", time);
    const held = store.takeOver("width", "new", time);
    assert.equal(held.version, old.version + 1);
    const alarm = {
      id: "x",
      characteristic: "width",
      chart: "location",
      rule: 1,
      point: 1,
      value: 1,
      station: "a",
    } as const;
    const happening = { type: "alarm", value: { ...alarm, sequence: 1, time, description: "" } } as const;
    const commit = { characteristic: "width", measurements: [], happenings: [happening], time };
    assert.equal(store.commit({ ...old, ...commit }), false);
    assert.deepEqual(store.waitingAlarms("new", 0), []);
    assert.equal(store.commit({ ...held, ...commit }), true);
    assert.deepEqual(
      store.waitingAlarms("new", 0).map(({ id }) => id),
      ["x"],
    );
    // Of another owner's only those that have waited too long.
    assert.deepEqual(store.waitingAlarms("other", 0), []);
    assert.equal(store.waitingAlarms("other", 1).length, 1);
  });
});

test("a characteristic that is not in the plan is not recorded", async () => {
  await withStore(async (open) => {
    const store = await open();
    assert.equal(keeper(store, "a").record("colour", measurements.slice(0, 1)), "unknown");
    assert.deepEqual(store.list(), []);
  });
});

test("a batch whose commit fails is as if it never came", async () => {
  await withStore(async (open) => {
    const store = await open();
    const commit = store.commit.bind(store);
    const owner = keeper(store, "a");
    owner.record("width", measurements.slice(0, 50));
    store.commit = () => {
      throw new Error("disk full");
    };
    assert.throws(() => owner.record("width", measurements.slice(50, 100)), /disk full/);
    store.commit = commit;
    assert.deepEqual(owner.record("width", measurements.slice(50)), { recorded: 550, duplicates: 0, version: 2 });
  });
});
