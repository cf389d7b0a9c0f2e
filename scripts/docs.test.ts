import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Code } from "@pipit/protocol";
import { filesUnder, projectsUnder, root } from "./support/repository.ts";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...[...projectsUnder("packages"), ...projectsUnder("apps")].map((folder) => `${folder}/README.md`),
  ...filesUnder("docs"),
].filter((path) => path.endsWith(".md") && existsSync(join(root, path)));

test("every link between our documents leads to a file, and every anchor to a heading", () => {
  const broken: string[] = [];
  for (const path of documents) {
    for (const [, target = ""] of textOf(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const found = join(root, dirname(path), file);
      const at = file === "" ? join(root, path) : found;
      if (!existsSync(at)) broken.push(`${path}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(readFileSync(at, "utf8")).has(anchor))
        broken.push(`${path}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("docs/errors.md has every code", () => {
  const page = textOf("docs/errors.md");
  const missing = Object.values(Code).filter((code) => !page.includes(`\`${code}\``));
  assert.deepEqual(missing, []);
});

test("what docs/errors.md quotes of messages stands in the sources", () => {
  const table = /## When it will not connect\n([\s\S]*?)\n## /.exec(textOf("docs/errors.md"))?.[1] ?? "";
  const quoted = [...table.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, message = ""]) => message.split("…"));
  const sources = ["packages/protocol/src", "packages/transport-tcp/src", "packages/client/src"]
    .flatMap(filesUnder)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map(textOf)
    .join("\n");
  const invented = quoted.map((part) => part.trim()).filter((part) => !sources.includes(part));
  assert.deepEqual(invented, []);
});

function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The anchors that GitHub gives a document's headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
