import { type Client, isRpcError } from "pipit";
import { type Charts, Inspection, type Source, type StationProgress, Stations } from "../contracts/index.ts";
import { chartsOf } from "../processes/connect.ts";
import { runProcess } from "../processes/run-process.ts";
import { numberOf } from "../processes/settings.ts";
import { fileSource, numberRows, recordedPrefix } from "./file-source.ts";
import { Gauge } from "./gauge.ts";
import { readMeasurements } from "./measurements-file.ts";
import { type SimulatedStation, stationsOf } from "./simulated-line.ts";
import { type MeasurementSource, streamStation } from "./stream-station.ts";

/* The measuring stations of one process: `demo.Stations`. */

/** One station's, or one file's, stream. */
interface Feed {
  readonly source: MeasurementSource;
  readonly progress: StationProgress;
  /** What of it was recorded before this process was started. */
  readonly recorded: (sources: readonly Source[]) => number;
}

await runProcess(({ settings, client }) => {
  const { csvPath, seed, measurementsPerSecond } = settings;
  const feeds =
    csvPath === undefined
      ? stationsOf(numberOf(settings.id)).map((station) => simulated(station, seed, measurementsPerSecond))
      : [fromFile(csvPath)];
  const stopping = new AbortController();
  let streaming: Promise<unknown> | undefined;
  return {
    serve: (server) =>
      server.handle(Stations, { progress: () => ({ stations: feeds.map(({ progress }) => progress) }) }),
    start() {
      const [inspection, charts] = [client.service(Inspection), chartsOf(client)];
      streaming = Promise.all(feeds.map((feed) => run(feed, inspection, charts, stopping.signal)));
    },
    async stop() {
      stopping.abort();
      await streaming;
    },
  };
});

async function run(
  { source, progress, recorded }: Feed,
  inspection: Client<typeof Inspection>,
  charts: Client<typeof Charts>,
  signal: AbortSignal,
): Promise<void> {
  try {
    // Started again after a crash, a station asks where it was. Nobody may be there yet: it waits.
    const { sources } = await charts.sources({}, { signal, waitForReady: true, timeoutMs: 60_000 });
    progress.acknowledged = recorded(sources);
    progress.measured = progress.acknowledged;
    await streamStation({ source, inspection, progress, signal });
  } catch (error) {
    if (signal.aborted) return;
    console.error(`Station ${progress.station} cannot go on: ${isRpcError(error) ? error.message : String(error)}`);
    process.exit(1);
  }
}

function simulated(station: SimulatedStation, seed: number, measurementsPerSecond: number): Feed {
  const characteristics = station.characteristics.map(({ characteristic }) => characteristic);
  return {
    source: new Gauge({ seed, station, intervalMs: 1000 / (measurementsPerSecond * characteristics.length) }),
    progress: progressOf(station.name, characteristics),
    // Per characteristic all before the last are recorded, so up to the earliest of them nothing is missing.
    recorded: (sources) =>
      Math.min(
        ...characteristics.map(
          (name) =>
            sources.find((source) => source.station === station.name && source.characteristic === name)?.lastSequence ??
            0,
        ),
      ),
  };
}

function fromFile(path: string): Feed {
  const measurements = numberRows(readMeasurements(path).rows);
  const characteristics = [...new Set(measurements.map(({ characteristic }) => characteristic))];
  return {
    source: fileSource(measurements),
    progress: { ...progressOf(path, characteristics), total: measurements.length },
    recorded: (sources) => recordedPrefix(measurements, sources),
  };
}

function progressOf(station: string, characteristics: string[]): StationProgress {
  return { station, characteristics, measured: 0, acknowledged: 0, resumed: 0, finished: false };
}
