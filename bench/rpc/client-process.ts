import { holdHeap } from "../support/heap.ts";
import { percentile } from "../support/statistics.ts";
import type { Job, Outcome } from "./job.ts";
import { type Caller, sampleOrder, tickCount } from "./system.ts";
import { systems } from "./systems.ts";

/* The client of one system: does the jobs it is sent, one after the other. */

/** With many calls in flight only some are timed: reading the clock twice for each would be part of what is measured. */
const timedEvery = 16;

holdHeap();
const [name = "", port = ""] = process.argv.slice(2);
const system = await systems[name]?.();
if (system === undefined) throw new Error(`Unknown system ${name}`);
const caller = await system.connect(Number(port));
if ((await caller.tiny("bench")).message !== "Hello, bench!") throw new Error(`${name} answers wrong`);
process.on("message", (job: Job) => void run(job).then((outcome) => process.send?.(outcome)));
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });

async function run(job: Job): Promise<Outcome> {
  const work = workOf(job, caller);
  if (work === undefined) return { supported: false };
  const latencies: number[] = [];
  const { user, system: kernel } = process.cpuUsage();
  const start = performance.now();
  const until = start + job.ms;
  let calls = 0;
  const lane = async (): Promise<void> => {
    let untilTimed = job.inFlight > 1 ? Math.floor(Math.random() * timedEvery) : 0;
    let now = start;
    while (now < until) {
      if (untilTimed-- > 0) await work();
      else {
        const before = performance.now();
        await work();
        now = performance.now();
        latencies.push(now - before);
        untilTimed = job.inFlight > 1 ? timedEvery - 1 : 0;
      }
      calls++;
    }
  };
  await Promise.all(Array.from({ length: job.inFlight }, lane));
  const elapsedMs = performance.now() - start;
  const after = process.cpuUsage();
  return {
    supported: true,
    perSecond: (calls * job.perCall * 1000) / elapsedMs,
    calls,
    p50Us: percentile(latencies, 0.5) * 1000,
    p99Us: percentile(latencies, 0.99) * 1000,
    cpuMs: (after.user + after.system - user - kernel) / 1000,
  };
}

function workOf({ scenario, perCall }: Job, to: Caller): (() => Promise<unknown>) | undefined {
  switch (scenario) {
    case "tiny":
      return () => to.tiny("Ada");
    case "order":
      return to.order && (() => to.order?.(sampleOrder) ?? Promise.reject(new Error("no order")));
    case "blob": {
      const bytes = new Uint8Array(perCall / 2).fill(7);
      return to.blob && (() => to.blob?.(bytes) ?? Promise.reject(new Error("no blob")));
    }
    case "ticks":
      return to.ticks && (() => to.ticks?.(tickCount) ?? Promise.reject(new Error("no ticks")));
    case "bulk":
      return to.bulk && (() => to.bulk?.(Math.round(perCall / 65_536)) ?? Promise.reject(new Error("no bulk")));
    default:
      throw new Error(`Unknown scenario ${scenario satisfies never}`);
  }
}
