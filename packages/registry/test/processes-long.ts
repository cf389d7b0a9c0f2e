/**
 * `npm run processes -w packages/registry`: 20 processes on loopback, 50 kills, 10 farewells, 10 standstills. Prints one
 * line per goal and ends with 1 when one is missed. Arguments: members, kills.
 */
import { cpus } from "node:os";
import { ProcessCluster } from "./process-cluster.ts";

const [memberCount = 20, killCount = 50] = process.argv.slice(2).map(Number);
const farewellCount = Math.ceil(killCount / 5);
const freezeCount = Math.ceil(killCount / 5);

const cluster = await ProcessCluster.create(["even", "odd"]);
const missed: string[] = [];
try {
  for (let index = 0; index < memberCount; index += 1) await start(index);
  await cluster.settled();
  console.log(`${memberCount} processes, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
  const kills = await endMany(killCount, "SIGKILL");
  const inTime = kills.filter((ms) => ms <= 1_500).length;
  goal(`kill -9: gone everywhere ≤ 1.5 s in ${inTime} of ${killCount}`, inTime >= killCount * 0.96);
  goal(`kill -9: slowest ${Math.max(...kills).toFixed(0)} ms, wanted ≤ 3,000`, Math.max(...kills) <= 3_000);
  console.log(`     ${spread(kills)}`);
  const farewells = await endMany(farewellCount, "SIGTERM");
  goal(`leave: slowest ${Math.max(...farewells).toFixed(0)} ms, wanted ≤ 700`, Math.max(...farewells) <= 700);
  console.log(`     ${spread(farewells)}`);
  const lost: string[] = [];
  for (let turn = 0; turn < freezeCount; turn += 1)
    lost.push(...(await cluster.freeze(`m${turn % memberCount}`, 3_000)));
  goal(`SIGSTOP for 3 s, ${freezeCount} times: ${lost.length} lost (${lost.join()}), wanted 0`, lost.length === 0);
} finally {
  await cluster.close();
}
process.exitCode = missed.length === 0 ? 0 : 1;

async function endMany(count: number, signal: "SIGKILL" | "SIGTERM"): Promise<number[]> {
  const tookMs: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const index = (turn * 7) % memberCount;
    tookMs.push(await cluster.end(`m${index}`, signal));
    await start(index);
    await cluster.settled();
  }
  return tookMs;
}

function start(index: number): Promise<unknown> {
  return cluster.start(`m${index}`, index % 2 === 0 ? "even" : "odd");
}

function goal(text: string, met: boolean): void {
  console.log(`${met ? "ok  " : "FAIL"} ${text}`);
  if (!met) missed.push(text);
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  return `p10 ${at(0.1)}, p50 ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)} ms`;
}
