import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Floors, writeFloors } from "./footprint/floor.ts";
import { machineLine } from "./support/machine.ts";
import { ask, next } from "./support/messages.ts";
import { startPinned } from "./support/pinned-process.ts";
import { median } from "./support/statistics.ts";
import { printTable } from "./support/table.ts";

/*
 * What Pipit costs before and beside its calls: the import in a fresh process, the time to the first reply, the memory of a
 * connection that has been used. Imports are of the built packages whatever else is measured from the sources: loading
 * TypeScript is another matter. `--floor` adds what the start would cost if `pipit` were nothing but what a first call runs.
 */

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    floor: { type: "boolean", default: false },
    connections: { type: "string", default: "2000" },
  },
});
const starts = values.quick ? 7 : 15;
const connectionCount = Number(values.connections);
/** Pairs of fresh processes whose memory per connection is measured: one pair differs from the next by a third. */
const memoryRuns = values.quick ? 1 : 5;

/** Calls after which a connection counts as used: enough to have bound its method and filled what it fills lazily. */
const callsEach = 6;

/** Code of a fresh process that imports something, and says what that took. */
const importing = (name: string): string => `
  const { rss } = process.memoryUsage();
  const usage = process.cpuUsage();
  const startMs = performance.now();
  await import(${JSON.stringify(name)});
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(usage);
  const mib = (process.memoryUsage().rss - rss) / 1_048_576;
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, mib }));`;

/** Code of a fresh process that makes one call and says how long after its start the reply was there; `performance` would be loaded first. */
const calling = (port: string): string => `
  import { createClient, service, string, struct, unary } from "pipit";
  const tiny = unary(struct({ name: string }), struct({ message: string }), { idempotency: "safe" });
  const client = createClient({ target: "127.0.0.1:${port}" });
  const { message } = await client.service(service("bench.Bench", { tiny })).tiny({ name: "bench" });
  const ms = process.uptime() * 1000;
  const { user, system } = process.cpuUsage();
  if (message !== "Hello, bench!") throw new Error("wrong answer");
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, mib: process.memoryUsage().rss / 1_048_576 }));
  await client.close();`;

/** The same with nothing but a socket: the raw limit's frame by hand (see `rpc/limit.ts`). */
const callingByHand = (port: string): string => `
  import net from "node:net";
  const socket = net.connect({ port: ${port}, host: "127.0.0.1", noDelay: true });
  socket.write(Buffer.from([11, 0, 0, 0, 0, 0, 0, 0, 0, 5, 98, 101, 110, 99, 104]));
  socket.once("data", (chunk) => {
    const ms = process.uptime() * 1000;
    const { user, system } = process.cpuUsage();
    if (chunk.latin1Slice(10) !== "Hello, bench!") throw new Error("wrong answer");
    console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, mib: process.memoryUsage().rss / 1_048_576 }));
    socket.destroy();
  });`;

const nothing = "data:text/javascript,export{}";
const emptyPackage = "empty-package";

console.log(machineLine());
console.log();
const rows: string[][] = [];
const server = await startServer("pipit");
const limit = await startServer("limit");
const folder = mkdtempSync(join(tmpdir(), "pipit-footprint-"));
const packageFolder = writeEmptyPackage();
const here = fileOf(".");
const floors = values.floor ? measureCoverage() : undefined;
const cases = {
  nothing: () => fresh(importing(nothing), here),
  empty: () => fresh(importing(emptyPackage), packageFolder),
  net: () => fresh(importing("node:net"), here),
  pipit: () => fresh(importing("pipit"), here),
  cached: () => fresh(importing("pipit"), here, { NODE_COMPILE_CACHE: join(folder, "cache") }),
  codec: () => fresh(importing("@pipit/codec"), here),
  byHand: () => fresh(callingByHand(limit.port), here),
  call: () => fresh(calling(server.port), here),
  ...(floors !== undefined && {
    named: () => fresh(importing("pipit"), floors.named),
    shortest: () => fresh(importing("pipit"), floors.shortest),
    callNamed: () => fresh(calling(server.port), floors.named),
    callShortest: () => fresh(calling(server.port), floors.shortest),
  }),
};
const runs = new Map<string, Fresh[]>(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < starts; round++) {
  for (const [name, start] of Object.entries(cases)) runs.get(name)?.push(start());
}
rmSync(folder, { recursive: true });
const all = (name: string): readonly Fresh[] => runs.get(name) ?? [];
/** How much one takes more than another, round by round: what disturbs a round disturbs both. */
const above = (name: string, base: string, of: keyof Fresh): number =>
  median(all(name).map((run, round) => run[of] - (all(base)[round]?.[of] ?? 0)));
