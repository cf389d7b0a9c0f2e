import type { ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { machineLine } from "./support/machine.ts";
import { ask, next } from "./support/messages.ts";
import { startPinned } from "./support/pinned-process.ts";
import { printTable } from "./support/table.ts";

/*
 * What connections cost that carry nothing: a server with thousands of them, each of which has made one call, and their
 * client in another process. Goal at 10,000: less than 1 % of a core. Both processes need as many open files.
 */

const { values } = parseArgs({
  options: { connections: { type: "string", default: "10000" }, seconds: { type: "string", default: "20" } },
});
const connectionCount = Number(values.connections);
const idleMs = Number(values.seconds) * 1000;

/** Timers of the calls that opened the connections (their deadline, keepalive: 10 s) run out before the measurement begins. */
const settleMs = 15_000;
/** After a collection, ours as any, V8 collects twice more within some 20 s, to give memory back (its memory reducer). */
const reducedMs = 25_000;

interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

console.log(machineLine());
const server = startPinned(fileOf("idle/server-process.ts"), [], { core: 0, nodeFlags: ["--expose-gc"] });
const { port } = await next<{ port: number }>(server);
const empty = await usage(server, true);
const client = startPinned(fileOf("idle/client-process.ts"), [String(port)], { core: 1, nodeFlags: ["--expose-gc"] });
const alone = await next<Usage>(client);
client.send({ connections: connectionCount });
await next(client);
await setTimeout(settleMs);
const ends = [
  { name: "server", process: server, before: empty, memory: await usage(server, true) },
  { name: "client", process: client, before: alone, memory: await usage(client, true) },
];
await setTimeout(reducedMs);
const starts = [await usage(server, false), await usage(client, false)];
await setTimeout(idleMs);
const rows: string[][] = [];
for (const [i, { name, process, before, memory }] of ends.entries()) {
  const end = await usage(process, false);
  const share = (100 * (end.cpuMs - (starts[i]?.cpuMs ?? 0))) / idleMs;
  const kibEach = (memory.rssBytes - before.rssBytes) / connectionCount / 1024;
  rows.push([name, String(connectionCount), `${share.toFixed(2)} %`, "< 1 %", kibEach.toFixed(1)]);
}
printTable(["end", "idle connections", "of a core", "goal", "RSS KiB each"], rows);
client.disconnect();
server.disconnect();

function fileOf(path: string): string {
  return new URL(path, import.meta.url).pathname;
}

async function usage(child: ChildProcess, collect: boolean): Promise<Usage> {
  return ask<Usage>(child, { collect });
}
