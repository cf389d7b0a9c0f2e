import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import { machineLine } from "../support/machine.ts";
import { ask, next } from "../support/messages.ts";
import { startPinned } from "../support/pinned-process.ts";
import { printTable } from "../support/table.ts";
import type { LoadJob, LoadOutcome, Memory } from "./load.ts";
import { roomyHeap } from "../support/heap.ts";

/*
 * What large streams and messages do to memory and to small calls on the same connection (`npm run bench -- rpc/stream-load`). The
 * control has no chunks: the hand-written limit sends each blob as one frame. The floors are by hand, too, bulk on a connection of its
 * own; their ratios are to small calls by hand. With `--roomy` both processes have a heap that V8 need not mark, as where blobs are
 * judged: see `rpc.ts`; with `--heap N` they hold N megabytes of objects. `--only TEXT` runs the idle rows, and those with it in their title.
 */

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    gigabytes: { type: "string" },
    roomy: { type: "boolean", default: false },
    heap: { type: "string", default: "0" },
    only: { type: "string", default: "" },
  },
});
const gigabytes = Number(values.gigabytes ?? (values.quick ? 1 : 10));
const streamBytes = gigabytes * 1e9;
const ms = values.quick ? 2000 : 5000;

interface Row {
  readonly title: string;
  readonly job: LoadJob;
  readonly goal: string;
}

const rows: readonly Row[] = [
  { title: "nothing", job: { beside: "nothing", streamBytes: 0, ms }, goal: "" },
  {
    title: `stream of ${gigabytes} GB, fast reader`,
    job: { beside: "fast reader", streamBytes, ms },
    goal: "p99 ≤ 5 ×, memory ≤ 64 MiB",
  },
  {
    title: `stream of ${gigabytes} GB, slow reader`,
    job: { beside: "slow reader", streamBytes, ms },
    goal: "p99 ≤ 5 ×, memory ≤ 64 MiB",
  },
  {
    title: "stream, stopped reader",
    job: { beside: "stopped reader", streamBytes: 0, ms },
    goal: "p99 ≤ 5 ×, ahead ≤ window + 1 MB, memory ≤ 10 MB",
  },
  { title: "3 blobs of 4 MiB, both ways", job: { beside: "blobs", streamBytes: 0, ms }, goal: "p99 ≤ 5 ×" },
  {
    title: "the same by hand, no chunks (control)",
    job: { beside: "control", streamBytes: 0, ms },
    goal: "p99 ≥ 20 ×",
  },
  { title: "by hand: nothing", job: { beside: "floor of nothing", streamBytes: 0, ms }, goal: "" },
  {
    title: "by hand: the stream on a connection of its own (floor)",
    job: { beside: "floor of reader", streamBytes, ms },
    goal: "",
  },
  {
    title: "by hand: the blobs on a connection of their own (floor)",
    job: { beside: "floor of blobs", streamBytes: 0, ms },
    goal: "",
  },
];

console.log(machineLine());
const server = start("load-server.ts", [], 0);
const ports = await next<{ port: number; controlPort: number }>(server);
const client = start("load-client.ts", [String(ports.port), String(ports.controlPort)], 1);
await next(client);
await ask<LoadOutcome>(client, { beside: "nothing", streamBytes: 0, ms: ms / 2 });
await ask<LoadOutcome>(client, { beside: "fast reader", streamBytes: 2e8, ms });

const table: string[][] = [];
let idleP99Us = Number.NaN;
for (const { title, job, goal } of rows) {
  const isIdle = job.beside.endsWith("nothing");
  if (!isIdle && !title.includes(values.only)) continue;
  const before = [await memoryOf(client), await memoryOf(server)];
  const outcome = await ask<LoadOutcome>(client, job);
  const [clientAfter, serverAfter] = [await memoryOf(client), await memoryOf(server)];
  if (isIdle) idleP99Us = outcome.p99Us;
  const growth = (after: Memory, at: number): string => mebibytes(after.peakBytes - (before[at]?.rssBytes ?? 0));
  table.push([
    title,
    outcome.p50Us.toFixed(0),
    outcome.p99Us.toFixed(0),
    (outcome.p99Us / idleP99Us).toFixed(1),
    isIdle || job.beside === "stopped reader" ? "–" : (outcome.movedBytes / outcome.elapsedMs / 1000).toFixed(0),
    job.beside === "stopped reader" ? mebibytes(serverAfter.producedBytes - outcome.movedBytes) : "–",
    growth(clientAfter, 0),
    growth(serverAfter, 1),
    goal,
  ]);
}
printTable(
  [
    "beside the small calls",
    "p50 µs",
    "p99 µs",
    "p99 to idle",
    "MB/s",
    "ahead MiB",
    "client grew MiB",
    "server grew MiB",
    "goal",
  ],
  table,
);
client.disconnect();
server.disconnect();

function start(file: string, args: readonly string[], core: number): ChildProcess {
  const nodeFlags = values.roomy ? roomyHeap : [];
  const env = { PIPIT_BENCH_HEAP_MB: values.heap };
  return startPinned(new URL(file, import.meta.url).pathname, args, { core, nodeFlags, env });
}

async function memoryOf(child: ChildProcess): Promise<Memory & { readonly producedBytes: number }> {
  return await ask(child, "memory");
}

function mebibytes(count: number): string {
  return (count / 1024 / 1024).toFixed(1);
}
