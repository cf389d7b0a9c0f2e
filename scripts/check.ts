// `npm run check [-- --only a,b] [-- --skip a,b]`: everything that CI asks of a change. A failed step does not stop the
// rest: the closing table shows all that is red, and what failed is printed whole.
import { parseArgs } from "node:util";
import { projectsUnder, publicPackages, root } from "./support/repository.ts";
import { type RunResult, run } from "./support/run.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";

interface Step {
  readonly name: string;
  /** What it proves. */
  readonly proves: string;
  readonly run: () => Promise<RunResult>;
}

/** Two cores are what CI has. */
const jobsAtOnce = 2;

const packages = publicPackages();
const steps: readonly Step[] = [
  {
    name: "types",
    proves: "everything compiles, and each package alone with isolated declarations",
    run: () =>
      each(["", ...typedProjects()], (folder) => run("tsc", folder === "" ? ["--noEmit"] : ["-p", folder])).then(once),
  },
  { name: "lint", proves: "rules, imports and cycles", run: () => run("npm", ["run", "--silent", "lint"]) },
  { name: "format", proves: "one layout", run: () => run("npm", ["run", "--silent", "format:check"]) },
  { name: "build", proves: "dist of every package", run: () => run("npm", ["run", "--silent", "build"]) },
  { name: "tests", proves: "every test file, from sources", run: () => run("npm", ["run", "--silent", "test"]) },
  {
    name: "surface",
    proves: "publint and attw on what gets published",
    run: () =>
      each(
        packages.flatMap(({ folder }) => [
          ["publint", "--strict", folder],
          ["attw", "--profile", "esm-only", "--no-emoji", "--format", "ascii", "--pack", folder],
        ]),
        ([command = "", ...args]) => run(command, args),
      ),
  },
  { name: "size", proves: "size budgets of .size-limit.json", run: () => run("size-limit", []) },
  {
    name: "knip",
    proves: "no unused file, export or dependency",
    run: () => run("knip", ["--no-progress", "--no-config-hints"]),
  },
  {
    name: "packed",
    proves: "the tarballs work: imports, types under TypeScript 5.4 and latest, README examples",
    run: () => run("npm", ["run", "--silent", "test:packed"]),
  },
];

process.chdir(root);
const { values } = parseArgs({ options: { only: { type: "string" }, skip: { type: "string" } } });
const only = values.only?.split(",");
const skip = values.skip?.split(",") ?? [];
for (const name of [...(only ?? []), ...skip]) {
  if (!steps.some((step) => step.name === name)) {
    console.error(`No step is called "${name}": there are ${steps.map((step) => step.name).join(", ")}`);
    process.exit(2);
  }
}

const rows: string[] = [];
for (const { name, proves, run: runStep } of steps) {
  if (skip.includes(name) || only?.includes(name) === false) continue;
  const { ok, output, durationMs } = await runStep();
  const row = `${ok ? "ok    " : "not ok"} ${name.padEnd(8)} ${(durationMs / 1000).toFixed(1).padStart(6)} s  ${proves}`;
  console.log(row);
  rows.push(row);
  if (!ok) {
    console.log(`\n${output.trimEnd().replaceAll(/^/gm, "    ")}\n`);
    process.exitCode = 1;
  }
}
if (process.exitCode === 1) console.log(`\n${rows.join("\n")}`);

function typedProjects(): string[] {
  return [...projectsUnder("packages"), ...projectsUnder("apps")].filter((folder) =>
    existsSync(join(root, folder, "tsconfig.json")),
  );
}

/** Each project compiles its siblings from source, so one fault is told many times. */
function once(result: RunResult): RunResult {
  return { ...result, output: [...new Set(result.output.split("\n"))].join("\n") };
}

/** Runs one command for each item, a few at a time, and joins what failed. */
async function each<T>(items: readonly T[], command: (item: T) => Promise<RunResult>): Promise<RunResult> {
  const startMs = performance.now();
  const queue = [...items];
  const results: RunResult[] = [];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) results.push(await command(item));
  };
  await Promise.all(Array.from({ length: jobsAtOnce }, worker));
  const failed = results.filter(({ ok }) => !ok);
  const durationMs = performance.now() - startMs;
  return { ok: failed.length === 0, output: failed.map(({ output }) => output).join("\n"), durationMs };
}
