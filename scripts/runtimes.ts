// `npm run test:runtimes [-- --only node24,bun] [-- --quick]` passes the test files on the other runtimes, from sources:
// every package on each Node, and on Bun and Deno those that are said to run there. `--quick`, for CI, gives every package to
// the newest Node only, and leaves out the long simulations, which compute the same everywhere. The runtimes are npm packages, installed once per machine in a temporary folder.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./support/repository.ts";
import { type RunResult, run } from "./support/run.ts";
import { testFiles } from "./support/test-files.ts";
import { installedTool } from "./support/tools.ts";

interface Runtime {
  readonly name: string;
  /** The npm package that carries the binary of the same name. */
  readonly tool: "node" | "bun" | "deno";
  readonly version: string;
  /** Which test files, by the start of their paths. */
  readonly paths: readonly string[];
  readonly quickPaths: readonly string[];
}

/** These promise to run anywhere. */
const purePackages = ["packages/codec/", "packages/balancer/"];

/** What holds for every call, over memory, the simulated network and TCP. */
const laws = "packages/pipit/test/laws/";

/** Cores without sockets, and the laws; what Bun and Deno are tested with. */
const portable = [...purePackages, "packages/simulation/", "packages/protocol/", "packages/registry/src/memory", laws];

/** What CI gives all but the newest Node. */
const quickPaths = [...purePackages, laws, "packages/registry/test/gossip/trace"];

/** Minutes of arithmetic, by the start of their paths, which CI does on the oldest Node only: a trace's hash is the same on all. */
const longSimulations = [
  "packages/balancer/test/model/",
  "packages/registry/test/gossip/goals-",
  "packages/registry/test/registry-model",
];

const runtimes: readonly Runtime[] = [
  { name: "node22", tool: "node", version: "22", paths: ["packages/"], quickPaths },
  { name: "node24", tool: "node", version: "24", paths: ["packages/"], quickPaths },
  { name: "node26", tool: "node", version: "26", paths: ["packages/"], quickPaths: ["packages/"] },
  { name: "bun", tool: "bun", version: "1", paths: portable, quickPaths },
  { name: "deno", tool: "deno", version: "2", paths: portable, quickPaths },
];

/** A run on a slow machine takes a third of it. One that hangs must leave CI time for the rest. */
const [runtimeTimeoutMs, quickTimeoutMs] = [600_000, 300_000];

/** Bun gives a test five seconds unless told; a busy machine is no reason to fail. */
const testTimeoutMs = 120_000;

process.chdir(root);
const { values } = parseArgs({ options: { only: { type: "string" }, quick: { type: "boolean", default: false } } });
const only = values.only?.split(",");
const unknown = only?.find((name) => !runtimes.some((runtime) => runtime.name === name));
if (unknown !== undefined) {
  console.error(`No runtime is called "${unknown}": there are ${runtimes.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

for (const runtime of runtimes) {
  if (only?.includes(runtime.name) === false) continue;
  const files = values.quick ? quickFiles(runtime) : testFiles(runtime.paths);
  const binary = join(await installedTool(runtime.tool, runtime.version), "../.bin", runtime.tool);
  const { ok, output, durationMs } = await testsOn(runtime, binary, files);
  const tests = countTests(runtime.tool, output);
  const fine = ok && tests >= files.length && files.length > 0;
  if (!fine) {
    console.log(`\n${output.trimEnd().replaceAll(/^/gm, "    ")}\n`);
    process.exitCode = 1;
  }
  const seconds = (durationMs / 1000).toFixed(1);
  console.log(`${fine ? "ok    " : "not ok"} ${runtime.name}: ${tests} tests in ${files.length} files, ${seconds} s`);
}

function quickFiles(runtime: Runtime): readonly string[] {
  return testFiles(runtime.quickPaths).filter((path) => !longSimulations.some((start) => path.startsWith(start)));
}

/** All three understand node:test; each must be told of the source condition in its own way. */
function testsOn({ tool }: Runtime, binary: string, files: readonly string[]): Promise<RunResult> {
  const options = { timeoutMs: values.quick ? quickTimeoutMs : runtimeTimeoutMs, env: { NO_COLOR: "1" } };
  const paths = files.map((path) => `./${path}`);
  const condition = "--conditions=pipit-source";
  switch (tool) {
    case "node":
      return run(binary, [condition, "--import", "tsx", "scripts/test.ts", ...files], options);
    case "bun":
      return run(binary, ["test", "--timeout", String(testTimeoutMs), condition, ...paths], options);
    case "deno":
      return run(binary, ["test", "--allow-all", "--no-check", "--no-lock", condition, ...paths], options);
  }
}

/** As the runtime counted them; fewer than one per file means that files were passed over. */
function countTests(tool: Runtime["tool"], output: string): number {
  const pattern = { node: /^# tests (\d+)$/m, bun: /^Ran (\d+) tests? across/m, deno: /^\w+ \| (\d+) passed/m }[tool];
  return Number(pattern.exec(output)?.[1] ?? 0);
}
