import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

/** Kept between runs. Tools that only one check needs stay out of `npm ci`: other runtimes would even shadow `node`. */
const toolsFolder = join(tmpdir(), "pipit-tools");

/**
 * Installs a package from npm into a folder of its own, once per machine, and returns the package's folder.
 *
 * @throws Error when npm cannot install it
 */
export async function installedTool(name: string, version: string): Promise<string> {
  const folder = join(toolsFolder, `${name}-${version}`);
  if (!existsSync(folder)) {
    // Moved into place whole, so that a run that was cut short leaves nothing half installed.
    const unfinished = `${folder}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    const { ok, output } = await run("npm", ["install", "--prefix", unfinished, "--no-save", `${name}@${version}`]);
    if (!ok) {
      rmSync(unfinished, { recursive: true, force: true });
      throw new Error(`Cannot install ${name}@${version}: ${output}`);
    }
    if (existsSync(folder)) rmSync(unfinished, { recursive: true, force: true });
    else renameSync(unfinished, folder);
  }
  return join(folder, "node_modules", name);
}
