import { setTimeout as sleep } from "node:timers/promises";
import { type Client, isRpcError } from "pipit";
import { Inspection, type Measurement } from "../contracts/index.ts";

/**
 * A stream is ended after so many measurements or so many milliseconds, for its acknowledgement, and the next begun: what has to
 * be sent again after a loss is bounded by this, and a draining instance is left in time.
 */
const defaultSegment = { count: 2000, ms: 1500 };

/** Waits between attempts after a loss, doubling, in milliseconds. */
const backoff = { firstMs: 50, longestMs: 1000 };

/** Where measurements come from. */
export interface MeasurementSource {
  /**
   * Measurement number `index`, from 1; undefined after the last. May be asked again for one that was not acknowledged, and
   * then gives the same. Waits until there is something to measure; rejects when `signal` fires.
   */
  take(index: number, signal: AbortSignal): Promise<Measurement | undefined> | Measurement | undefined;
  /** Up to this one nothing will be asked for again. */
  acknowledged(index: number): void;
}

/** How far a stream has come. */
export interface StreamProgress {
  measured: number;
  acknowledged: number;
  resumed: number;
  finished: boolean;
}

/** Options of {@link streamStation}. */
export interface StreamOptions {
  readonly source: MeasurementSource;
  readonly inspection: Client<typeof Inspection>;
  /** Changed as the stream goes on; begins with what is acknowledged already. */
  readonly progress: StreamProgress;
  readonly signal: AbortSignal;
  readonly segment?: { readonly count: number; readonly ms: number } | undefined;
  readonly now?: (() => number) | undefined;
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Streams a source's measurements until it ends or `signal` fires. After any loss it begins again after the last acknowledged
 * measurement; the charts drop what they know. So nothing is lost, and nothing counts twice.
 *
 * @throws RpcError of a declared error: the plan does not know a characteristic, and trying again will not help
 */
export async function streamStation(options: StreamOptions): Promise<void> {
  const { source, inspection, progress, signal, segment = defaultSegment, now = Date.now, wait = pause } = options;
  let backoffMs = backoff.firstMs;

  /** The measurements after the last acknowledged one, until the segment is full. Asked for the next when there is room. */
  async function* measurements(): AsyncGenerator<Measurement, void> {
    const startedMs = now();
    for (let count = 0; count < segment.count && now() - startedMs < segment.ms && !signal.aborted; count++) {
      const index = progress.acknowledged + 1 + count;
      const measurement = await source.take(index, signal);
      if (measurement === undefined) {
        last = index - 1;
        return;
      }
      progress.measured = Math.max(progress.measured, index);
      yield measurement;
    }
  }

  /** Number of the last measurement, once the source has ended. */
  let last: number | undefined;
  while (!signal.aborted && progress.acknowledged !== last) {
    try {
      // No deadline: a stream lasts as long as its segment, whatever holds it up. Silence is the keepalive's business.
      const { recorded } = await inspection.submit(measurements(), { timeoutMs: Number.POSITIVE_INFINITY, signal });
      progress.acknowledged += recorded;
      source.acknowledged(progress.acknowledged);
      backoffMs = backoff.firstMs;
    } catch (error) {
      if (signal.aborted) return;
      if (isRpcError(error, Inspection.methods.submit)) throw error;
      progress.resumed++;
      await wait(backoffMs, signal);
      backoffMs = Math.min(backoff.longestMs, backoffMs * 2);
    }
  }
  progress.finished = progress.acknowledged === last;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
