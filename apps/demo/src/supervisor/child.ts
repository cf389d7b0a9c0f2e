import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProcessKind } from "../contracts/index.ts";
import type { GatewaySettings, ProcessMessage, ProcessSettings } from "../processes/settings.ts";

/** Longest time from a start to "ready", in milliseconds: a busy machine compiles the sources of a dozen at once. */
const readyTimeoutMs = 60_000;

const entryFiles: Readonly<Record<ProcessKind, URL>> = {
  stations: new URL("../stations/main.ts", import.meta.url),
  inspection: new URL("../inspection/main.ts", import.meta.url),
  charts: new URL("../charts/main.ts", import.meta.url),
  "non-conformance": new URL("../non-conformance/main.ts", import.meta.url),
  operators: new URL("../operators/main.ts", import.meta.url),
};

/** Starts the process of an instance. Its first message says whether it serves; see {@link ready}. */
export function startChild(settings: ProcessSettings): ChildProcess {
  return spawnEntry(entryFiles[settings.kind], settings);
}

/** Starts a process with its settings in its first argument, and a pipe to it that breaks when this process dies. */
export function spawnEntry(entry: URL, settings: ProcessSettings | GatewaySettings): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, fileURLToPath(entry), JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** Resolves with what the process says when it serves. @throws Error that names the instance when it cannot */
export async function ready(
  id: string,
  child: ChildProcess,
): Promise<Extract<ProcessMessage, { readonly type: "ready" }>> {
  const gone = new AbortController();
  const timeout = setTimeout(() => gone.abort(), readyTimeoutMs);
  const onExit = (): void => gone.abort();
  child.once("exit", onExit);
  try {
    const [message] = (await once(child, "message", { signal: gone.signal })) as [ProcessMessage];
    if (message.type === "failed") throw new Error(`Cannot start ${id}: ${message.reason}`);
    return message;
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    throw new Error(`Cannot start ${id}: it ended, or was silent for ${readyTimeoutMs} ms, before it listened`, {
      cause: error,
    });
  } finally {
    clearTimeout(timeout);
    child.removeListener("exit", onExit);
  }
}
