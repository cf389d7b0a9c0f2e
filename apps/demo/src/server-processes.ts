import { type ChildProcess, fork } from "node:child_process";

/** An inspection server that runs. */
export interface ServerProcess {
  readonly name: string;
  readonly address: string;
  readonly process: ChildProcess;
}

/** How long a server may take to drain before it is killed. */
const stopMs = 5000;

/**
 * Starts an inspection server and waits until it listens.
 *
 * @throws Error in its own words when it cannot: a taken port, wrong limits
 */
export async function startServer(name: string, limitsPath: string, port: number): Promise<ServerProcess> {
  const file = new URL("inspection-server.ts", import.meta.url);
  // A group of its own: Ctrl-C in a terminal reaches the parent only, which stops its servers in order.
  const child = fork(file, [limitsPath, String(port)], { stdio: ["ignore", "inherit", "pipe", "ipc"], detached: true });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const said = await new Promise<{ port?: number; error?: string }>((resolve) => {
    child.once("message", (message) => resolve(message as { port?: number; error?: string }));
    child.once("exit", () => resolve({ error: errors.trim() || "it ended before it listened" }));
  });
  if (said.port === undefined) throw new Error(`Cannot start ${name}: ${said.error}`);
  return { name, address: `127.0.0.1:${said.port}`, process: child };
}

/** Asks the server to drain, and resolves when its process is gone. */
export async function stopServer({ process: child }: ServerProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await gone;
  clearTimeout(timer);
}

/** Ends the server's process without a word, as a crash would. */
export function crashServer({ process: child }: ServerProcess): void {
  child.kill("SIGKILL");
}
