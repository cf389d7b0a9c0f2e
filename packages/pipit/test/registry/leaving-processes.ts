/** Servers in processes of their own that leave one after the other while a client calls them without a pause. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, gossipRegistry } from "pipit";
import { build } from "esbuild";
import { Probe } from "../support/contracts.ts";

/** Calls in flight at once. */
const loopCount = 32;

/** What happened to the calls, and how long each leaver took from its signal until the client's snapshot was without it. */
export interface LeavingResult {
  readonly calls: number;
  readonly failures: readonly unknown[];
  readonly retries: number;
  readonly leaveMs: readonly number[];
  readonly exitCodes: readonly (number | null)[];
}

/** Starts `processCount` servers, calls all of them, and has `leaverCount` leave by SIGTERM. No call may be sent twice. */
export async function leaveUnderLoad(processCount: number, leaverCount: number): Promise<LeavingResult> {
  const folder = await mkdtemp(join(tmpdir(), "pipit-leaving-"));
  const children = new Map<string, ChildProcess>();
  const seeds: string[] = [];
  const registry = gossipRegistry({ id: "client", seeds: async () => seeds });
  const client = createClient({ target: { registry } });
  const over = new AbortController();
  try {
    const program = await bundle(folder);
    for (let index = 0; index < processCount; index += 1) {
      const child = start(program, `s${index}`, seeds);
      children.set(`s${index}`, child);
      seeds.push(await firstLine(child));
    }
    const inSnapshot = async (wanted: (ids: ReadonlySet<string>) => boolean): Promise<void> => {
      for await (const { instances } of registry.watch(Probe.name)) {
        if (wanted(new Set(instances.map(({ id }) => id)))) return;
      }
    };
    await inSnapshot((ids) => ids.size === processCount);

    const served = new Set<string>();
    const failures: unknown[] = [];
    let calls = 0;
    let allServed = (): void => {};
    const spread = new Promise<void>((resolve) => {
      allServed = resolve;
    });
    const loops = Array.from({ length: loopCount }, async () => {
      while (!over.signal.aborted) {
        try {
          const { text } = await client.call(Probe.methods.plain, { text: "" });
          calls += 1;
          if (served.size < processCount && served.add(text).size === processCount) allServed();
        } catch (error) {
          failures.push(error);
        }
      }
    });
    await spread;
    const leaveMs: number[] = [];
    const exitCodes: (number | null)[] = [];
    for (const [name, child] of [...children].slice(-leaverCount)) {
      const sentMs = performance.now();
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await inSnapshot((ids) => !ids.has(name));
      leaveMs.push(performance.now() - sentMs);
      exitCodes.push(((await exited) as [number | null])[0]);
    }
    over.abort();
    await Promise.all(loops);
    return { calls, failures, retries: client.stats().calls.retries, leaveMs, exitCodes };
  } finally {
    over.abort();
    await client.close();
    await registry.destroy();
    for (const child of children.values()) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

/** So that a process starts in tens of milliseconds. */
async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, "server.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./server-process.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["pipit-source"],
    logLevel: "silent",
  });
  return outfile;
}

function start(program: string, name: string, seeds: readonly string[]): ChildProcess {
  const args = [program, name, seeds.slice(0, 3).join()];
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk);
    if (text.endsWith("\n")) return text.trim();
  }
  throw new Error("A server ended before it served");
}
