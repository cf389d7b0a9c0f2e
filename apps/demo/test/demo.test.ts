import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

/* The demo as a user runs it: a process, its output, its exit code, and nothing left behind. */

const main = new URL("../src/main.ts", import.meta.url).pathname;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function start(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return { child, output: () => text, ended: once(child, "close").then(([code]) => code as number | null) };
}

function file(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "pipit-demo-")), name);
  writeFileSync(path, text);
  return path;
}

/** Whether anything still listens there. */
async function listens(address: string): Promise<boolean> {
  const [host = "", port = ""] = address.split(":");
  const socket = net.connect({ host, port: Number(port) });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("a killed server loses no measurement, and the summary counts every one", async () => {
  const run = start("--repeat", "8");
  assert.equal(await run.ended, 0, run.output());
  assert.match(run.output(), /inspection 2 is killed; the others take over/);
  assert.match(run.output(), /flow width +1000 +32 +3\.2 %/);
  assert.match(run.output(), /ring diameter +1000 +8 +0\.8 %/);
  assert.match(run.output(), /2000 measurements, 2000 judged, 0 lost/);
  for (const [, address = ""] of run.output().matchAll(/listens on (\S+)/g))
    assert.equal(await listens(address), false);
});

test("bad rows are listed by line number and counted; an unknown characteristic is a clear failure", async () => {
  const csv = file(
    "m.csv",
    "timestamp,station,characteristic,value\n2026-01-01,a,flow width,1.5\nnonsense\n2026-01-01,a,colour,3\n",
  );
  const run = start("--csv", csv);
  assert.equal(await run.ended, 1, run.output());
  assert.match(run.output(), /m\.csv:3: expected 4 fields, got 1/);
  assert.match(run.output(), /1 bad rows left out, 2 measurements read/);
  assert.match(run.output(), /2 measurements, 1 judged, 1 lost/);
  assert.match(run.output(), /No limits for "colour"/);
});

test("a missing file, an empty file, a wrong option and a taken port end with one clear line and code 2", async () => {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as net.AddressInfo;
  const runs: readonly (readonly [args: readonly string[], words: RegExp])[] = [
    [["--csv", "/nowhere/m.csv"], /^Cannot read \/nowhere\/m\.csv: there is no such file\n$/],
    [["--csv", file("empty.csv", "")], /^\S+empty\.csv is empty: expected the header .*\n$/],
    [["--repeat", "many"], /^--repeat: expected a whole number from 1 to 1000000, got "many"\nUsage: npm run demo/],
    [["--port", String(port)], new RegExp(`^Cannot start inspection 1: .*${port}.*\\n$`)],
  ];
  for (const [args, words] of runs) {
    const run = start(...args);
    assert.equal(await run.ended, 2, run.output());
    assert.match(run.output(), words);
  }
  taken.close();
});

test("Ctrl-C ends with a summary, code 130, and no process left behind", async () => {
  const run = start("--repeat", "4000");
  await new Promise<void>((resolve) => {
    run.child.stdout?.on("data", () => {
      if (run.output().includes("of 1000000 measurements")) resolve();
    });
  });
  run.child.kill("SIGINT");
  assert.equal(await run.ended, 130, run.output());
  assert.match(run.output(), /Interrupted after \d+ of 1000000 measurements\n$/);
  for (const [, address = ""] of run.output().matchAll(/listens on (\S+)/g))
    assert.equal(await listens(address), false);
});
