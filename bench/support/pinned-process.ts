import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** Options of {@link startPinned}. */
export interface PinnedOptions {
  /** The core to run on. Default: wherever the system likes. */
  readonly core?: number | undefined;
  /** Flags for Node beyond this process's own. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a TypeScript file as a process of its own, with an IPC channel and this process's flags, bound to one core by
 * `taskset`: unpinned runs flip between two speeds, since waking an idle core costs more than the software that is measured.
 * Where there is no `taskset` it runs unpinned; {@link canPin} tells.
 */
export function startPinned(file: string, args: readonly string[], options: PinnedOptions = {}): ChildProcess {
  const { core, nodeFlags = [], env = {} } = options;
  const node = [process.execPath, ...process.execArgv, ...nodeFlags, file, ...args];
  const [command = "", ...rest] = core === undefined || !canPin() ? node : ["taskset", "-c", String(core), ...node];
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  return spawn(command, rest, { stdio: [...stdio], env: { ...process.env, ...env }, serialization: "advanced" });
}

let pins: boolean | undefined;

/** Whether this machine can bind a process to a core. */
export function canPin(): boolean {
  pins ??= spawnSync("taskset", ["-c", "0", "true"]).status === 0;
  return pins;
}
