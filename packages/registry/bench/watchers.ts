/**
 * `npm run bench:watchers -w packages/registry`: how long one change takes to reach 10,000 watchers of one service, and
 * what 10,000 slow readers hold. Argument: watchers.
 */
import { cpus } from "node:os";
import { memoryRegistry } from "../src/memory-registry.ts";
import type { Snapshot } from "../src/registry.ts";

const watcherCount = Number(process.argv[2] ?? 10_000);
const instanceCount = 100;
const warmUpCount = 20;
const sampleCount = 200;
const goalMs = 20;

const registry = memoryRegistry();
for (let index = 0; index < instanceCount; index += 1) {
  await registry.register({ id: `i${index}`, service: "greeter", host: "127.0.0.1", port: 50_051 });
}
const lease = await registry.register({ id: "changing", service: "greeter", host: "127.0.0.1", port: 50_051 });

const iterators = Array.from({ length: watcherCount }, () => registry.watch("greeter")[Symbol.asyncIterator]());
await Promise.all(iterators.map((iterator) => iterator.next()));

const tookMs: number[] = [];
const cpuMs: number[] = [];
for (let round = 0; round < warmUpCount + sampleCount; round += 1) {
  const waiting = iterators.map((iterator) => iterator.next());
  await nextTurn();
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  void lease.update({ weight: round });
  await Promise.all(waiting);
  if (round < warmUpCount) continue;
  tookMs.push(performance.now() - startMs);
  const { user, system } = process.cpuUsage(cpu);
  cpuMs.push((user + system) / 1_000);
}
for (const samples of [tookMs, cpuMs]) samples.sort((a, b) => a - b);
const at = (samples: readonly number[], share: number): number =>
  samples[Math.floor(share * (samples.length - 1))] as number;
const told = (samples: readonly number[]): string =>
  `p50 ${at(samples, 0.5).toFixed(2)}, p99 ${at(samples, 0.99).toFixed(2)} ms`;

// Nobody reads now: a thousand changes later each reader may hold one snapshot, the same for all.
for (let round = 0; round < 1_000; round += 1) await lease.update({ weight: round });
const pending = new Set<Snapshot>();
for (const iterator of iterators) pending.add((await iterator.next()).value as Snapshot);
await registry.close();

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
console.log(`${watcherCount} watchers, ${instanceCount + 1} instances, ${sampleCount} changes`);
console.log(`one change to all: ${told(tookMs)}; of CPU, whatever else ran: ${told(cpuMs)} (goal p99 ≤ ${goalMs})`);
console.log(`after 1,000 unread changes: ${pending.size} snapshot held for ${watcherCount} slow readers`);
process.exitCode = at(cpuMs, 0.99) <= goalMs && pending.size === 1 ? 0 : 1;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
