import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import type { Job, Outcome } from "./rpc/job.ts";
import { systems } from "./rpc/systems.ts";
import { chunkBytes, tickCount } from "./rpc/system.ts";
import { roomyHeap } from "./support/heap.ts";
import { machineLine } from "./support/machine.ts";
import { ask, next } from "./support/messages.ts";
import { startPinned } from "./support/pinned-process.ts";
import { median } from "./support/statistics.ts";
import { printTable, short } from "./support/table.ts";

/*
 * Calls per second, latency and CPU of Pipit, its peers and the raw limit. Client and server are processes of their own;
 * all systems take turns within each round, and the median round counts. `one core` binds both processes to one: there
 * the cost of the software shows, and not that of waking an idle core.
 *
 * Rows that move much are judged on a heap with room. V8 marks all of a heap when enough memory was taken outside of it, and when it
 * first does so is chance: never below 8 MB of objects, which only the limit's bare process keeps under, else after some gigabytes; from
 * then on it marks every 16 to 32 MiB, and whoever it has begun with, limit or Pipit, moves a fraction. With room it begins with neither.
 */

interface Level {
  readonly title: string;
  readonly unit: string;
  readonly pinned: boolean;
  /** The heaps have room: see above. */
  readonly roomy?: boolean;
  readonly job: Omit<Job, "ms">;
  /** Ratio to the limit: to be reached, to aim at. */
  readonly goal?: readonly [number, number];
  /** Times as fast as a peer: to be reached. */
  readonly peers?: Readonly<Record<string, number>>;
  /** Who takes part, in place of all that were asked for: the first is what the others are compared to. */
  readonly systems?: readonly string[];
}

const levels: readonly Level[] = [
  {
    title: "tiny, 1 in flight, one core",
    unit: "calls/s",
    pinned: true,
    job: { scenario: "tiny", inFlight: 1, perCall: 1 },
    goal: [0.8, 0.92],
  },
  {
    title: "tiny, 64 in flight, one core",
    unit: "calls/s",
    pinned: true,
    job: { scenario: "tiny", inFlight: 64, perCall: 1 },
    goal: [0.45, 0.6],
    peers: { msgpackr: 1.4, moleculer: 10, rsocket: 6.5, thrift: 26, fastify: 24, grpc: 80, connect: 160 },
  },
  {
    title: "tiny over TLS, 64 in flight, one core",
    unit: "calls/s",
    pinned: true,
    job: { scenario: "tiny", inFlight: 64, perCall: 1 },
    systems: ["pipit", "pipit-tls"],
    goal: [0.7, 0.7],
  },
  {
    title: "tiny, 256 in flight, two cores",
    unit: "calls/s",
    pinned: false,
    job: { scenario: "tiny", inFlight: 256, perCall: 1 },
    goal: [0.45, 0.6],
  },
  {
    title: "tiny, 1,024 in flight, two cores",
    unit: "calls/s",
    pinned: false,
    job: { scenario: "tiny", inFlight: 1024, perCall: 1 },
    goal: [0.36, 0.5],
  },
  {
    title: "order of 1 kB, 64 in flight, one core",
    unit: "calls/s",
    pinned: true,
    job: { scenario: "order", inFlight: 64, perCall: 1 },
    goal: [0.8, 1.1],
  },
  {
    title: "blob of 1 MiB, there and back",
    unit: "B/s",
    pinned: false,
    roomy: true,
    job: { scenario: "blob", inFlight: 1, perCall: 2 * 1_048_576 },
    goal: [0.85, 0.95],
  },
  {
    title: "blob of 1 MiB, there and back, the heap as V8 has it",
    unit: "B/s",
    pinned: false,
    job: { scenario: "blob", inFlight: 1, perCall: 2 * 1_048_576 },
  },
  {
    title: "server stream of small messages",
    unit: "items/s",
    pinned: false,
    job: { scenario: "ticks", inFlight: 1, perCall: tickCount },
    goal: [0.4, 0.6],
  },
  {
    title: "server stream of 64 KiB chunks",
    unit: "B/s",
    pinned: false,
    roomy: true,
    job: { scenario: "bulk", inFlight: 1, perCall: 1024 * chunkBytes },
    goal: [0.85, 0.95],
  },
  {
    title: "server stream of 64 KiB chunks, the heap as V8 has it",
    unit: "B/s",
    pinned: false,
    job: { scenario: "bulk", inFlight: 1, perCall: 1024 * chunkBytes },
  },
];

