import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runHeadless } from "./headless/run-headless.ts";
import { runLive } from "./run-live.ts";
import { runFile } from "./report/run-file.ts";

/* The demo's command. See README.md beside it. */

const usage = `Usage: npm run demo -- [options]
  --port N       port of the page (default: the system chooses)
  --headless     no page: break and mend some of it, and print what it came to
  --seconds N    how long, headless (default 20)
  --seed N       seed of the simulated measurements (default 1)
  --csv FILE     measurements instead: timestamp,station,characteristic,value
  --plan FILE    control plan as JSON (default: the simulated line's; with --csv the sample's)
  --out FOLDER   where the report on a file goes (default: report)`;

const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === usage) {
    console.log(usage);
    return exitCodes.ok;
  }
  if (typeof options === "string") return complain(options);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const well = await run(options, interrupted.signal);
    // Ctrl-C is how the page is left; a run that was to come to its own end was cut short.
    if (isEndless(options)) return exitCodes.ok;
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    return well ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    if (interrupted.signal.aborted) return isEndless(options) ? exitCodes.ok : exitCodes.interrupted;
    return complain((error as Error).message);
  } finally {
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}

function isEndless({ csv, headless }: Options): boolean {
  return csv === undefined && !headless;
}

/** @returns whether all went well */
async function run({ csv, plan, out, headless, seconds, seed, port }: Options, signal: AbortSignal): Promise<boolean> {
  if (csv !== undefined) return runFile({ csvPath: csv, planPath: plan ?? data("limits.json"), out, signal });
  const planPath = plan ?? data("line.json");
  if (headless) return runHeadless({ planPath, seconds, seed, signal });
  await runLive({ planPath, seed, port, signal });
  return true;
}

interface Options {
  readonly port: number;
  readonly headless: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly csv: string | undefined;
  readonly plan: string | undefined;
  readonly out: string;
}

/** The options, or what is wrong with them, or the usage for one who asks. */
function readOptions(): Options | string {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string" },
        headless: { type: "boolean" },
        seconds: { type: "string" },
        seed: { type: "string" },
        csv: { type: "string" },
        plan: { type: "string" },
        out: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) return usage;
    return {
      port: whole("--port", values.port ?? "0", 0, 65_535),
      headless: values.headless ?? false,
      seconds: whole("--seconds", values.seconds ?? "20", 5, 86_400),
      seed: whole("--seed", values.seed ?? "1", 0, 0xffff_ffff),
      csv: values.csv,
      plan: values.plan,
      out: values.out ?? "report",
    };
  } catch (error) {
    return `${(error as Error).message}\n${usage}`;
  }
}

function data(name: string): string {
  return fileURLToPath(new URL(`../data/${name}`, import.meta.url));
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
