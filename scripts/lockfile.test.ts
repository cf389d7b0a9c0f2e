import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Lockfile, missingOptionals } from "./support/lockfile.ts";
import { root } from "./support/repository.ts";

for (const path of ["package-lock.json", "bench/package-lock.json"]) {
  test(`${path} locks the binaries for every system, or else npm ci refuses it (npm run lockfile)`, () => {
    const lockfile = JSON.parse(readFileSync(join(root, path), "utf8")) as Lockfile;
    assert.deepEqual(Object.keys(missingOptionals(lockfile)), []);
  });
}

test("a binary's platform is read from its name", () => {
  const cases: [name: string, platform: object][] = [
    ["@turbo/windows-64", { os: ["win32"], cpu: ["x64"] }],
    ["@biomejs/cli-darwin-arm64", { os: ["darwin"], cpu: ["arm64"] }],
    ["@oxlint/binding-linux-x64-musl", { os: ["linux"], cpu: ["x64"], libc: ["musl"] }],
    ["@oxlint/binding-linux-arm-gnueabihf", { os: ["linux"], cpu: ["arm"], libc: ["glibc"] }],
    ["@oxlint/binding-win32-ia32-msvc", { os: ["win32"], cpu: ["ia32"] }],
    ["@oxc-parser/binding-android-arm-eabi", { os: ["android"], cpu: ["arm"] }],
  ];
  for (const [name, platform] of cases) {
    const lockfile = { packages: { "node_modules/a": { dev: true, optionalDependencies: { [name]: "1.0.0" } } } };
    const wanted = { version: "1.0.0", dev: true, optional: true, ...platform };
    assert.deepEqual(missingOptionals(lockfile), { [`node_modules/${name}`]: wanted });
  }
});

test("an optional package that is locked deeper is not missing", () => {
  const parent = { optionalDependencies: { b: "1.0.0" } };
  const packages = { "node_modules/a": parent, "node_modules/a/node_modules/b": { version: "1.0.0" } };
  assert.deepEqual(missingOptionals({ packages }), {});
});
