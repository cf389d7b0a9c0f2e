import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesUnder, projectsUnder, root } from "./repository.ts";

/**
 * A program found in a document.
 *
 * A ```` ```ts ```` block with an import is a program of its own, which must end by itself. Blocks whose first line names
 * a file (`// server.ts: …`) are the parts of one program: they are imported in their order, and then the process ends.
 * A name that comes again begins the next program. `<!-- not run: reason -->` above a block leaves it out, as does having
 * neither import nor name: that is a fragment.
 */
export interface Example {
  /** `README.md:12`. */
  readonly title: string;
  /** File name → source; the block's own or those of all parts. */
  readonly files: ReadonlyMap<string, string>;
  /** Which of the files is run. */
  readonly entry: string;
}

/** Its files and commands belong together: `tutorial.test.ts` runs them. */
const tutorial = "docs/tutorial.md";

/** Where examples are looked for. */
export function documentsWithExamples(): string[] {
  const folders = ["", ...projectsUnder("packages"), ...projectsUnder("apps")];
  const readmes = folders.map((folder) => join(folder, "README.md")).filter((path) => existsSync(join(root, path)));
  return [...readmes, ...filesUnder("docs").filter((path) => /^docs\/[^/]+\.md$/.test(path) && path !== tutorial)];
}

/** The examples of one document, relative to the root. */
export function examplesIn(document: string): Example[] {
  return examplesOf(document, readFileSync(join(root, document), "utf8"));
}

/** The examples in a text; `document` is for their titles. */
export function examplesOf(document: string, text: string): Example[] {
  const examples: Example[] = [];
  let parts = new Map<string, string>();
  let partsTitle = "";
  const endParts = (): void => {
    if (parts.size > 0) examples.push({ title: partsTitle, files: withRunner(parts), entry: "run-parts.ts" });
    parts = new Map();
  };
  for (const { code, line, skipped } of blocksOf(text)) {
    if (skipped) continue;
    const title = `${document}:${line}`;
    const name = /^\/\/ ([\w-]+\.ts)\b/.exec(code)?.[1];
    if (name !== undefined) {
      if (parts.has(name)) endParts();
      if (parts.size === 0) partsTitle = title;
      parts.set(name, code);
    } else if (/^import\b/m.test(code)) {
      // It may import parts shown above it.
      examples.push({ title, files: new Map([...parts, ["example.ts", code]]), entry: "example.ts" });
    }
  }
  endParts();
  return examples;
}

/** Writes an example's files into a folder of its own below `folder`; returns the path of the file to run. */
export function writeExample(folder: string, example: Example): string {
  const own = join(folder, example.title.replaceAll(/[^\w.]+/g, "-"));
  mkdirSync(own, { recursive: true });
  for (const [name, code] of example.files) writeFileSync(join(own, name), code);
  return join(own, example.entry);
}

function withRunner(parts: ReadonlyMap<string, string>): Map<string, string> {
  const imports = [...parts.keys()].map((name) => `await import("./${name}");`);
  return new Map([...parts, ["run-parts.ts", `${imports.join("\n")}\nprocess.exit();\nexport {};\n`]]);
}

function* blocksOf(text: string): Generator<{ code: string; line: number; skipped: boolean }> {
  const fence = /^(?<note><!-- not run: .+ -->\n\s*)?```ts\n(?<code>[\s\S]*?)^```$/gm;
  for (const match of text.matchAll(fence)) {
    const { note, code = "" } = match.groups ?? {};
    const line = text.slice(0, match.index + (note?.length ?? 0)).split("\n").length;
    yield { code, line, skipped: note !== undefined };
  }
}
