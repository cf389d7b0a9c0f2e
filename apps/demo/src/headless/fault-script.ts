import { setTimeout as sleep } from "node:timers/promises";
import { chartsOf } from "../processes/connect.ts";
import type { System } from "../supervisor/start-system.ts";
import type { InstanceWatch } from "./instance-watch.ts";
import type { StatsCollector } from "./stats-collector.ts";

/** What a fault came to. Times in milliseconds from its beginning; undefined for never. */
export interface FaultOutcome {
  readonly fault: string;
  readonly instance: string;
  /** Until this process no longer sends it calls as to any other. */
  readonly detectedMs: number | undefined;
  /** Until every characteristic has had a new measurement recorded. */
  readonly recoveredMs: number | undefined;
}

/** Options of {@link playFaults}. */
export interface FaultScriptOptions {
  readonly system: System;
  readonly watch: InstanceWatch;
  readonly collector: StatsCollector;
  /** How long all of it may take. */
  readonly totalMs: number;
  readonly signal: AbortSignal;
  readonly note: (line: string) => void;
  /** Called when every characteristic is being recorded: from now on it takes `totalMs`. */
  readonly onBegin: () => void;
}

/** Later than this a fault counts as undetected, or unmended. */
const longestMs = 15_000;
/** How fine the times are. */
const pollMs = 50;
/** A slow instance answers this much later: far from a crash, and felt. */
const slowMs = 400;

/** Kills, freezes and slows one instance after the other down, each mended before the next, and measures. */
export async function playFaults(options: FaultScriptOptions): Promise<FaultOutcome[]> {
  const { system, watch, collector, totalMs, signal, note, onBegin } = options;
  const { supervisor, client } = system;
  const charts = chartsOf(client);
  const outcomes: FaultOutcome[] = [];

  // Where nothing flows yet, nothing can be interrupted.
  while (!signal.aborted && (await charts.list({}, { signal })).charts.some(({ owner }) => owner === "")) {
    await sleep(pollMs);
  }
  const startedMs = performance.now();
  onBegin();
  await until(0.1);
  const owner = await busiestOwner();
  await play(
    "kill -9",
    owner,
    () => supervisor.crash(owner),
    (seen) => seen === undefined || seen.state !== "up",
  );
  await until(0.3);
  if (!signal.aborted) await supervisor.revive(owner);
  if (!signal.aborted) note(`${owner} is revived`);

  await until(0.4);
  await play(
    "freeze",
    "inspection-1",
    () => supervisor.freeze("inspection-1"),
    (seen) => seen?.state !== "up",
  );
  await until(0.65);
  if (!signal.aborted) supervisor.thaw("inspection-1");
  if (!signal.aborted) note("inspection-1 is thawed");

  await until(0.75);
  await slowDown("inspection-2");
  await until(1);
  return outcomes;

  async function play(
    fault: string,
    instance: string,
    begin: () => unknown,
    isDetected: Parameters<InstanceWatch["until"]>[1],
  ): Promise<void> {
    if (signal.aborted) return;
    const before = await recorded();
    const atMs = performance.now();
    begin();
    note(`${instance}: ${fault}`);
    const [detectedMs, recoveredMs] = await Promise.all([
      watch.until(instance, isDetected, longestMs).then((seen) => (seen ? performance.now() - atMs : undefined)),
      recoveredAfter(before, atMs),
    ]);
    outcomes.push({ fault, instance, detectedMs, recoveredMs });
  }

  /** The registry sees nothing wrong with a slow instance; the balancer does. */
  async function slowDown(instance: string): Promise<void> {
    if (signal.aborted) return;
    const before = await recorded();
    const atMs = performance.now();
    await collector.at(instance)?.inject({ fault: { type: "slow", value: { delayMs: slowMs } } });
    note(`${instance}: slow, ${slowMs} ms`);
    const [detectedMs, recoveredMs] = await Promise.all([avoidedAfter(instance, atMs), recoveredAfter(before, atMs)]);
    outcomes.push({ fault: `slow, ${slowMs} ms`, instance, detectedMs, recoveredMs });
    await until(0.95);
    await collector.at(instance)?.inject({ fault: { type: "none", value: {} } });
  }

  /** Time until an instance gets less than half as many calls as its siblings do on average. */
  async function avoidedAfter(instance: string, atMs: number): Promise<number | undefined> {
    const siblings = supervisor.list().filter(({ kind, state }) => kind === "inspection" && state === "running");
    const totals = async (): Promise<Map<string, number>> => {
      await collector.ask();
      return new Map(collector.all.map(({ id, served }) => [id, served.total]));
    };
    let before = await totals();
    while (performance.now() - atMs < longestMs && !signal.aborted) {
      await sleep(5 * pollMs);
      const now = await totals();
      const added = (id: string): number => (now.get(id) ?? 0) - (before.get(id) ?? 0);
      const others = siblings.filter(({ id }) => id !== instance).map(({ id }) => added(id));
      const mean = others.reduce((sum, count) => sum + count, 0) / others.length;
      if (added(instance) < mean / 2) return performance.now() - atMs;
      before = now;
    }
    return undefined;
  }

  async function recoveredAfter(before: ReadonlyMap<string, number>, atMs: number): Promise<number | undefined> {
    while (performance.now() - atMs < longestMs && !signal.aborted) {
      await sleep(pollMs);
      const now = await recorded();
      if ([...now].every(([name, count]) => count > (before.get(name) ?? 0))) return performance.now() - atMs;
    }
    return undefined;
  }

  /** Measurements recorded by characteristic. */
  async function recorded(): Promise<Map<string, number>> {
    const { sources } = await charts.sources({}, { signal });
    const counts = new Map<string, number>();
    for (const { characteristic, recorded } of sources) {
      counts.set(characteristic, (counts.get(characteristic) ?? 0) + recorded);
    }
    return counts;
  }

  /** The instance whose loss touches most characteristics. */
  async function busiestOwner(): Promise<string> {
    const owned = new Map<string, number>();
    for (const { owner } of (await charts.list({}, { signal })).charts) owned.set(owner, (owned.get(owner) ?? 0) + 1);
    return [...owned].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "charts-1";
  }

  async function until(share: number): Promise<void> {
    const leftMs = startedMs + share * totalMs - performance.now();
    if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => {});
  }
}
