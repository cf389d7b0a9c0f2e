import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { root } from "./support/repository.ts";
import { stepsOf } from "./support/tutorial.ts";

/** Far above what any step takes; a step that takes this long has hung. */
const stepTimeoutMs = 60_000;

/** The gossip port that the tutorial writes; here another, so that nothing on the machine is in the way. */
const writtenPort = "7946";

const parent = mkdtempSync(join(tmpdir(), "pipit-tutorial-"));
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) if (child.pid !== undefined) killGroup(child.pid);
  rmSync(parent, { recursive: true, force: true });
});

test("the tutorial works as typed: the client goes on, and nothing fails, when a server is killed", async () => {
  const port = await freePort();
  const steps = stepsOf(readFileSync(join(root, "docs/tutorial.md"), "utf8"));
  const commands = steps.flatMap((step) => (step.kind === "command" ? [step.line.replaceAll(writtenPort, port)] : []));
  const [makeFolder = "", ...rest] = commands;
  assert.equal(makeFolder, "mkdir quotes && cd quotes");
  await toEnd(makeFolder, parent);
  const folder = join(parent, "quotes");
  for (const step of steps) if (step.kind === "file") writeFileSync(join(folder, step.name), step.text);

  const [init = "", setType = "", install = "", first = "", short = "", second = "", long = "", kill = ""] = rest;
  assert.equal(rest.length, 8);
  await toEnd(init, folder);
  await toEnd(setType, folder);
  // What an installation would bring is linked: there is nothing of ours to download before the release.
  assert.equal(install, "npm install pipit tsx");
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  const one = begin(first, folder);
  await one.says("one serves on port");
  const alone = await toEnd(short, folder);
  assert.match(alone, /unknown symbol; there are ACME, PIPIT/);
  assert.match(alone, /watched: 1252/);
  assert.match(alone, /answered by one: \d+; failed: 0\n$/);

  const two = begin(second, folder);
  await two.says("two serves on port");
  const client = begin(long, folder);
  await client.says("one: 5");
  await client.says("two: 5");
  await toEnd(kill, folder);
  const soFar = /two: (\d+)(?![\s\S]*two:)/.exec(client.output())?.[1] ?? "0";
  await client.says(`two: ${Number(soFar) + 20}`);
  await client.ended();
  assert.match(client.output(), /; failed: 0\n$/);
  assert.doesNotMatch(client.output(), /failed: [1-9]/);
});

interface Running {
  output(): string;
  /** Until the text has been printed. Rejects when the process ends without it. */
  says(text: string): Promise<void>;
  ended(): Promise<void>;
}

/** Starts a command as a shell would, in a process group of its own. */
function begin(line: string, cwd: string): Running {
  const child = spawn(line, {
    cwd,
    shell: "/bin/bash",
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "--conditions=pipit-source", npm_config_yes: "true" },
  });
  running.push(child);
  const closed = once(child, "close");
  let output = "";
  let onOutput = (): void => {};
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    onOutput();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const met = new Promise<void>((resolve, reject) => {
      onOutput = () => condition() && resolve();
      void closed.then(() =>
        condition() ? resolve() : reject(new Error(`"${line}" ended without ${what}:\n${output}`)),
      );
      timer = setTimeout(() => reject(new Error(`"${line}": no ${what}:\n${output}`)), stepTimeoutMs);
    });
    onOutput();
    await met.finally(() => clearTimeout(timer));
  };
  return {
    output: () => output,
    says: (text) => until(() => output.includes(text), `"${text}"`),
    ended: () => until(() => child.exitCode !== null || child.signalCode !== null, "end"),
  };
}

/** Runs a command to its end, which must be a good one; returns what it printed. */
async function toEnd(line: string, cwd: string): Promise<string> {
  const command = begin(line, cwd);
  await command.ended();
  const child = running.at(-1);
  assert.equal(child?.exitCode, 0, `${line}:\n${command.output()}`);
  return command.output();
}

/** One that was free a moment ago, for UDP and TCP alike. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
