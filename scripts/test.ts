// `npm test [-- PATH… [--name PATTERN]]` runs every test file from sources, or those whose path contains one of PATH.
//
// Node 20's own `--test` runs nothing, and looks green, when it is given a folder or a quoted pattern. So the files are
// listed here, and the run fails when a listed file did not report, or reported no test.
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { inspect, parseArgs } from "node:util";
import { root } from "./support/repository.ts";
import { testFiles } from "./support/test-files.ts";

/** A file that runs longer hangs: the slowest takes a tenth of it. */
const fileTimeoutMs = 180_000;

/** Flags that each test file's process needs; they are handed on from this process. */
const neededFlags = ["--conditions=pipit-source", "--import"];

interface FileReport {
  tests: number;
  failures: number;
  durationMs: number;
}

process.chdir(root);
const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: "string" } } });
for (const flag of neededFlags) {
  if (!process.execArgv.includes(flag)) throw new Error(`Run this by "npm test": node was started without ${flag}`);
}

const files = testFiles(positionals);
if (files.length === 0) {
  console.error(`No test file has ${positionals.map((part) => `"${part}"`).join(" or ")} in its path`);
  process.exit(1);
}

const reports = new Map<string, FileReport>(files.map((path) => [path, { tests: 0, failures: 0, durationMs: 0 }]));
const closing = await runFiles();

// With a pattern, files without a matching test are expected; but one test at least must have run.
const silent = files.filter((path) => reports.get(path)?.tests === 0);
const missed = values.name === undefined || silent.length === files.length ? silent : [];
for (const path of missed) console.log(`No test ran in ${path}`);
if (missed.length > 0) process.exitCode = 1;
console.log(`# files ${files.length - silent.length} of ${files.length}`);
for (const line of closing) console.log(`# ${line}`);

/** Prints each failure and, as files end, a line for each; returns node:test's closing counts. */
async function runFiles(): Promise<string[]> {
  const counts: string[] = [];
  let current: string | undefined;
  const stream = run({
    files: files.map((path) => resolve(path)),
    concurrency: availableParallelism(),
    timeout: fileTimeoutMs,
    ...(values.name === undefined ? {} : { testNamePatterns: [values.name] }),
  });
  for await (const { type, data } of stream) {
    switch (type) {
      case "test:pass":
      case "test:fail": {
        const path = pathOf(data.file ?? data.name);
        const report = reports.get(path);
        if (report === undefined) break;
        // Events come file by file, however many files run at once.
        if (path !== current) printReport(current);
        current = path;
        // A file that has no test, or that died, is reported as a test that bears the file's name.
        const isFile = data.nesting === 0 && pathOf(data.name) === path;
        const isSuite = data.details.type === "suite";
        if (!isFile && !isSuite && data.skip === undefined) report.tests += 1;
        if (data.nesting === 0) report.durationMs += data.details.duration_ms;
        if (type === "test:fail" && data.todo === undefined) {
          process.exitCode = 1;
          report.failures += 1;
          if (!isSuite) {
            console.log(`\nfailed: ${isFile ? path : `${data.name} (${path})`}\n${explain(data.details.error)}\n`);
          }
        }
        break;
      }
      case "test:stdout":
      case "test:stderr":
        process.stderr.write(data.message);
        break;
      case "test:diagnostic":
        if (data.nesting === 0) counts.push(data.message);
        break;
    }
  }
  printReport(current);
  return counts;
}

function printReport(path: string | undefined): void {
  const report = path === undefined ? undefined : reports.get(path);
  if (report === undefined) return;
  const verdict = report.failures > 0 ? "not ok" : "ok    ";
  console.log(`${verdict} ${path}: ${report.tests} tests, ${Math.round(report.durationMs)} ms`);
}

function pathOf(file: string): string {
  return relative(root, resolve(file)).replaceAll("\\", "/");
}

/** node:test wraps what the test threw; a failed subtest has been printed already. */
function explain(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return inspect(cause, { depth: 6 }).replaceAll(/^/gm, "  ");
}
