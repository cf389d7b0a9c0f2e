import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "../../test/fake-clock.ts";
import { assertSeeds, SeedFinder, type Seeds } from "./seed-finder.ts";

test("names become all their addresses, literals stay, doubles go", async () => {
  const { found } = await find(["127.0.0.1:1", "h:2", "[::1]:3", "h:2", "127.0.0.1:1"], { h: ["10.0.0.1", "::2"] });
  assert.deepEqual(found, [["127.0.0.1:1", "10.0.0.1:2", "[::2]:2", "[::1]:3"]]);
});

test("fixed addresses are resolved once, names every 2 s alone and every 60 s in company", async () => {
  assert.deepEqual((await find(["127.0.0.1:1"])).clock.due(), []);
  assert.deepEqual((await find(["h:1"], { h: ["10.0.0.1"] })).clock.due(), [2_000]);
  assert.deepEqual((await find(["h:1"], { h: ["10.0.0.1"] }, true)).clock.due(), [60_000]);
  assert.deepEqual((await find(() => ["127.0.0.1:1"])).clock.due(), [2_000]);
});

test("a seed that cannot be resolved is reported, and the others count", async () => {
  const { found, failed } = await find(["nowhere:1", "127.0.0.1:1"]);
  assert.deepEqual([found, failed], [[["127.0.0.1:1"]], ["nowhere:1"]]);
});

test("a seed that goes on failing is reported once, and again after it was found", async () => {
  const hosts: Record<string, string[]> = {};
  const { failed, clock } = await find(["h:1"], hosts);
  await clock.advance(20_000);
  assert.deepEqual(failed, ["h:1"]);
  hosts["h"] = ["10.0.0.1"];
  await clock.advance(2_000);
  delete hosts["h"];
  await clock.advance(20_000);
  assert.deepEqual(failed, ["h:1", "h:1"]);
});

test("a failing function is reported and asked again", async () => {
  let calls = 0;
  const seeds = async (): Promise<string[]> => {
    calls += 1;
    if (calls === 1) throw new Error("not yet");
    return ["127.0.0.1:1"];
  };
  const { found, failed, clock } = await find(seeds);
  assert.deepEqual([found, failed], [[], ["seeds()"]]);
  await clock.advance(2_000);
  assert.deepEqual(found, [["127.0.0.1:1"]]);
});

test("a stopped finder asks no more", async () => {
  const { finder, clock } = await find(["h:1"], { h: ["10.0.0.1"] });
  finder.stop();
  assert.deepEqual(clock.due(), []);
});

test("a malformed seed is refused at once", () => {
  for (const seed of ["h", "h:0", "unix:/x", ""]) assert.throws(() => assertSeeds([seed]), TypeError, seed);
});

interface Found {
  readonly finder: SeedFinder;
  readonly clock: FakeClock;
  readonly found: (readonly string[])[];
  readonly failed: string[];
}

async function find(seeds: Seeds, hosts: Record<string, string[]> = {}, joined: boolean = false): Promise<Found> {
  const [clock, found, failed] = [fakeClock(), [] as (readonly string[])[], [] as string[]];
  const finder = new SeedFinder({
    seeds,
    clock,
    lookup: async (host) => hosts[host] ?? Promise.reject(new Error(`no ${host}`)),
    isJoined: () => joined,
    onSeeds: (addresses) => found.push(addresses),
    onFailed: (seed) => failed.push(seed),
  });
  await finder.start();
  return { finder, clock, found, failed };
}
