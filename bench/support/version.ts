import { readFileSync } from "node:fs";

/** The installed version of a peer, for the table. */
export function versionOf(name: string): string {
  const url = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { version: string }).version;
}
