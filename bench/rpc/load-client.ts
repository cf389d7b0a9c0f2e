import { setTimeout } from "node:timers/promises";
import { createClient } from "pipit";
import { percentile } from "../support/statistics.ts";
import { holdHeap } from "../support/heap.ts";
import { limit } from "./limit.ts";
import type { Caller } from "./system.ts";
import { Load, type LoadJob, loadItemBytes, type LoadOutcome, watchMemory } from "./load.ts";

/* The client of `stream-load`: makes small calls, one after the other, beside what it is told. */

/** A slow reader takes this many items, then rests. */
const slowItems = 16;
const slowRestMs = 2;

/** Blobs there and back, this many at once: as large as the default limit lets them be. */
const blobBytes = 4 * 1024 * 1024 - 64;
const blobsAtOnce = 3;

holdHeap();
const [port = "", controlPort = ""] = process.argv.slice(2);
const client = createClient({ target: `127.0.0.1:${port}` });
const load = client.service(Load);
const control = await limit.connect(Number(controlPort));
const apart = await limit.connect(Number(controlPort));
const memory = watchMemory();
await load.tiny({ name: "warm" });
process.on("message", (job: LoadJob | "memory") => {
  if (job === "memory") process.send?.(memory.read());
  else void run(job).then((outcome) => process.send?.(outcome));
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });

async function run(job: LoadJob): Promise<LoadOutcome> {
  const latencies: number[] = [];
  const start = performance.now();
  const leave = new AbortController();
  const byHand = job.beside === "control" || job.beside.startsWith("floor");
  const small = byHand ? () => control.tiny("Ada") : () => load.tiny({ name: "Ada" });
  const beside = besides(job, leave.signal);
  const over = new AbortController();
  const done = (job.streamBytes > 0 ? beside : setTimeout(job.ms)).then(() => over.abort());
  while (!over.signal.aborted) {
    const before = performance.now();
    await small();
    latencies.push((performance.now() - before) * 1000);
    // The loop has to turn: replies that are there at once must not starve the clock.
    if (latencies.length % 64 === 0) await setTimeout(0);
  }
  await done;
  leave.abort();
  const movedBytes = await beside;
  return {
    p50Us: percentile(latencies, 0.5),
    p99Us: percentile(latencies, 0.99),
    calls: latencies.length,
    movedBytes,
    elapsedMs: performance.now() - start,
  };
}

/** Does what is to be done beside the small calls; gives the bytes that it moved. */
async function besides({ beside, streamBytes }: LoadJob, left: AbortSignal): Promise<number> {
  switch (beside) {
    case "nothing":
    case "floor of nothing":
      return 0;
    case "stopped reader":
      return await stop(left);
    case "fast reader":
    case "slow reader":
      return await read(streamBytes, beside === "slow reader");
    case "blobs":
      return await blobs((data) => load.blob(data), left);
    case "control":
      return await blobs(blobOf(control), left);
    case "floor of reader":
      return (await apart.bulk?.(Math.ceil(streamBytes / loadItemBytes))) ?? 0;
    case "floor of blobs":
      return await blobs(blobOf(apart), left);
    default:
      throw new Error(`Unknown work ${beside satisfies never}`);
  }
}

async function read(streamBytes: number, slow: boolean): Promise<number> {
  let seen = 0;
  let bytes = 0;
  for await (const item of load.produce(
    { count: Math.ceil(streamBytes / loadItemBytes) },
    { timeoutMs: Number.POSITIVE_INFINITY },
  )) {
    bytes += item.length;
    if (slow && ++seen % slowItems === 0) await setTimeout(slowRestMs);
  }
  return bytes;
}

function blobOf(caller: Caller): (data: Uint8Array) => Promise<Uint8Array> {
  return (data) => caller.blob?.(data) ?? Promise.reject(new Error("no blob"));
}

/** Takes one item and no more until it is told to leave. */
async function stop(left: AbortSignal): Promise<number> {
  for await (const item of load.produce({ count: 1_000_000 }, { timeoutMs: Number.POSITIVE_INFINITY })) {
    if (!left.aborted) await new Promise((resolve) => left.addEventListener("abort", resolve, { once: true }));
    return item.length;
  }
  return 0;
}

async function blobs(send: (data: Uint8Array) => Promise<Uint8Array>, left: AbortSignal): Promise<number> {
  const data = new Uint8Array(blobBytes).fill(7);
  let bytes = 0;
  const lane = async (): Promise<void> => {
    while (!left.aborted) bytes += 2 * (await send(data)).length;
  };
  await Promise.all(Array.from({ length: blobsAtOnce }, lane));
  return bytes;
}
