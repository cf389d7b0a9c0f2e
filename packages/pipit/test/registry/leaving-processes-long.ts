/**
 * `npm run processes -w packages/pipit`: 20 server processes on loopback, ten of which leave on SIGTERM while a client calls
 * them. Prints one line per goal and ends with 1 when one is missed. Arguments: processes, leavers.
 */
import { cpus } from "node:os";
import { leaveUnderLoad } from "./leaving-processes.ts";

const [processCount = 20, leaverCount = 10] = process.argv.slice(2).map(Number);
const { calls, failures, retries, leaveMs } = await leaveUnderLoad(processCount, leaverCount);
const slowestMs = Math.max(...leaveMs);

console.log(`${processCount} processes, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
goal(
  `${leaverCount} left during ${calls} calls: ${failures.length} failed, ${retries} sent twice`,
  failures.length === 0,
);
goal(`leave: slowest ${slowestMs.toFixed(0)} ms, wanted ≤ 700`, slowestMs <= 700);

function goal(text: string, met: boolean): void {
  console.log(`${met ? "ok  " : "FAIL"} ${text}`);
  if (!met) process.exitCode = 1;
}
