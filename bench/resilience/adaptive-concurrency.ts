import { EventQueue } from "../../packages/balancer/test/model/event-queue.ts";
import { Replica } from "../../packages/balancer/test/model/replica.ts";
import { seeded } from "../../packages/balancer/test/support/fixtures.ts";
// oxlint-disable-next-line no-restricted-imports -- what is compared is the server's own queue, which it does not export
import { Admission, type Waiting } from "../../packages/server/src/admission.ts";
import { median, percentile } from "../support/statistics.ts";
import { printTable } from "../support/table.ts";

/*
 * The experiment behind docs/decisions/0005: does a limit that adapts itself (Netflix's gradient, second form) do better
 * than a fixed cap with a short queue, the server's own `Admission`? Virtual time; one server that can work on six calls at
 * a time, of 21 ms each in the mean, and callers that give up after 500 ms. Run it with `node --import tsx
 * bench/resilience/adaptive-concurrency.ts`.
 */

const workers = 6;
const meanMs = 21;
const capacityPerSecond = (workers * 1000) / meanMs;
const deadlineMs = 500;
const warmUpMs = 5_000;
const endMs = 35_000;
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

interface Arrival extends Waiting {
  readonly startedMs: number;
}

/** Who may run. `run` is called now, later, or never. */
interface Limiter {
  arrive(call: Arrival, run: () => void): void;
  ended(elapsedMs: number, call: Arrival): void;
}

function fixed(queue: EventQueue, maxConcurrentCalls: number, maxQueueWaitMs = 500): Limiter {
  const waiting = new Map<Arrival, () => void>();
  const admission = new Admission<Arrival>({
    maxConcurrentCalls,
    maxQueuedCalls: 1024,
    maxQueueWaitMs,
    now: () => queue.nowMs,
    onAdmitted: (call) => {
      waiting.get(call)?.();
      waiting.delete(call);
    },
    onEvicted: (call) => void waiting.delete(call),
  });
  return {
    arrive(call, run) {
      const decision = admission.enter(call);
      if (decision === "run") run();
      if (decision !== "wait") return;
      waiting.set(call, run);
      queue.at(queue.nowMs + maxQueueWaitMs, () => {
        if (waiting.delete(call)) admission.leave(call);
      });
    },
    ended: (_elapsedMs, { source }) => admission.free(source),
  };
}

/** Gradient2: the limit follows long-term ÷ short-term latency × 1.5, with room for √limit more; smoothed by 0.2. */
function gradient(): Limiter {
  let limit = 20;
  let inFlight = 0;
  let longMs = 0;
  return {
    arrive(_, run) {
      if (inFlight >= limit) return;
      inFlight++;
      run();
    },
    ended(elapsedMs) {
      const wasInFlight = inFlight--;
      longMs += (elapsedMs - longMs) * (longMs === 0 ? 1 : 2 / 601);
      if (longMs / elapsedMs > 2) longMs *= 0.95;
      if (wasInFlight < limit / 2) return;
      const slope = Math.max(0.5, Math.min(1, (1.5 * longMs) / elapsedMs));
      limit = Math.min(1000, Math.max(1, limit * 0.8 + (limit * slope + Math.sqrt(limit)) * 0.2));
    },
  };
}

const limiters: Readonly<Record<string, (queue: EventQueue) => Limiter>> = {
  "cap of 8,192, the default": (queue) => fixed(queue, 8192),
  "cap of 6, as it is": (queue) => fixed(queue, 6),
  "cap of 6, waits ≤ 100 ms": (queue) => fixed(queue, 6, 100),
  "cap of 12, waits ≤ 100 ms": (queue) => fixed(queue, 12, 100),
  "cap of 60, ten times too high": (queue) => fixed(queue, 60),
  gradient,
};

interface Situation {
  readonly load: number;
  /** Spread of service times, of their logarithm. */
  readonly sigma: number;
  readonly slowness: (nowMs: number) => number;
}

const situations: Readonly<Record<string, Situation>> = {
  "half load": { load: 0.5, sigma: 0.3, slowness: () => 1 },
  "90 % load": { load: 0.9, sigma: 0.3, slowness: () => 1 },
  "70 % load, short and long calls mixed (σ 1.5)": { load: 0.7, sigma: 1.5, slowness: () => 1 },
  "twice what it can do": { load: 2, sigma: 0.3, slowness: () => 1 },
  "half load, 4× slower from 15 to 25 s": {
    load: 0.5,
    sigma: 0.3,
    slowness: (now) => (now > 15_000 && now < 25_000 ? 4 : 1),
  },
};

for (const [title, situation] of Object.entries(situations)) {
  console.log(`\n${title}\n`);
  const rows = Object.entries(limiters).map(([name, create]) => {
    const runs = seeds.map((seed) => simulate(create, situation, seed));
    const middle = (of: (run: { good: number; p99Ms: number }) => number): number => median(runs.map(of));
    return [name, `${(100 * middle(({ good }) => good)).toFixed(1)} %`, middle(({ p99Ms }) => p99Ms).toFixed(0)];
  });
  printTable(["limit", "answered in time", "p99 of these, ms"], rows);
}

function simulate(
  create: (queue: EventQueue) => Limiter,
  { load, sigma, slowness }: Situation,
  seed: number,
): { good: number; p99Ms: number } {
  const queue = new EventQueue();
  const random = seeded(seed);
  const shape = { workers, meanMs, sigma };
  const behaviour = (nowMs: number) => ({ slowness: slowness(nowMs), fate: "serve" as const });
  const replica = new Replica({ ...shape, behaviour }, queue, seeded(seed * 1000));
  const limiter = create(queue);
  const latenciesMs: number[] = [];
  /** One connection, from which all calls come. */
  const source = { running: 0 };
  let arrived = 0;
  const arriveNext = (): void => {
    const gapMs = (-Math.log((random.u32() + 1) / 0x1_0000_0001) * 1000) / (capacityPerSecond * load);
    const atMs = queue.nowMs + gapMs;
    if (atMs < endMs) queue.at(atMs, arrive);
  };
  const arrive = (): void => {
    const startedMs = queue.nowMs;
    const counts = startedMs >= warmUpMs;
    if (counts) arrived++;
    const call: Arrival = { source, criticality: 1, answerByMs: startedMs + deadlineMs, startedMs };
    limiter.arrive(call, () => {
      const runMs = queue.nowMs;
      const end = (): void => {
        // Not at once: the replica has first to give its worker to whoever waits inside.
        queue.at(queue.nowMs, () => limiter.ended(queue.nowMs - runMs, call));
        const elapsedMs = queue.nowMs - startedMs;
        if (counts && elapsedMs <= deadlineMs) latenciesMs.push(elapsedMs);
      };
      replica.accept({ isCancelled: false, end });
    });
    arriveNext();
  };
  arriveNext();
  queue.runUntil(endMs + 5_000);
  const possible = Math.min(1, 1 / load);
  return { good: latenciesMs.length / arrived / possible, p99Ms: percentile(latenciesMs, 0.99) };
}