add("import of pipit, above an empty module", above("pipit", "nothing", "ms"), 6, "ms");
compare("the same, processor time", above("pipit", "nothing", "cpuMs"), "ms");
compare("of which Node's, for any package: an empty one", above("empty", "nothing", "ms"), "ms");
if (hasCompileCache()) {
  compare("import of pipit with NODE_COMPILE_CACHE, second start on", above("cached", "nothing", "ms"), "ms");
}
compare("import of @pipit/codec alone", above("codec", "nothing", "ms"), "ms");
compareFloors(["named", "shortest"], "nothing", "ms");
compare("import of node:net, all that the raw limit needs", above("net", "nothing", "ms"), "ms");
add("memory of the import of pipit, above an empty module", above("pipit", "nothing", "mib"), 2, "MiB");
compare("of which Node's, for any package: an empty one", above("empty", "nothing", "mib"), "MiB");
compareFloors(["named", "shortest"], "nothing", "mib");
compare("import of node:net", above("net", "nothing", "mib"), "MiB");
add("first reply, behind the raw limit", above("call", "byHand", "ms"), 12, "ms");
compare("the same, processor time", above("call", "byHand", "cpuMs"), "ms");
compareFloors(["callNamed", "callShortest"], "byHand", "ms");
compare("first reply of the raw limit, from the start of the process", median(all("byHand").map(({ ms }) => ms)), "ms");

server.process.disconnect();
limit.process.disconnect();
const used = await connectionMemory("pipit");
const bare = await connectionMemory("net");
const { client, server: atServer } = used;
add(`a connection and its client after ${callsEach} calls, of ${connectionCount}`, median(client), 27, "kB", client);
compare("a socket of node:net alone, after as many", median(bare.client), "kB");
add("a connection at the server", median(atServer), 24, "kB", atServer);
printTable(["what", "measured", "goal", ""], rows);

/** What a fresh process measured of itself. */
interface Fresh {
  readonly ms: number;
  /** Processor time of all its threads: on a machine that does other work, steadier than the clock. */
  readonly cpuMs: number;
  /** Resident memory gained. */
  readonly mib: number;
}

function add(what: string, measured: number, goal: number, unit: string, samples: readonly number[] = []): void {
  const spread =
    samples.length < 2 ? "" : ` (${Math.min(...samples).toFixed(1)} to ${Math.max(...samples).toFixed(1)})`;
  rows.push([
    what,
    `${measured.toFixed(1)} ${unit}${spread}`,
    `≤ ${goal} ${unit}`,
    measured <= goal ? "met" : "NOT met",
  ]);
}

/** A row without a goal, to see the others by. */
function compare(what: string, measured: number, unit: string): void {
  rows.push([`– ${what}`, `${measured.toFixed(1)} ${unit}`, "", ""]);
}

/** The same rows of a `pipit` that is nothing but what a first call runs: nothing that loads later than now gets below them. */
function compareFloors([named, shortest]: readonly [string, string], base: string, of: "ms" | "mib"): void {
  if (floors === undefined) return;
  const unit = of === "ms" ? "ms" : "MiB";
  compare("floor: nothing but the functions that a first call runs", above(named, base, of), unit);
  compare("floor: the same, with names of one letter", above(shortest, base, of), unit);
}

/** Writes a package that holds nothing; returns the folder from which it is found by its name. */
function writeEmptyPackage(): string {
  const place = join(folder, "node_modules", emptyPackage);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), JSON.stringify({ type: "module", exports: "./index.js" }));
  writeFileSync(join(place, "index.js"), "export {};\n");
  return folder;
}

/** Whether this Node keeps compiled modules when asked to: from 22.1 on. */
function hasCompileCache(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 1);
}

/** Kilobytes of each connection at both ends once it has been used, in several pairs of processes. */
async function connectionMemory(kind: "pipit" | "net"): Promise<Record<"client" | "server", readonly number[]>> {
  const kilobytes = { client: [] as number[], server: [] as number[] };
  for (let run = 0; run < memoryRuns; run++) {
    const to = await startServer(kind === "pipit" ? "pipit" : "limit");
    const args = [kind, to.port];
    const from = startPinned(fileOf("footprint/client-process.ts"), args, { nodeFlags: ["--expose-gc"] });
    await next(from);
    const before = { client: await memory(from), server: await memory(to.process) };
    from.send({ connections: connectionCount, callsEach });
    await next(from);
    kilobytes.client.push(((await memory(from)) - before.client) / connectionCount / 1000);
    kilobytes.server.push(((await memory(to.process)) - before.server) / connectionCount / 1000);
    from.disconnect();
    to.process.disconnect();
  }
  return kilobytes;
}

interface Server {
  readonly process: ChildProcess;
  readonly port: string;
}

/** What `pipit` would be if it were nothing but what a first call runs, told by a process that makes one. */
function measureCoverage(): Floors {
  const coverage = join(folder, "coverage");
  fresh(calling(server.port), here, { NODE_V8_COVERAGE: coverage });
  return writeFloors(folder, coverage);
}

/** Runs a module's text in a new process without any of this one's flags. */
function fresh(code: string, cwd: string, env: NodeJS.ProcessEnv = {}): Fresh {
  const options = { cwd, encoding: "utf8" as const, env: { ...process.env, ...env } };
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], options);
  if (status !== 0) throw new Error(`A fresh process failed: ${stderr}`);
  return JSON.parse(stdout) as Fresh;
}

async function startServer(system: string): Promise<Server> {
  const process = startPinned(fileOf("footprint/server-process.ts"), [system], { nodeFlags: ["--expose-gc"] });
  const { port } = await next<{ port: number }>(process);
  return { process, port: String(port) };
}

/** Resident bytes of a process that has just collected its garbage. */
async function memory(child: ChildProcess): Promise<number> {
  return (await ask<{ rss: number }>(child, {})).rss;
}

function fileOf(path: string): string {
  return new URL(path, import.meta.url).pathname;
}
