import { join } from "node:path";
import { type Implementation, type InferInput, RpcError } from "pipit";
import { type ChartEvent, type ChartSummary, Charts, NonConformance, type Specification } from "../contracts/index.ts";
import { readControlPlan } from "../control-plan.ts";
import { runProcess } from "../processes/run-process.ts";
import { capabilityIndices } from "../statistics/capability.ts";
import { histogram } from "../statistics/histogram.ts";
import { mean, standardDeviation } from "../statistics/summary.ts";
import { ChangeSignal } from "./change-signal.ts";
import { ChartKeeper } from "./chart-keeper.ts";
import { type ChartRow, ChartStore } from "./chart-store.ts";
import { openTickets } from "./ticket-opener.ts";

/* One instance of the control charts: `demo.Charts`. */

/** A watcher looks this often for events of charts that another instance holds. */
const lookMs = 200;
/** Events read from the store at a time: what goes out next is bounded, and the caller's window bounds the rest. */
const eventsAtATime = 200;
/** Measurements behind the capability indices. */
const capabilityWindow = 500;

await runProcess(async ({ settings, client }) => {
  const plan = readControlPlan(settings.planPath);
  const store = await ChartStore.open(join(settings.dataDir, "charts.db"));
  const changes = new ChangeSignal();
  const keeper = new ChartKeeper({
    owner: settings.id,
    store,
    plan,
    now: () => new Date(),
    onHappening: () => changes.changed(),
  });

  const handlers: Implementation<typeof Charts> = {
    record({ characteristic, measurements }, context) {
      const result = keeper.record(characteristic, measurements);
      if (result === "unknown") throw context.error("unknownCharacteristic", { characteristic });
      if (result === "contended") throw new RpcError("unavailable", `Others took over "${characteristic}" meanwhile`);
      return { ...result, owner: settings.id };
    },
    async *watch({ characteristic, after }, context) {
      if (!plan.has(characteristic)) throw context.error("unknownCharacteristic", { characteristic });
      for (let last = after; !context.signal.aborted; ) {
        const events: readonly ChartEvent[] = store.events(characteristic, last, eventsAtATime);
        yield* events;
        last = events.at(-1)?.number ?? last;
        if (events.length < eventsAtATime) await changes.wait(lookMs, context.signal);
      }
    },
    list() {
      const rows = new Map(store.list().map((row) => [row.characteristic, row]));
      return { charts: [...plan.values()].map((each) => summaryOf(each, rows.get(each.characteristic))) };
    },
    capability({ characteristic }, context) {
      const specification = plan.get(characteristic);
      if (specification === undefined) throw context.error("unknownCharacteristic", { characteristic });
      const { unit, lower, upper } = specification;
      const values = store.latestValues(characteristic, capabilityWindow);
      const sigmaWithin = store.list().find((row) => row.characteristic === characteristic)?.state.limits?.sigmaWithin;
      const spread = {
        mean: values.length === 0 ? 0 : mean(values),
        sigmaWithin,
        sigmaOverall: standardDeviation(values),
        lower,
        upper,
      };
      return {
        characteristic,
        unit,
        count: values.length,
        ...spread,
        ...capabilityIndices(spread),
        histogram: histogram(values),
      };
    },
    sources: ({ station }) => ({
      sources: store.sources().filter((source) => station === undefined || source.station === station),
    }),
  };

  const stopping = new AbortController();
  let opening: Promise<void> | undefined;
  return {
    serve: (server) => server.handle(Charts, handlers),
    start() {
      const tickets = client.service(NonConformance);
      opening = openTickets({ owner: settings.id, store, tickets, changes, signal: stopping.signal });
    },
    async stop() {
      stopping.abort();
      await opening;
    },
    close: () => store.close(),
  };
});

function summaryOf(
  { characteristic, chart, unit }: Specification,
  row: ChartRow | undefined,
): InferInput<typeof ChartSummary> {
  return {
    characteristic,
    chart,
    unit,
    owner: row?.owner ?? "",
    version: row?.version ?? 0,
    lastEvent: row?.lastEvent ?? 0,
    pointCount: row?.state.pointCount ?? 0,
    alarmCount: row?.state.alarmCount ?? 0,
    measurementCount: Object.values(row?.state.sources ?? {}).reduce((sum, { recorded }) => sum + recorded, 0),
    outOfSpecification: row?.state.outOfSpecification ?? 0,
    limits: row?.state.limits,
  };
}