interface Pair {
  readonly key: string;
  readonly name: string;
  readonly server: ChildProcess;
  readonly client: ChildProcess;
}

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    systems: {
      type: "string",
      default: Object.keys(systems)
        .filter((key) => key !== "pipit-tls")
        .join(","),
    },
    only: { type: "string", default: "" },
    rounds: { type: "string" },
    heap: { type: "string", default: "0" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
const sampleMs = values.quick ? 400 : 800;
const keys = values.systems.split(",");
/** Megabytes of small objects that each process holds: see `support/heap.ts`. */
const env = { PIPIT_BENCH_HEAP_MB: values.heap };
const unknown = keys.find((key) => !Object.hasOwn(systems, key));
if (unknown !== undefined) {
  console.error(`No system is called "${unknown}": there are ${Object.keys(systems).join(", ")}`);
  process.exit(2);
}

console.log(machineLine());
for (const [pinned, roomy] of [
  [true, false],
  [false, false],
  [false, true],
] as const) {
  const chosen = levels.filter(
    (level) => level.pinned === pinned && (level.roomy ?? false) === roomy && level.title.includes(values.only),
  );
  if (chosen.length > 0) await measure(chosen, pinned, roomy ? roomyHeap : []);
}

async function measure(chosen: readonly Level[], pinned: boolean, nodeFlags: readonly string[]): Promise<void> {
  const started = new Map<string, Pair>();
  for (const key of new Set(chosen.flatMap(systemsOf))) started.set(key, await startPair(key, pinned, nodeFlags));
  for (const level of chosen) {
    const pairs = systemsOf(level).flatMap((key) => started.get(key) ?? []);
    const samples = new Map<string, { outcome: Extract<Outcome, { supported: true }>; cpuMs: number }[]>();
    for (let round = -1; round < rounds; round++) {
      for (const pair of pairs) {
        const before = await cpuMs(pair.server);
        const outcome = await ask<Outcome>(pair.client, { ...level.job, ms: sampleMs });
        if (!outcome.supported || round < 0) continue;
        const cpu = outcome.cpuMs + (await cpuMs(pair.server)) - before;
        samples.set(pair.key, [...(samples.get(pair.key) ?? []), { outcome, cpuMs: cpu }]);
      }
    }
    print(level, pairs, samples);
  }
  for (const { client, server } of started.values()) {
    client.disconnect();
    server.disconnect();
  }
}

function systemsOf(level: Level): readonly string[] {
  return level.systems ?? keys;
}

function print(
  level: Level,
  pairs: readonly Pair[],
  samples: ReadonlyMap<string, readonly { outcome: Extract<Outcome, { supported: true }>; cpuMs: number }[]>,
): void {
  const middle = (
    key: string,
    of: (sample: { outcome: Extract<Outcome, { supported: true }>; cpuMs: number }) => number,
  ): number => median((samples.get(key) ?? []).map(of));
  const speed = (key: string): number => middle(key, ({ outcome }) => outcome.perSecond);
  const [base = "limit"] = level.systems ?? [];
  const [reach, aim] = level.goal ?? [];
  const goals = reach === undefined ? "" : ` (goal: ${reach} of ${base}${aim === reach ? "" : `, aim ${aim}`})`;
  console.log(`\n${level.title}${goals}`);
  printTable(
    ["system", level.unit, `to ${base}`, "Pipit is", "goal", "p50 µs", "p99 µs", "CPU µs/call"],
    pairs
      .filter(({ key }) => samples.has(key))
      .map(({ key, name }) => [
        name,
        short(speed(key)),
        samples.has(base) ? (speed(key) / speed(base)).toFixed(3) : "–",
        samples.has("pipit") ? `${(speed("pipit") / speed(key)).toFixed(2)} ×` : "–",
        level.peers?.[key] === undefined ? "" : `${level.peers[key]} ×`,
        middle(key, ({ outcome }) => outcome.p50Us).toFixed(1),
        middle(key, ({ outcome }) => outcome.p99Us).toFixed(1),
        middle(key, (sample) => (sample.cpuMs * 1000) / sample.outcome.calls).toFixed(2),
      ]),
  );
}

async function startPair(key: string, pinned: boolean, nodeFlags: readonly string[]): Promise<Pair> {
  const here = (file: string): string => new URL(file, import.meta.url).pathname;
  const server = startPinned(here("rpc/server-process.ts"), [key], { core: 0, nodeFlags, env });
  const { port, name } = await next<{ port: number; name: string }>(server);
  const client = startPinned(here("rpc/client-process.ts"), [key, String(port)], {
    core: pinned ? 0 : 1,
    nodeFlags,
    env,
  });
  await next(client);
  return { key, name, server, client };
}

async function cpuMs(server: ChildProcess): Promise<number> {
  return (await ask<{ cpuMs: number }>(server, {})).cpuMs;
}
