import type { Client, PipitClient } from "pipit";
import { Charts, type ChartSummary } from "../contracts/index.ts";
import type { LiveEvent } from "./events.ts";
import { repeat } from "./repeat.ts";
import { alarmOf, capabilityOf, chartFrameOf, limitsOf, pointOf } from "./to-page.ts";

/** How often new characteristics are looked for, and how often capability is asked for again. */
const lookMs = 2000;

/** How soon a watch that broke is begun again: at once is too eager when everybody is gone. */
const rewatchMs = 200;

/** Events before the present one that are asked for at the start: enough to fill a chart. */
const history = 200;

/** What following needs. */
export interface Follower {
  readonly client: PipitClient;
  readonly emit: (event: LiveEvent) => void;
  /** Something worth a line in the journal. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The charts, by a client that waits until gossip has found one: a gateway that has just joined knows nobody yet. */
export function chartsOfGateway(client: PipitClient): Client<typeof Charts> {
  return client.service(Charts, { waitForReady: true });
}

/** Follows every characteristic's charts, over the loss of any instance: a watch goes on after the last number that it saw. */
export async function followCharts(follower: Follower): Promise<void> {
  const { client, emit, signal } = follower;
  const charts = chartsOfGateway(client);
  const followed = new Map<string, Promise<void>>();
  await repeat(lookMs, signal, async () => {
    for (const summary of (await charts.list({}, { signal })).charts) {
      const { characteristic } = summary;
      if (!followed.has(characteristic)) followed.set(characteristic, followChart(follower, summary));
      emit({ type: "capability", capability: capabilityOf(await charts.capability({ characteristic }, { signal })) });
    }
  });
  await Promise.all(followed.values());
}

async function followChart({ client, emit, say, signal }: Follower, summary: ChartSummary): Promise<void> {
  const charts = chartsOfGateway(client);
  const { characteristic, lastEvent } = summary;
  let frame = chartFrameOf(summary);
  let after = Math.max(0, lastEvent - history);
  emit({ type: "chart", chart: frame });

  await repeat(rewatchMs, signal, async () => {
    for await (const { number, event } of charts.watch({ characteristic, after }, { signal, timeoutMs: Infinity })) {
      after = number;
      switch (event.type) {
        case "point":
          emit({ type: "points", characteristic, points: [pointOf(event.value)] });
          break;
        case "alarm":
          emit({ type: "alarms", alarms: [alarmOf(event.value)] });
          break;
        case "limits":
          frame = { ...frame, limits: limitsOf(event.value) };
          emit({ type: "chart", chart: frame });
          break;
        case "owner": {
          const { owner, version } = event.value;
          // Of what was before this gateway looked there is no news to tell.
          if (number > lastEvent && frame.owner !== "")
            say(`${owner} keeps ${characteristic} now, after ${frame.owner}`);
          frame = { ...frame, owner, version };
          emit({ type: "chart", chart: frame });
          break;
        }
        default:
          event satisfies never;
      }
    }
  });
}
