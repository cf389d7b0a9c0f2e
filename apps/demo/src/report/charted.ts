import type { Client } from "pipit";
import type { Alarm, ChartLimits, ChartSummary, Charts, Point } from "../contracts/index.ts";

/** A characteristic's charts, read to the end. */
export interface Charted {
  readonly summary: ChartSummary;
  readonly limits: ChartLimits | undefined;
  readonly points: readonly Point[];
  readonly alarms: readonly Alarm[];
}

/** Reads all that happened on a characteristic's charts up to its latest event. */
export async function readCharted(charts: Client<typeof Charts>, summary: ChartSummary): Promise<Charted> {
  const { characteristic, lastEvent } = summary;
  const points: Point[] = [];
  const alarms: Alarm[] = [];
  let limits: ChartLimits | undefined;
  let last = 0;
  while (last < lastEvent) {
    // A stream that breaks off is begun again after the last event seen.
    for await (const { number, event } of charts.watch({ characteristic, after: last }, { hashKey: characteristic })) {
      last = number;
      if (event.type === "point") points.push(event.value);
      else if (event.type === "alarm") alarms.push(event.value);
      else if (event.type === "limits") limits = event.value;
      if (number >= lastEvent) break;
    }
  }
  return { summary, limits, points, alarms };
}
