// `npm test [-- PATH… [--name PATTERN] [--repeat N]]` runs every test file from sources, or those whose path contains one of
// PATH; N times, to show that they are steady.
//
// Node 20's own `--test` runs nothing, and looks green, when it is given a folder or a quoted pattern. So the files are
// listed here, and the run fails when a listed file reported no test.
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { inspect, parseArgs } from "node:util";
import { root } from "./support/repository.ts";
import { testFiles } from "./support/test-files.ts";

/** A file that runs longer hangs. Generous: a busy machine is no reason to fail. */
const fileTimeoutMs = 300_000;

/** Flags that each test file's process needs; they are handed on from this process. */
const neededFlags = ["--conditions=pipit-source", "--import"];

interface FileReport {
  readonly path: string;
  /** Tests that ran, suites and skipped ones left out. */
  tests: number;
  failed: boolean;
  durationMs: number;
  /** node:test's closing counts: `tests`, `pass`, `fail`, … */
  readonly counts: Map<string, number>;
}

process.chdir(root);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: "string" }, repeat: { type: "string", default: "1" } },
});
for (const flag of neededFlags) {
  if (!process.execArgv.includes(flag)) throw new Error(`Run this by "npm test": node was started without ${flag}`);
}
const files = testFiles(positionals);
if (files.length === 0) {
  console.error(`No test file has ${positionals.map((part) => `"${part}"`).join(" or ")} in its path`);
  process.exit(1);
}

const startMs = performance.now();
const reports = await runFiles();
const silent = files.filter((path) => !reports.some((report) => report.path === path && report.tests > 0));
// With a pattern, files without a matching test are expected; but one test at least must have run.
if (values.name === undefined || silent.length === files.length) {
  for (const path of silent) console.log(`not ok ${path}: no test ran`);
  if (silent.length > 0) process.exitCode = 1;
}
console.log(`# files ${files.length - silent.length} of ${files.length}`);
for (const [what, count] of sumOfCounts()) console.log(`# ${what} ${count}`);
console.log(`# duration_ms ${Math.round(performance.now() - startMs)}`);

/** A few files at a time, each in a process of its own. */
async function runFiles(): Promise<FileReport[]> {
  const done: FileReport[] = [];
  const queue = Array.from({ length: Number(values.repeat) }, () => files).flat();
  const worker = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) done.push(await runFile(path));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return done;
}

/** Prints each failure as it comes and one line at the end. */
async function runFile(path: string): Promise<FileReport> {
  const report: FileReport = { path, tests: 0, failed: false, durationMs: 0, counts: new Map() };
  const stream = run({
    files: [resolve(path)],
    timeout: fileTimeoutMs,
    ...(values.name === undefined ? {} : { testNamePatterns: [values.name] }),
  });
  for await (const { type, data } of stream) {
    switch (type) {
      case "test:pass":
      case "test:fail": {
        // A file that has no test, or that died, is reported as a test that bears the file's name.
        const isFile = data.nesting === 0 && relative(path, data.name) === "";
        const isSuite = data.details.type === "suite";
        if (!isFile && !isSuite && data.skip === undefined) report.tests += 1;
        if (data.nesting === 0) report.durationMs += data.details.duration_ms;
        if (type === "test:pass" || data.todo !== undefined) break;
        report.failed = true;
        if (!isSuite) {
          console.log(`\nfailed: ${isFile ? path : `${data.name} (${path})`}\n${explain(data.details.error)}\n`);
        }
        break;
      }
      case "test:stdout":
      case "test:stderr":
        process.stderr.write(data.message);
        break;
      case "test:diagnostic": {
        const [, what, count] = /^([a-z]+) (\d+)$/.exec(data.message) ?? [];
        if (data.nesting === 0 && what !== undefined) report.counts.set(what, Number(count));
        break;
      }
    }
  }
  if (report.failed) process.exitCode = 1;
  const verdict = report.failed ? "not ok" : "ok    ";
  console.log(`${verdict} ${path}: ${report.tests} tests, ${Math.round(report.durationMs)} ms`);
  return report;
}

function sumOfCounts(): Map<string, number> {
  const total = new Map<string, number>();
  for (const { counts } of reports) {
    for (const [what, count] of counts) total.set(what, (total.get(what) ?? 0) + count);
  }
  return total;
}

/** node:test wraps what the test threw. */
function explain(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return inspect(cause, { depth: 6 }).replaceAll(/^/gm, "  ");
}
