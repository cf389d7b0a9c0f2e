// `npm run lockfile`, after `npm install` changed `package-lock.json`: adds the binaries for other systems that the
// registry in use does not carry. Without them `npm ci` refuses the lockfile. They get no integrity hash: only a
// registry that has them knows it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lockfile, missingOptionals } from "./support/lockfile.ts";
import { root } from "./support/repository.ts";

for (const path of ["package-lock.json", "bench/package-lock.json"]) {
  const lockfile = JSON.parse(readFileSync(join(root, path), "utf8")) as Lockfile;
  const missing = missingOptionals(lockfile);
  const packages = Object.entries({ ...lockfile.packages, ...missing });
  lockfile.packages = Object.fromEntries(packages.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(root, path), `${JSON.stringify(lockfile, undefined, 2)}\n`);
  console.log(`${path}: ${Object.keys(missing).length} added`);
}
