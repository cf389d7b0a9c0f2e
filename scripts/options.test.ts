import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { optionsPage, readOptions } from "./support/option-tables.ts";
import { root } from "./support/repository.ts";

test("docs/options.md is what the sources say", () => {
  assert.equal(readFileSync(join(root, "docs/options.md"), "utf8"), optionsPage(), "Run: npm run options");
});

test("every option in the page says what it does", () => {
  const silent = optionsPage()
    .split("\n")
    .filter((line) => line.endsWith("|  |"));
  assert.deepEqual(silent, []);
});

test("an option may span lines, hold a union, and link", () => {
  const source = `/** What {@link go} takes. */
export interface GoOptions<T> extends Base {
  /** How far, in metres.
   * Default 1. */
  readonly farMetres?:
    | number
    | undefined;
  /** Told when there. */
  readonly onEnd?: ((at: { x: number; y: number }) => void) | undefined;
}
`;
  assert.deepEqual(readOptions(source, "GoOptions"), {
    summary: "What `go` takes.",
    rows: [
      { name: "farMetres", type: "`number`", text: "How far, in metres. Default 1." },
      { name: "onEnd", type: "`(at: { x: number; y: number }) => void`", text: "Told when there." },
    ],
  });
});
