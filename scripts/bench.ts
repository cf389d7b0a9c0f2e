// `npm run bench -- NAME [OPTIONS]` runs `bench/NAME.ts`. The peers it measures against are installed on first use: they are
// no part of the workspaces. What is measured is what ships, the built packages; `--source` measures the sources as they stand.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./support/repository.ts";

const folder = join(root, "bench");
const [name, ...rest] = process.argv.slice(2);
const file = join(folder, `${name}.ts`);
if (name === undefined || !existsSync(file)) {
  const names = readdirSync(folder).filter((entry) => entry.endsWith(".ts"));
  console.error(`No bench is called "${name ?? ""}": there are ${names.map((entry) => entry.slice(0, -3)).join(", ")}`);
  process.exit(2);
}
const fromSource = rest.includes("--source");
if (!existsSync(join(folder, "node_modules"))) must("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"]);
if (!fromSource) must("npm", ["run", "--silent", "build"]);
const flags = [...(fromSource ? ["--conditions=pipit-source"] : []), "--import", "tsx"];
must(process.execPath, [...flags, file, ...rest.filter((option) => option !== "--source")]);

function must(command: string, args: readonly string[]): void {
  const env = { ...process.env, PIPIT_BENCH_COMMAND: [name, ...rest].join(" ") };
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
