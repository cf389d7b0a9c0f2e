/** The same tests where no text may become code: Node's own flag stands for policies without `eval`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const skip = ("Bun" in globalThis || "Deno" in globalThis) && "the flag is Node's";
const files = ["round-trip", "vectors", "errors", "evolution", "any", "cbor-vectors"];

test("the tests of values, errors and versions pass under --disallow-code-generation-from-strings", { skip }, () => {
  const paths = files.map((name) => fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url)));
  const flags = ["--disallow-code-generation-from-strings", "--conditions=pipit-source", "--import", "tsx", "--test"];
  // Without what tells a test of a test runner that it is one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, status } = spawnSync(
    process.execPath,
    [...flags, "--test-concurrency=1", "--test-reporter=tap", ...paths],
    { encoding: "utf8", env },
  );
  const failed = stdout.split("\n").filter((line) => /^\s*not ok/.test(line));
  assert.deepEqual([failed, status], [[], 0]);
  assert.match(stdout, /# SKIP no text may become code here/, "the flag reached the tests");
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
  assert.ok(passed > 500, `${passed} tests ran`);
});
