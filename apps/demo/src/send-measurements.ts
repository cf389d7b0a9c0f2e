import { createClient, isRpcError } from "pipit";
import { Inspection } from "./contract.ts";
import type { MeasurementRow } from "./stations/measurements-file.ts";
import type { Tally } from "./tally.ts";

/** Options of {@link sendMeasurements}. */
export interface SendOptions {
  /** Addresses of the inspection servers. */
  readonly targets: readonly string[];
  readonly rows: readonly MeasurementRow[];
  readonly inFlight: number;
  readonly tally: Tally;
  /** Sends no more once it fires; calls under way still end. */
  readonly signal: AbortSignal;
  /** After each measurement. */
  readonly onJudged: () => void;
}

/** Sends every measurement as a call, `inFlight` at a time, balanced over the servers. */
export async function sendMeasurements(options: SendOptions): Promise<void> {
  const { targets, rows, inFlight, tally, signal, onJudged } = options;
  const client = createClient({ target: [...targets] });
  const inspection = client.service(Inspection);
  let next = 0;

  async function lane(): Promise<void> {
    while (next < rows.length && !signal.aborted) {
      const row = rows[next++];
      if (row === undefined) return;
      try {
        const { verdict } = await inspection.judge({ ...row, at: row.time }, {
          onEnd({ record, error }) {
            const last = record.attempts.at(-1);
            if (error === undefined && last !== undefined)
              tally.answeredBy(last.endpoint, record.elapsedMs, record.attempts.length);
          },
        });
        tally.judgedAs(row.characteristic, verdict);
      } catch (error) {
        if (!isRpcError(error)) throw error;
        tally.failedWith(error.message);
      }
      onJudged();
    }
  }

  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
  } finally {
    await client.close();
  }
}
