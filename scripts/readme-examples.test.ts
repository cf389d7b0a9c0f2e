import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { documentsWithExamples, examplesIn, examplesOf, writeExample } from "./support/readme-examples.ts";
import { root } from "./support/repository.ts";
import { run } from "./support/run.ts";

/** An example takes a second; one that takes this long does not end. */
const exampleTimeoutMs = 60_000;

const fence = "```";

const folder = mkdtempSync(join(tmpdir(), "pipit-examples-"));
after(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
writeFileSync(join(folder, "package.json"), '{ "type": "module" }');

for (const example of documentsWithExamples().flatMap(examplesIn)) {
  test(`${example.title} runs and ends by itself`, async () => {
    const file = writeExample(folder, example);
    const { ok, output } = await run("node", ["--conditions=pipit-source", "--import", "tsx", file], {
      cwd: folder,
      timeoutMs: exampleTimeoutMs,
    });
    assert.ok(ok, output);
  });
}

test("a block with an import is a program", () => {
  const text = `# Title\n\n${fence}ts\nimport "a";\n${fence}\n`;
  assert.deepEqual(programsOf(text), [{ title: "x.md:3", entry: "example.ts", files: ["example.ts"] }]);
});

test("a block without an import or in another language is a fragment", () => {
  const text = `${fence}ts\nconst a = 1;\n${fence}\n\n${fence}sh\nimport a\n${fence}\n`;
  assert.deepEqual(programsOf(text), []);
});

test("a block under `not run` is left out", () => {
  const text = `<!-- not run: needs a network -->\n${fence}ts\nimport "a";\n${fence}\n`;
  assert.deepEqual(programsOf(text), []);
});

test("named blocks are one program, until a name comes again", () => {
  const block = (name: string): string => `${fence}ts\n// ${name}: what it is\nexport {};\n${fence}\n`;
  const text = ["contract.ts", "server.ts", "server.ts"].map(block).join("\n");
  assert.deepEqual(programsOf(text), [
    { title: "x.md:1", entry: "run-parts.ts", files: ["contract.ts", "server.ts", "run-parts.ts"] },
    { title: "x.md:11", entry: "run-parts.ts", files: ["server.ts", "run-parts.ts"] },
  ]);
});

function programsOf(text: string): { title: string; entry: string; files: string[] }[] {
  return examplesOf("x.md", text).map(({ title, entry, files }) => ({ title, entry, files: [...files.keys()] }));
}
