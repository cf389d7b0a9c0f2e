// Lint rules are easily switched off by accident: a glob that matches nothing, an override that replaces another. So each
// law that lint is said to prove is broken here once, on purpose.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { filesUnder, root } from "./support/repository.ts";

interface Fixture {
  readonly law: string;
  /** Where the code stands, which decides what it may do. */
  readonly path: string;
  readonly code: string;
  /** The rule that must bite; absent for code that must pass. */
  readonly rule?: string;
}

const imports = "eslint(no-restricted-imports)";
const globals = "eslint(no-restricted-globals)";
const properties = "eslint(no-restricted-properties)";
const builtins = "import(no-nodejs-modules)";

const fixtures: readonly Fixture[] = [
  bad("codec imports no sibling", "packages/codec/src", use("@pipit/protocol"), imports),
  bad("codec knows no Node", "packages/codec/src", use("node:buffer"), builtins),
  bad("balancer imports no sibling", "packages/balancer/src", use("@pipit/codec"), imports),
  bad(
    "balancer knows no Node, not even in its defaults",
    "packages/balancer/src",
    use("node:os"),
    builtins,
    "defaults.ts",
  ),
  bad("protocol imports no transport", "packages/protocol/src", use("@pipit/transport-tcp"), imports),
  bad("transport-tcp imports no client", "packages/transport-tcp/src", use("@pipit/client"), imports),
  bad("registry imports no protocol", "packages/registry/src", use("@pipit/protocol"), imports),
  bad("simulation imports no registry", "packages/simulation/src", use("@pipit/registry"), imports),
  bad("client never imports server", "packages/client/src", use("@pipit/server"), imports),
  bad("client never imports server, not even a type", "packages/client/src", useType("@pipit/server"), imports),
  bad("client takes nothing but types from registry", "packages/client/src", use("@pipit/registry"), imports),
  bad("server never imports client", "packages/server/src", use("@pipit/client"), imports),
  bad("server takes nothing but types from registry", "packages/server/src", use("@pipit/registry"), imports),
  bad("no package imports the umbrella", "packages/server/src", use("pipit"), imports),
  bad(
    "nobody imports another package's sources by name",
    "packages/client/src",
    use("@pipit/codec/src/index.ts"),
    imports,
  ),
  bad("nobody imports another package's sources by path", "packages/client/src", use("../../codec/src/x.ts"), imports),
  bad(
    "not even a test imports another package's sources",
    "packages/client/src",
    use("../../codec/src/x.ts"),
    imports,
    "a.test.ts",
  ),
  bad("not even an app imports a package's sources", "apps/demo/src", use("../../../packages/codec/src/x.ts"), imports),
  good("client imports what it may", "packages/client/src", use("@pipit/transport-tcp")),
  good("client imports types from registry", "packages/client/src", useType("@pipit/registry")),
  good("a test may wire both ends together", "packages/client/src", use("@pipit/server"), "a.test.ts"),

  bad("no ambient Date", "packages/protocol/src", "export const x = new Date();", globals),
  bad("no ambient Date.now", "packages/codec/src", "export const x = Date.now();", properties),
  bad("no ambient performance.now", "packages/codec/src", "export const x = performance.now();", globals),
  bad("no ambient Math.random", "packages/balancer/src", "export const x = Math.random();", properties),
  bad("no ambient setTimeout", "packages/registry/src", "setTimeout(() => {}, 1);", globals),
  bad(
    "no ambient setTimeout through globalThis",
    "packages/registry/src",
    "globalThis.setTimeout(() => {}, 1);",
    globals,
  ),
  bad("no ambient setInterval", "packages/client/src", "setInterval(() => {}, 1);", globals),
  bad("no ambient setImmediate", "packages/server/src", "setImmediate(() => {});", globals),
  bad("no ambient queueMicrotask", "packages/simulation/src", "queueMicrotask(() => {});", globals),
  bad("no ambient process.nextTick", "packages/transport-tcp/src", "process.nextTick(() => {});", properties),
  bad("no ambient AbortSignal.timeout", "packages/client/src", "export const x = AbortSignal.timeout(1);", properties),
  bad("no ambient crypto", "packages/protocol/src", "export const x = crypto.randomUUID();", globals),
  bad(
    "no randomness from node:crypto",
    "packages/registry/src",
    'export { randomBytes } from "node:crypto";\nimport { randomBytes } from "node:crypto";\nrandomBytes(1);',
    imports,
  ),
  bad("no timers by import", "packages/client/src", use("node:timers/promises"), builtins),
  bad("no clock by import", "packages/client/src", use("node:perf_hooks"), builtins),
  bad("no asynchronous zlib", "packages/protocol/src", use("node:zlib"), builtins),
  good(
    "the system's clock may use the system",
    "packages/protocol/src",
    "setTimeout(() => {}, Date.now());",
    "system-clock.ts",
  ),
  good(
    "the system's randomness may use the system",
    "packages/protocol/src",
    'import { randomBytes } from "node:crypto";\nrandomBytes(1);',
    "system-random.ts",
  ),
  good("defaults may use the system", "packages/balancer/src", "export const x = Math.random();", "defaults.ts"),
  good("a test may use the system", "packages/registry/src", "export const x = Date.now();", "a.test.ts"),

  bad(
    "no promise floats",
    "packages/client/src",
    "async function f(): Promise<void> {}\nf();",
    "typescript(no-floating-promises)",
  ),
  bad(
    "no promise floats in a test",
    "packages/client/src",
    "async function f(): Promise<void> {}\nf();",
    "typescript(no-floating-promises)",
    "a.test.ts",
  ),
  bad(
    "no promise floats in an app",
    "apps/demo/src",
    "async function f(): Promise<void> {}\nf();",
    "typescript(no-floating-promises)",
  ),
  good(
    "node:test's own promises may",
    "packages/client/src",
    'import { test } from "node:test";\ntest("a", () => {});',
    "a.test.ts",
  ),
  bad("no any", "packages/client/src", "export const x = (y: any): unknown => y;", "typescript(no-explicit-any)"),
  bad(
    "no generated code",
    "packages/protocol/src",
    'export const x: unknown = new Function("return 1");',
    "eslint(no-new-func)",
  ),
  bad("no default export", "packages/protocol/src", "export default 1;", "import(no-default-export)"),
  bad(
    "every case is handled",
    "packages/protocol/src",
    'export function f(x: "a" | "b"): number {\n  switch (x) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}',
    "typescript(switch-exhaustiveness-check)",
  ),
  bad("nothing prints", "packages/server/src", "console.log(1);", "eslint(no-console)"),
  bad(
    "no import cycle",
    "packages/protocol/src",
    'import { two } from "./cycle-two.ts";\nexport const one = (): number => two();',
    "import(no-cycle)",
    "cycle-one.ts",
  ),
  bad(
    "no import cycle, seen from its other end",
    "packages/protocol/src",
    'import { one } from "./cycle-one.ts";\nexport const two = (): number => one();',
    "import(no-cycle)",
    "cycle-two.ts",
  ),
];

