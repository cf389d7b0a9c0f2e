import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "pipit/testing";
import { type Alarm, NonConformance, Stations } from "../src/contracts/index.ts";
import { audit } from "../src/headless/audit.ts";
import { chartsOf } from "../src/processes/connect.ts";
import { startSystem } from "../src/supervisor/start-system.ts";

/* Real processes, killed at moments that nobody chose. What is counted at the end is what the databases hold. */

const planPath = new URL("../data/line.json", import.meta.url).pathname;
const none = { stations: 0, inspection: 0, charts: 0, "non-conformance": 0, operators: 0 };

function alarm(number: number): Alarm {
  return {
    id: `width/location/rule-1/point-${number}`,
    characteristic: "width",
    chart: "location",
    rule: 1,
    point: number,
    value: number,
    station: "a",
    sequence: number,
    time: new Date(number),
    description: "one point beyond three sigma",
  };
}

test("while instances are killed, each alarm gets one ticket and no call fails; when all were killed, all tickets are there", async () => {
  const system = await startSystem({ planPath, counts: { ...none, "non-conformance": 2 } });
  try {
    const { supervisor, client } = system;
    const tickets = client.service(NonConformance);
    const numbers = new Map<string, number>();
    const enough = new AbortController();
    const opening = (async () => {
      for (let i = 1; !enough.signal.aborted; i += 4) {
        const batch = [i, i + 1, i + 2, i + 3].map(alarm);
        const opened = await Promise.all(batch.map((each) => tickets.open({ alarm: each }, { waitForReady: true })));
        for (const { alarmId, number } of opened) numbers.set(alarmId, number);
        await sleep(2);
      }
    })();
    // A failure is looked at when the killing is over, and is no unhandled one until then.
    opening.catch(() => {});
    const random = seededRandom(1);
    for (let kill = 0; kill < 4; kill++) {
      const id = `non-conformance-${(kill % 2) + 1}`;
      await sleep(random.u32() % 300);
      supervisor.crash(id);
      await sleep(random.u32() % 100);
      await supervisor.revive(id);
    }
    enough.abort();
    await opening;
    assert.ok(numbers.size > 100, `only ${numbers.size} tickets were opened`);
    assert.equal(new Set(numbers.values()).size, numbers.size);

    for (const id of ["non-conformance-1", "non-conformance-2"]) supervisor.crash(id);
    await Promise.all(["non-conformance-1", "non-conformance-2"].map((id) => supervisor.revive(id)));
    const { counts } = await tickets.list({}, { waitForReady: true });
    assert.equal(counts.open, numbers.size);
  } finally {
    await system.close();
  }
});

test("while stations, inspections and charts are killed, every measurement is recorded once, and each alarm has one ticket", async () => {
  const counts = { stations: 1, inspection: 2, charts: 2, "non-conformance": 1, operators: 0 };
  const system = await startSystem({ planPath, counts, measurementsPerSecond: 60 });
  try {
    const { supervisor, client } = system;
    const charts = chartsOf(client);
    const recorded = async (): Promise<number> =>
      audit((await charts.sources({}, { waitForReady: true, timeoutMs: 30_000 })).sources).recorded;
    for (const id of ["charts-1", "inspection-1", "stations-1", "charts-2", "inspection-2"]) {
      const before = await recorded();
      supervisor.crash(id);
      await supervisor.revive(id);
      // It goes on before the next is killed.
      while ((await recorded()) <= before + 20) await sleep(50);
    }
    const stations = (await client.service(Stations).progress({})).stations;
    supervisor.drain("stations-1");
    let [alarms, opened] = [0, -1];
    for (let i = 0; i < 300 && alarms !== opened; i++) {
      await sleep(100);
      alarms = (await charts.list({})).charts.reduce((sum, { alarmCount }) => sum + alarmCount, 0);
      opened = (await client.service(NonConformance).list({})).counts.open;
    }
    const { sources } = await charts.sources({});
    const result = audit(sources);
    assert.deepEqual([result.lost, result.doubled], [0, 0]);
    assert.equal(opened, alarms);
    // What a station was told is recorded, is recorded.
    for (const { station, acknowledged } of stations) {
      for (const { lastSequence } of sources.filter((source) => source.station === station)) {
        assert.ok(lastSequence > acknowledged - 2, `${station}: ${lastSequence} of ${acknowledged}`);
      }
    }
  } finally {
    await system.close();
  }
});
