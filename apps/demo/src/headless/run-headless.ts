import { setTimeout as sleep } from "node:timers/promises";
import { isRpcError } from "pipit";
import { NonConformance, type ProcessStats } from "../contracts/index.ts";
import { chartsOf } from "../processes/connect.ts";
import { Progress } from "../progress.ts";
import { processCounts } from "../run-live.ts";
import { startSystem, type System } from "../supervisor/start-system.ts";
import { textTable } from "../text-table.ts";
import { audit } from "./audit.ts";
import { type FaultOutcome, playFaults } from "./fault-script.ts";
import { InstanceWatch } from "./instance-watch.ts";
import { StatsCollector } from "./stats-collector.ts";
import { brokenPromises } from "./verdict.ts";

/** Longest wait until the last alarms have their tickets, in milliseconds. */
const settleMs = 10_000;

/** Measurements per second and characteristic: nobody looks on, and a short run is to raise alarms too. */
const measurementsPerSecond = 20;

/** Options of {@link runHeadless}. */
export interface HeadlessOptions {
  readonly planPath: string;
  readonly seconds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/**
 * Runs the whole demo without a page, breaks and mends some of it, and prints what it came to.
 *
 * @returns whether all is well: no `safe` or `once` call failed, no measurement was lost or doubled, each alarm has one ticket
 */
export async function runHeadless({ planPath, seconds, seed, signal }: HeadlessOptions): Promise<boolean> {
  const system = await startSystem({
    planPath,
    seed,
    measurementsPerSecond,
    counts: processCounts,
    onStarted: ({ id, pid }) => console.log(`${id} serves, pid ${pid}`),
    signal,
  });
  const ending = new AbortController();
  const watch = new InstanceWatch(system.registry, ending.signal);
  const collector = new StatsCollector(watch, ending.signal);
  try {
    const progress = new Progress(seconds, "seconds");
    let ticking: Promise<void> | undefined;
    const onBegin = (): void => {
      ticking = tick(progress, seconds, signal);
    };
    const totalMs = seconds * 1000;
    const note = (line: string): void => progress.note(line);
    const outcomes = await playFaults({ system, watch, collector, totalMs, signal, note, onBegin });
    await ticking;
    progress.end();
    return await summarize(system, collector, outcomes);
  } catch (error) {
    if (signal.aborted && isRpcError(error)) return false;
    throw error;
  } finally {
    ending.abort();
    await Promise.all([watch.end(), collector.end()]);
    await system.close();
  }
}

async function tick(progress: Progress, seconds: number, signal: AbortSignal): Promise<void> {
  for (let second = 0; second < seconds && !signal.aborted; second++) {
    await sleep(1000, undefined, { signal }).catch(() => {});
    progress.advance();
  }
}

async function summarize(
  system: System,
  collector: StatsCollector,
  outcomes: readonly FaultOutcome[],
): Promise<boolean> {
  const { supervisor, client } = system;
  await collector.ask();
  const stats = collector.all;
  // The line stops, so that the counts below stand still.
  for (const { id, kind, state } of supervisor.list()) {
    if (kind === "stations" && state === "running") supervisor.drain(id);
  }
  const charts = chartsOf(client);
  const tickets = client.service(NonConformance);
  const endMs = performance.now() + settleMs;
  let [alarms, opened] = [0, -1];
  while (alarms !== opened && performance.now() < endMs) {
    await sleep(200);
    alarms = (await charts.list({})).charts.reduce((sum, { alarmCount }) => sum + alarmCount, 0);
    const { counts } = await tickets.list({ limit: 1 });
    opened = counts.open + counts.assigned + counts.closed;
  }
  const { recorded, lost, doubled, repeated } = audit((await charts.sources({})).sources);
  const failed = stats.reduce((sum, { called }) => sum + called.failed, 0);
  const calls = stats.reduce((sum, { called }) => sum + called.total, 0);

  console.log(`\n${instanceTable(stats)}\n\n${faultTable(outcomes)}\n`);
  console.log(`${calls} calls made, ${failed} safe or once calls failed`);
  console.log(
    `${recorded} measurements recorded, ${lost} lost, ${doubled} doubled; ${repeated} sent again after a loss and dropped`,
  );
  console.log(`${alarms} alarms, ${opened} tickets`);
  const broken = brokenPromises({ failedCalls: failed, lost, doubled, alarms, tickets: opened, outcomes });
  for (const each of broken) console.log(each);
  return broken.length === 0;
}

function instanceTable(stats: readonly ProcessStats[]): string {
  const head = ["instance", "served", "failed", "p50", "p99", "made", "failed", "p50", "p99"];
  return textTable(
    head,
    stats.map(({ id, pid, served, called }, i) => [
      // A revived instance has two lives and two rows.
      stats.some((other, j) => other.id === id && i !== j) ? `${id} (pid ${pid})` : id,
      ...[served, called].flatMap(({ total, failed, p50Ms, p99Ms }) => [
        String(total),
        String(failed),
        `${p50Ms.toFixed(1)} ms`,
        `${p99Ms.toFixed(1)} ms`,
      ]),
    ]),
  );
}

function faultTable(outcomes: readonly FaultOutcome[]): string {
  const time = (ms: number | undefined): string => (ms === undefined ? "never" : `${Math.round(ms)} ms`);
  return textTable(
    ["fault", "instance", "detected", "recovered"],
    outcomes.map(({ fault, instance, detectedMs, recoveredMs }) => [
      fault,
      instance,
      time(detectedMs),
      time(recoveredMs),
    ]),
  );
}
