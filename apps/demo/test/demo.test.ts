import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/* The demo as a user runs it: a command, its output, its exit code, and nothing left behind. */

const main = new URL("../src/main.ts", import.meta.url).pathname;

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Resolves once the output has it; rejects when the run ends without. */
  readonly said: (words: RegExp) => Promise<void>;
}

function start(...args: readonly string[]): Run {
  return startWith({}, ...args);
}

function startWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Run {
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let text = "";
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (const each of heard) each();
    });
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  const said = (words: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (words.test(text)) resolve();
      };
      heard.add(look);
      look();
      void ended.then(() => reject(new Error(`It never said ${String(words)}:\n${text}`)));
    });
  return { child, output: () => text, ended, said };
}

function file(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "pipit-demo-test-")), name);
  writeFileSync(path, text);
  return path;
}

function pidsIn(output: string): number[] {
  return [...output.matchAll(/serves, pid (\d+)/g)].map(([, pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Rejects when one of them is still there after a time that is long for any machine. */
async function assertGone(pids: readonly number[]): Promise<void> {
  for (let i = 0; i < 300 && pids.some(isAlive); i++) await sleep(100);
  assert.deepEqual(pids.filter(isAlive), []);
}

test("headless: one instance is killed, one frozen, one slowed down, and no call, measurement or ticket is lost", async () => {
  const run = start("--headless", "--seconds", "10");
  assert.equal(await run.ended, 0, run.output());
  for (const words of [
    /charts-\d: kill -9/,
    /inspection-1: freeze/,
    /inspection-2: slow, 400 ms/,
    /10 of 10 seconds/,
    /instance +served +failed +p50 +p99 +made +failed +p50 +p99/,
    /kill -9 +charts-\d +\d+ ms +\d+ ms/,
    /freeze +inspection-1 +(\d+ ms|never) +\d+ ms/,
    /[1-9]\d* calls made, 0 safe or once calls failed/,
    /[1-9]\d* measurements recorded, 0 lost, 0 doubled/,
    /(\d+) alarms, \1 tickets/,
  ]) {
    assert.match(run.output(), words);
  }
  await assertGone(pidsIn(run.output()));
});

test("a file: every row is recorded or named by its line, and the report has plots and violations", async () => {
  const sample = readFileSync(new URL("../data/measurements.csv", import.meta.url), "utf8");
  const out = mkdtempSync(join(tmpdir(), "pipit-demo-test-"));
  const extra = "nonsense\n2026-03-09T06:00:00Z,paint-1,colour,3\n2026-03-09T06:00:00Z,bake-1,flow width,x\n";
  const run = start("--csv", file("m.csv", sample.trimEnd() + "\n" + extra), "--out", out);
  assert.equal(await run.ended, 0, run.output());
  for (const words of [
    /m\.csv:252: expected 4 fields, got 1/,
    /m\.csv:254: value "x" is no number/,
    /2 bad rows left out, 251 measurements read/,
    /"colour" has no row in the plan: charted as single values, not judged/,
    /251 of 251 measurements/,
    /flow width +125 +4 +25 +0/,
    /ring diameter +125 +1 +25 +0/,
    /colour +1 +0 +1 +0/,
    /251 measurements, 5 violations, 2 bad rows/,
  ]) {
    assert.match(run.output(), words);
  }
  const html = readFileSync(join(out, "report.html"), "utf8");
  assert.equal(html.match(/<svg/g)?.length, 9);
  assert.match(html, /UCL 1\.693/);
  assert.match(html, /expected 4 fields, got 1/);
  const csv = readFileSync(join(out, "violations.csv"), "utf8");
  assert.match(csv, /^64,2026-03-02T12:00:20.000Z,bake-1,flow width,1.8366,specification,above the upper limit 1.8$/m);
  assert.equal(csv.trim().split("\n").length, 6);
});

test("a missing file, an empty file, a wrong plan and a wrong option end with one clear line and code 2", async () => {
  const csv = file("m.csv", "timestamp,station,characteristic,value\n2026-01-01,a,width,1\n");
  const runs: readonly (readonly [args: readonly string[], words: RegExp])[] = [
    [["--csv", "/nowhere/m.csv"], /^Cannot read \/nowhere\/m\.csv: there is no such file\n$/],
    [["--csv", file("empty.csv", "")], /^\S+empty\.csv is empty: expected the header .*\n$/],
    [["--csv", csv, "--plan", file("plan.json", '{"width":{}}')], /^\S+plan\.json: row "width": expected unit.*\n$/],
    [
      ["--headless", "--seconds", "1"],
      /^--seconds: expected a whole number from 5 to 86400, got "1"\nUsage: npm run demo/,
    ],
    [["--faster"], /^Unknown option '--faster'.*\nUsage: npm run demo/],
  ];
  for (const [args, words] of runs) {
    const run = start(...args);
    assert.equal(await run.ended, 2, run.output());
    assert.match(run.output(), words);
  }
});

test("Ctrl-C leaves no process behind", async () => {
  const run = start("--headless", "--seconds", "600");
  await run.said(/operators-1 serves/);
  run.child.kill("SIGINT");
  assert.equal(await run.ended, 130, run.output());
  const pids = pidsIn(run.output());
  assert.equal(pids.length, 11);
  assert.deepEqual(pids.filter(isAlive), []);
});

test("one address is printed, its page is served, and Ctrl-C ends the page with the rest", async () => {
  const run = start();
  await run.said(/Open http\S+/);
  const [url = ""] = /http\S+/.exec(run.output()) ?? [];
  assert.equal((await fetch(url)).status, 200);
  run.child.kill("SIGINT");
  assert.equal(await run.ended, 0, run.output());
  await assert.rejects(fetch(url));
});

test("when the command itself is killed, no process is left behind, not even a frozen one, and no file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pipit-demo-test-"));
  const run = startWith({ TMPDIR: folder }, "--headless", "--seconds", "600");
  await run.said(/operators-1 serves/);
  const pids = pidsIn(run.output());
  process.kill(pids[0] as number, "SIGSTOP");
  run.child.kill("SIGKILL");
  await assertGone(pids);
  const databases = (): string[] => readdirSync(folder).filter((name) => name.startsWith("pipit-demo-"));
  for (let i = 0; i < 100 && databases().length > 0; i++) await sleep(100);
  assert.deepEqual(databases(), []);
});
