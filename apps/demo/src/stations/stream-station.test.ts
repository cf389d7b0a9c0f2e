import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, createServer, RpcError } from "pipit";
import { memory, seededRandom } from "pipit/testing";
import { emptyChart, takeIn } from "../charts/chart.ts";
import { type Inspected, Inspection, type Measurement, type Specification } from "../contracts/index.ts";
import { Forwarder } from "../inspection/forwarder.ts";
import { fileSource, recordedPrefix } from "./file-source.ts";
import { type StreamProgress, streamStation } from "./stream-station.ts";

const specification: Specification = {
  characteristic: "",
  unit: "mm",
  chart: "i-mr",
  subgroupSize: 1,
  baselinePoints: 25,
};

/** A station that measures three characteristics in turn. */
const measurements: readonly Measurement[] = Array.from({ length: 300 }, (_, i) => ({
  station: "a",
  sequence: i + 1,
  characteristic: ["bore", "shaft", "weight"][i % 3] ?? "",
  value: i,
  time: new Date(i),
}));

function progress(): StreamProgress {
  return { measured: 0, acknowledged: 0, resumed: 0, finished: false };
}

/** An inspection whose charts lose calls, before they ran or after, and that tells what was recorded, in order. */
function fallible(seed: number, knowsRepetitions = true) {
  const random = seededRandom(seed);
  const charts = new Map<string, ReturnType<typeof emptyChart>>();
  const recorded = new Map<string, number[]>();
  let duplicates = 0;
  function record(characteristic: string, batch: readonly Inspected[]): void {
    const state = charts.get(characteristic) ?? emptyChart();
    charts.set(characteristic, state);
    for (const measurement of batch) {
      const isKnown = takeIn(state, specification, measurement) === undefined;
      if (isKnown) duplicates++;
      if (!isKnown || !knowsRepetitions)
        recorded.set(characteristic, [...(recorded.get(characteristic) ?? []), measurement.sequence]);
    }
  }
  const server = createServer().handle(Inspection, {
    async submit(stream) {
      const forwarder = new Forwarder(async (characteristic, batch) => {
        await Promise.resolve();
        const fate = random.u32() % 60;
        if (fate === 0) throw new RpcError("unavailable", "lost before it ran");
        record(characteristic, batch);
        if (fate === 1) throw new RpcError("unavailable", "lost after it ran");
      });
      let count = 0;
      for await (const { characteristic, ...measurement } of stream) {
        await forwarder.add(characteristic, { ...measurement, verdict: "ok" });
        count++;
      }
      await forwarder.flush();
      if (random.u32() % 4 === 0) throw new RpcError("unavailable", "the acknowledgement is lost");
      return { recorded: count };
    },
    judge: () => ({ verdict: "ok" }),
    plan: () => ({ specifications: [] }),
  });
  return { server, recorded, counts: () => ({ duplicates }) };
}

test("whatever is lost on the way, every measurement is recorded once and in order", async () => {
  let resumed = 0;
  let repeated = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { server, recorded, counts } = fallible(seed);
    const link = memory();
    await server.listen({ transport: link });
    const client = createClient({ target: link.address, transport: link });
    const state = progress();
    await streamStation({
      source: fileSource(measurements),
      inspection: client.service(Inspection),
      progress: state,
      signal: new AbortController().signal,
      segment: { count: 30, ms: Number.POSITIVE_INFINITY },
      wait: async () => {},
    });
    for (const name of ["bore", "shaft", "weight"]) {
      const expected = measurements.filter(({ characteristic }) => characteristic === name);
      assert.deepEqual(
        recorded.get(name),
        expected.map(({ sequence }) => sequence),
        `seed ${seed}, ${name}`,
      );
    }
    assert.deepEqual([state.acknowledged, state.measured, state.finished], [300, 300, true]);
    resumed += state.resumed;
    repeated += counts().duplicates;
    await client.close();
    await server.close({ graceMs: 0 });
  }
  assert.ok(resumed > 20 && repeated > 100, `only ${resumed} losses and ${repeated} repetitions: nothing was tried`);
});

test("control: charts that do not know a repetition record some measurements twice", async () => {
  const { server, recorded } = fallible(1, false);
  const link = memory();
  await server.listen({ transport: link });
  const client = createClient({ target: link.address, transport: link });
  await streamStation({
    source: fileSource(measurements),
    inspection: client.service(Inspection),
    progress: progress(),
    signal: new AbortController().signal,
    segment: { count: 30, ms: Number.POSITIVE_INFINITY },
    wait: async () => {},
  });
  assert.ok([...recorded.values()].flat().length > measurements.length);
  await client.close();
  await server.close({ graceMs: 0 });
});

test("a characteristic that the plan does not know ends the stream: trying again would not help", async () => {
  const server = createServer().handle(Inspection, {
    submit(_stream, context) {
      throw context.error("unknownCharacteristic", { characteristic: "bore" });
    },
    judge: () => ({ verdict: "ok" }),
    plan: () => ({ specifications: [] }),
  });
  const link = memory();
  await server.listen({ transport: link });
  const client = createClient({ target: link.address, transport: link });
  const streaming = streamStation({
    source: fileSource(measurements),
    inspection: client.service(Inspection),
    progress: progress(),
    signal: new AbortController().signal,
    wait: async () => {},
  });
  await assert.rejects(streaming, (error: RpcError) => error.error === "unknownCharacteristic");
  await client.close();
  await server.close({ graceMs: 0 });
});

test("a station that is started again goes on after the last measurement before which nothing is missing", () => {
  const source = (characteristic: string, lastSequence: number) => ({
    station: "a",
    characteristic,
    lastSequence,
    recorded: 0,
    duplicates: 0,
  });
  assert.equal(recordedPrefix(measurements, []), 0);
  // bore has 1, 4, 7; shaft 2, 5; weight 3: the first that is missing is weight's 6.
  assert.equal(recordedPrefix(measurements, [source("bore", 7), source("shaft", 5), source("weight", 3)]), 5);
  const all = [source("bore", 298), source("shaft", 299), source("weight", 300)];
  assert.equal(recordedPrefix(measurements, all), 300);
});
