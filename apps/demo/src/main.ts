import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readMeasurements, UnusableFile } from "./stations/measurements-file.ts";
import { Progress } from "./progress.ts";
import { sendMeasurements } from "./send-measurements.ts";
import { crashServer, type ServerProcess, startServer, stopServer } from "./server-processes.ts";
import { Tally } from "./tally.ts";

/*
 * Three inspection servers, one station that sends them its measurements, and one server that is killed on the way.
 */

const usage = `Usage: npm run demo -- [options]
  --csv FILE       measurements: timestamp,station,characteristic,value (default: the sample)
  --limits FILE    specification limits as JSON (default: the sample's)
  --repeat N       send the file N times over (default: 400 for the sample, 1 for another file)
  --in-flight N    calls at a time (default 256)
  --port N         first of three ports for the servers (default: the system chooses)`;

const serverCount = 3;

/** Share of the measurements after which one server is killed. */
const crashAfter = 0.4;

const exitCodes = { ok: 0, lost: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "string") return complain(options);
  const { csv, limits, repeat, inFlight, port } = options;

  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const servers: ServerProcess[] = [];
  try {
    const { rows, bad } = readMeasurements(csv);
    for (const { line, reason } of bad) console.log(`${csv}:${line}: ${reason}`);
    if (bad.length > 0) console.log(`${bad.length} bad rows left out, ${rows.length} measurements read\n`);

    for (let i = 0; i < serverCount; i++) {
      servers.push(await startServer(`inspection ${i + 1}`, limits, port === 0 ? 0 : port + i));
    }
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    for (const { name, address } of servers) console.log(`${name} listens on ${address}`);

    const all = Array.from({ length: repeat }, () => rows).flat();
    const tally = new Tally();
    const progress = new Progress(all.length);
    const crashAt = Math.ceil(all.length * crashAfter);
    let done = 0;
    const start = performance.now();
    await sendMeasurements({
      targets: servers.map(({ address }) => address),
      rows: all,
      inFlight,
      tally,
      signal: interrupted.signal,
      onJudged() {
        progress.advance();
        const [, victim] = servers;
        if (++done !== crashAt || victim === undefined) return;
        crashServer(victim);
        progress.note(`${victim.name} is killed; the others take over`);
      },
    });
    progress.end();
    const names = new Map(servers.map(({ name, address }) => [address, name]));
    console.log(`\n${tally.table(performance.now() - start, (address) => names.get(address) ?? address)}`);
    for (const failure of tally.failures) console.error(failure);
    if (interrupted.signal.aborted) {
      console.error(`Interrupted after ${done} of ${all.length} measurements`);
      return exitCodes.interrupted;
    }
    return tally.failed === 0 ? exitCodes.ok : exitCodes.lost;
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    if (error instanceof UnusableFile) return complain(error.message);
    return complain((error as Error).message);
  } finally {
    await Promise.all(servers.map(stopServer));
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}

interface Options {
  readonly csv: string;
  readonly limits: string;
  readonly repeat: number;
  readonly inFlight: number;
  readonly port: number;
}

/** The options, or what is wrong with them. */
function readOptions(): Options | string {
  const sample = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));
  try {
    const { values } = parseArgs({
      options: {
        csv: { type: "string" },
        limits: { type: "string" },
        repeat: { type: "string" },
        "in-flight": { type: "string" },
        port: { type: "string" },
      },
    });
    return {
      csv: values.csv ?? sample("measurements.csv"),
      limits: values.limits ?? sample("limits.json"),
      repeat: whole("--repeat", values.repeat ?? (values.csv === undefined ? "400" : "1"), 1, 1_000_000),
      inFlight: whole("--in-flight", values["in-flight"] ?? "256", 1, 4096),
      port: whole("--port", values.port ?? "0", 0, 65_535 - serverCount),
    };
  } catch (error) {
    return `${(error as Error).message}\n${usage}`;
  }
}

function whole(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new Error(`${option}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`);
  }
  return number;
}

function complain(message: string): number {
  console.error(message);
  return exitCodes.usage;
}
