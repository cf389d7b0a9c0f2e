import { spawn } from "node:child_process";
import { join, resolve as resolvePath } from "node:path";
import { root } from "./repository.ts";

/** What a command that has ended left behind. */
export interface RunResult {
  readonly ok: boolean;
  /** Both streams as they came. */
  readonly output: string;
  readonly durationMs: number;
}

/** Options of {@link run}. */
export interface RunOptions {
  /** Working folder, relative to the root or absolute. Default: the root. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the command after so long; that is a failure. Default: never. */
  readonly timeoutMs?: number;
  /** Shows the output while it comes. Default: false. */
  readonly show?: boolean;
}

/** Runs a command to its end, with no stdin and the workspace's tools in its PATH; `node` is the one that runs us. Never rejects: a failure is a result. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd = root, env = {}, timeoutMs, show = false } = options;
  const startMs = performance.now();
  const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  return new Promise((resolve) => {
    const child = spawn(command === "node" ? process.execPath : command, args, {
      cwd: resolvePath(root, cwd),
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", PATH: path, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      if (show) process.stdout.write(chunk);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const end = (ok: boolean): void => resolve({ ok, output, durationMs: performance.now() - startMs });
    child.on("error", (error) => {
      output += `Cannot run ${command}: ${error.message}\n`;
      end(false);
    });
    child.on("close", (code, signal) => {
      if (signal !== null)
        output += `${command} ended by ${signal}${timeoutMs === undefined ? "" : ` (limit ${timeoutMs} ms)`}\n`;
      end(code === 0);
    });
  });
}
