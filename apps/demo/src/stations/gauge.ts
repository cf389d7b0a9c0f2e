import { setTimeout as sleep } from "node:timers/promises";
import type { Measurement } from "../contracts/index.ts";
import { measure, type SimulatedStation } from "./simulated-line.ts";
import type { MeasurementSource } from "./stream-station.ts";

/** Options of {@link Gauge}. */
export interface GaugeOptions {
  readonly seed: number;
  readonly station: SimulatedStation;
  /** Time from one measurement to the next, in milliseconds. */
  readonly intervalMs: number;
}

/**
 * A station's gauge: measures at its pace, when asked, and remembers what is not acknowledged. When nobody takes its values
 * it measures no more; its memory is as large as one segment of the stream.
 */
export class Gauge implements MeasurementSource {
  readonly #options: GaugeOptions;
  /** Measured and not acknowledged, in order. */
  readonly #kept = new Map<number, Measurement>();
  #nextAtMs = 0;

  constructor(options: GaugeOptions) {
    this.#options = options;
  }

  async take(index: number, signal: AbortSignal): Promise<Measurement> {
    const known = this.#kept.get(index);
    if (known !== undefined) return known;
    const { seed, station, intervalMs } = this.#options;
    const nowMs = performance.now();
    // At its pace since the last one, without making up for a time in which nobody asked.
    this.#nextAtMs = Math.max(this.#nextAtMs + intervalMs, nowMs - intervalMs);
    if (this.#nextAtMs > nowMs) await sleep(this.#nextAtMs - nowMs, undefined, { signal });
    const measurement = { station: station.name, sequence: index, ...measure(seed, station, index), time: new Date() };
    this.#kept.set(index, measurement);
    return measurement;
  }

  acknowledged(index: number): void {
    for (const known of this.#kept.keys()) {
      if (known > index) return;
      this.#kept.delete(known);
    }
  }
}
