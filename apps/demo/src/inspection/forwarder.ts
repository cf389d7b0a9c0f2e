import type { Inspected } from "../contracts/index.ts";

/** Measurements in one call to the charts: what comes while one call is under way goes with the next, up to this many. */
const maxBatch = 500;
/** Measurements that wait, of all characteristics, before the stream is read no further. */
const maxWaiting = 2000;

/** Records a batch of one characteristic. */
export type RecordBatch = (characteristic: string, measurements: readonly Inspected[]) => Promise<unknown>;

interface Lane {
  readonly waiting: Inspected[];
  busy: boolean;
}

/**
 * Hands a stream of measurements on, in order per characteristic: one call at a time each, so that charts never see a gap,
 * while characteristics do not wait for each other.
 */
export class Forwarder {
  readonly #record: RecordBatch;
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(record: RecordBatch) {
    this.#record = record;
  }

  /** Takes a measurement, and resolves once there is room for the next. Rejects when one before it could not be recorded. */
  async add(characteristic: string, measurement: Inspected): Promise<void> {
    const lane = this.#lanes.get(characteristic) ?? { waiting: [], busy: false };
    this.#lanes.set(characteristic, lane);
    lane.waiting.push(measurement);
    this.#waiting++;
    if (!lane.busy) void this.#drain(characteristic, lane);
    await this.#until(() => this.#waiting < maxWaiting);
  }

  /** Resolves once all that was taken is recorded. */
  async flush(): Promise<void> {
    await this.#until(() => this.#waiting === 0);
  }

  async #drain(characteristic: string, lane: Lane): Promise<void> {
    lane.busy = true;
    try {
      while (lane.waiting.length > 0 && this.#failure === undefined) {
        const batch = lane.waiting.splice(0, maxBatch);
        await this.#record(characteristic, batch);
        this.#waiting -= batch.length;
        this.#wake?.();
      }
    } catch (error) {
      // What comes later must not be recorded before what was lost: the whole stream ends, and its sender begins again.
      this.#failure ??= { error };
      this.#wake?.();
    } finally {
      lane.busy = false;
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (this.#failure === undefined && !holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
