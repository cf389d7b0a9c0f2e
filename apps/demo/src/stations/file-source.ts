import type { Measurement, Source } from "../contracts/index.ts";
import type { MeasurementRow } from "./measurements-file.ts";
import type { MeasurementSource } from "./stream-station.ts";

/** A file's measurements, each with its place in its station's sequence. */
export function numberRows(rows: readonly MeasurementRow[]): Measurement[] {
  const sequences = new Map<string, number>();
  return rows.map(({ station, characteristic, value, time }) => {
    const sequence = (sequences.get(station) ?? 0) + 1;
    sequences.set(station, sequence);
    return { station, sequence, characteristic, value, time };
  });
}

/** Measurements that are there already: as fast as they are taken. */
export function fileSource(measurements: readonly Measurement[]): MeasurementSource {
  return { take: (index) => measurements[index - 1], acknowledged() {} };
}

/** How many of `measurements`, from the first, are recorded without a gap. */
export function recordedPrefix(measurements: readonly Measurement[], sources: readonly Source[]): number {
  const last = new Map(sources.map((source) => [keyOf(source), source.lastSequence]));
  const missing = measurements.findIndex((measurement) => measurement.sequence > (last.get(keyOf(measurement)) ?? 0));
  return missing === -1 ? measurements.length : missing;
}

function keyOf({ station, characteristic }: { readonly station: string; readonly characteristic: string }): string {
  return JSON.stringify([station, characteristic]);
}