const folder = mkdtempSync(join(tmpdir(), "pipit-lint-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const rulesMet = lint();

for (const { law, path, rule } of fixtures) {
  test(rule === undefined ? `allowed: ${law}` : `lint proves: ${law}`, () => {
    const met = rulesMet.get(path) ?? [];
    if (rule === undefined) assert.deepEqual(met, []);
    else assert.ok(met.includes(rule), `wanted ${rule}, got ${met.length === 0 ? "nothing" : met.join(", ")}`);
  });
}

// Lint cannot tell `new Date()` from `new Date(ms)`, and the codec needs the second.
test("codec never asks what time it is", () => {
  const asking = filesUnder("packages/codec/src")
    .filter((path) => !path.endsWith(".test.ts"))
    .filter((path) => /\bnew Date(\(\s*\)|[^\w(])/.test(readFileSync(join(root, path), "utf8")));
  assert.deepEqual(asking, []);
});

function bad(law: string, where: string, code: string, rule: string, name?: string): Fixture {
  return { ...good(law, where, code, name), rule };
}

/** Each fixture has a folder of its own below `where`, save those that import each other. */
function good(law: string, where: string, code: string, name = "a.ts"): Fixture {
  const own = name.startsWith("cycle-") ? "" : `/${law.replaceAll(/\W+/g, "-").toLowerCase()}`;
  return { law, path: `${where}${own}/${name}`, code: `${code}\n` };
}

function use(specifier: string): string {
  return `import { x } from "${specifier}";\nexport const y: unknown = x;`;
}

function useType(specifier: string): string {
  return `import type { X } from "${specifier}";\nexport type Y = X;`;
}

/** Writes all fixtures into a tree of the repository's shape and lints it once; gives the rules that bit, by path. */
function lint(): Map<string, string[]> {
  for (const name of [".oxlintrc.json", "tsconfig.base.json", "tsconfig.json"])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { path, code } of fixtures) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
  const oxlint = join(root, "node_modules/.bin/oxlint");
  const { stdout, stderr } = spawnSync(oxlint, ["--type-aware", "--format=json"], { cwd: folder, encoding: "utf8" });
  if (!stdout.startsWith("{")) throw new Error(`oxlint gave no report: ${stdout}${stderr}`);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] };
  const met = new Map<string, string[]>();
  for (const { filename, code } of diagnostics) met.set(filename, [...(met.get(filename) ?? []), code]);
  return met;
}
