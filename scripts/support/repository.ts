import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds `package-lock.json`; every script works from here. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Files under `folder` (relative to the root, recursive) as paths relative to the root with `/`, sorted. Absent folder: none. */
export function filesUnder(folder: string): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"))
    .filter((path) => !path.includes("node_modules/"))
    .sort();
}

/** The folders right below `folder` that have a `package.json`: `packages/codec`, … */
export function projectsUnder(folder: string): string[] {
  return readdirSync(join(root, folder))
    .sort()
    .map((name) => `${folder}/${name}`)
    .filter((path) => existsSync(join(root, path, "package.json")));
}

/** A package that gets published. */
export interface PublicPackage {
  /** As people install it: `@pipit/codec`. */
  readonly name: string;
  /** Relative to the root: `packages/codec`. */
  readonly folder: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  /** Import specifiers of its entry points: `pipit`, `pipit/testing`. */
  readonly entries: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** Every package under `packages/`, in order of folder name. */
export function publicPackages(): PublicPackage[] {
  return projectsUnder("packages").flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
    if (manifest.private === true) return [];
    const { name, version } = manifest;
    const entries = Object.keys(manifest.exports ?? {})
      .filter((path) => !path.endsWith(".json"))
      .map((path) => name + path.slice(1));
    return [{ name, folder, version, dependencies: Object.keys(manifest.dependencies ?? {}), entries }];
  });
}
