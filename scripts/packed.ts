// `npm run test:packed`: what ships is what is tested. Packs every package, installs the tarballs in empty folders, and
// there imports each entry point, requires it where Node can, type-checks a consumer with the oldest and the newest
// TypeScript we support, and runs the README examples.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { documentsWithExamples, examplesIn, writeExample } from "./support/readme-examples.ts";
import { type PublicPackage, publicPackages, root } from "./support/repository.ts";
import { type RunResult, run } from "./support/run.ts";
import { installedTool } from "./support/tools.ts";

/** The oldest TypeScript whose users we support. */
const oldestTypeScript = "5.4.5";

/** An example takes a second; one that takes this long does not end. */
const exampleTimeoutMs = 60_000;

/** Used by examples, never by a package. */
const librariesOfExamples = ["zod", "valibot"];

/** What a strict user writes, and no more: nothing that hides a fault in our declarations. */
const consumerOptions = {
  target: "es2022",
  lib: ["es2022", "esnext.disposable"],
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
};

/** Packages with nothing of Node in them. */
const runsAnywhere: ReadonlySet<string> = new Set(["@pipit/codec", "@pipit/balancer"]);

const packages = publicPackages();
const folder = mkdtempSync(join(tmpdir(), "pipit-packed-"));
let failures = 0;
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;

async function main(): Promise<void> {
  if (!(await report("build", run("npm", ["run", "--silent", "build"])))) return;
  const tarballs = await pack();
  if (tarballs === undefined) return;

  // Those that need nothing of ours are what people install alone.
  for (const lone of packages.filter(({ dependencies }) => dependencies.length === 0)) {
    // What runs anywhere must compile without Node's types, too.
    const types = runsAnywhere.has(lone.name) ? [] : ["node"];
    await checkInstalled(lone.folder.replace("packages/", "alone-"), [lone], tarballs, types);
  }
  const consumer = await checkInstalled("all", packages, tarballs, ["node"]);
  for (const library of librariesOfExamples) {
    symlinkSync(join(root, "node_modules", library), join(consumer, "node_modules", library));
  }
  const tsx = import.meta.resolve("tsx");
  const examples = documentsWithExamples().flatMap(examplesIn);
  for (const example of examples) {
    const file = writeExample(join(consumer, "examples"), example);
    const done = run("node", ["--import", tsx, file], { cwd: consumer, timeoutMs: exampleTimeoutMs });
    await report(`example ${example.title}`, done);
  }
  if (examples.length > 0) await checkTypes("examples", consumer);
}

/** Installs some tarballs and nothing else in an empty folder, and uses every entry point; returns the folder. */
async function checkInstalled(
  name: string,
  wanted: readonly PublicPackage[],
  tarballs: ReadonlyMap<string, string>,
  types: readonly string[],
): Promise<string> {
  const consumer = join(folder, name);
  const entries = wanted.flatMap((one) => one.entries);
  const dependencies = Object.fromEntries(wanted.map((one) => [one.name, `file:${tarballs.get(one.name)}`]));
  mkdirSync(consumer);
  write(join(consumer, "package.json"), { name: "consumer", private: true, type: "module", dependencies });
  write(join(consumer, "tsconfig.json"), { compilerOptions: { ...consumerOptions, types }, exclude: ["node_modules"] });
  const uses = entries.map((entry, i) => `import * as e${i} from "${entry}";\nexport const use${i}: object = e${i};`);
  writeFileSync(join(consumer, "consumer.ts"), `${uses.join("\n")}\n`);

  const install = ["install", "--offline", "--ignore-scripts", "--no-package-lock"];
  await report(`${name}: install`, run("npm", install, { cwd: consumer }));
  for (const entry of entries) {
    const imported = ["--input-type=module", "--eval", loads(`await import("${entry}")`)];
    await report(`${name}: import ${entry}`, run("node", imported, { cwd: consumer }));
    if (process.features.require_module) {
      const required = ["--input-type=commonjs", "--eval", loads(`require("${entry}")`)];
      await report(`${name}: require ${entry}`, run("node", required, { cwd: consumer }));
    }
  }
  if (types.includes("node")) {
    mkdirSync(join(consumer, "node_modules/@types"));
    for (const typed of ["@types/node", "undici-types"]) {
      symlinkSync(join(root, "node_modules", typed), join(consumer, "node_modules", typed));
    }
  }
  await checkTypes(name, consumer);
  return consumer;
}

function loads(expression: string): string {
  return `if (Object.keys(${expression}).length === 0) throw new Error("exports nothing");`;
}

async function checkTypes(name: string, consumer: string): Promise<void> {
  const oldest = await installedTool("typescript", oldestTypeScript);
  await report(
    `${name}: types, TypeScript ${oldestTypeScript}`,
    run("node", [join(oldest, "bin/tsc"), "-p", consumer], { cwd: consumer }),
  );
  await report(`${name}: types, TypeScript ${latestTypeScript()}`, run("tsc", ["-p", consumer], { cwd: consumer }));
}

function latestTypeScript(): string {
  const manifest = readFileSync(join(root, "node_modules/typescript/package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Package name → tarball; undefined when packing failed. */
async function pack(): Promise<Map<string, string> | undefined> {
  const folders = packages.map((one) => `./${one.folder}`);
  const done = run("npm", ["pack", "--silent", "--pack-destination", folder, ...folders]);
  if (!(await report("pack", done))) return undefined;
  return new Map(
    packages.map(({ name, version }) => [
      name,
      join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`),
    ]),
  );
}

async function report(name: string, done: Promise<RunResult>): Promise<boolean> {
  const { ok, output, durationMs } = await done;
  console.log(`${ok ? "ok    " : "not ok"} ${name}, ${Math.round(durationMs)} ms`);
  if (!ok) {
    failures += 1;
    console.log(`\n${output.trimEnd().replaceAll(/^/gm, "    ")}\n`);
  }
  return ok;
}

function write(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
