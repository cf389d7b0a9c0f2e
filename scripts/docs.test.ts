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

test("the call that docs/architecture.md follows goes through files and functions that are there", () => {
  const story = /## One call, [^]*?\n(?=## )/.exec(textOf("docs/architecture.md"))?.[0] ?? "";
  const missing: string[] = [];
  let named = 0;
  let waiting: string[] = [];
  let file = "";
  const look = (names: readonly string[], path: string): void => {
    for (const name of names) {
      named++;
      if (!declares(textOf(path), name)) missing.push(`${name} in ${path}`);
    }
  };
  // "`a` and `b` in `file`, which does `c`": a name belongs to the file that comes next behind "in", else to the last one.
  for (const [, lead = "", quoted = ""] of story.matchAll(/([^`]*)`([^`]+)`/g)) {
    if (quoted.includes("/src/")) {
      if (!existsSync(join(root, quoted))) missing.push(quoted);
      const isNext = /\bin\s*$/.test(lead);
      look(waiting.slice(0, isNext ? -1 : undefined), file);
      if (isNext) look(waiting.slice(-1), quoted);
      waiting = [];
      file = quoted;
    } else if (/^#?[a-zA-Z]+$/.test(quoted)) waiting.push(quoted);
  }
  look(waiting, file);
  assert.deepEqual(missing, []);
  assert.ok(named > 30, `${named} names`);
});

/** Whether the source has a function, method or class of this name. */
function declares(source: string, name: string): boolean {
  return new RegExp(
    `^\\s*(?:(?:export|protected|override|static|async|abstract|get) )*(?:function |class )?${name}[(<{ ]`,
    "m",
  ).test(source);
}

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
