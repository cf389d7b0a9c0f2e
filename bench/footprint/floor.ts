import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Function as FunctionNode, parse } from "acorn";
import { full } from "acorn-walk";
import { type BuildOptions, buildSync } from "esbuild";

/*
 * The least that a start could cost with the code as it is: the built `pipit`, in which each function that a first call does not
 * run has lost its body. Nothing that only splits, or loads later, gets below it: what is left has to be read and run.
 */

const built = new URL("../../packages/pipit/dist/", import.meta.url);

/** Folders from which `pipit` is found by its name. */
export interface Floors {
  /** With the names of the source, as `pipit` ships. */
  readonly named: string;
  /** The same with names and syntax as short as esbuild makes them. */
  readonly shortest: string;
}

/** Writes both floors below `folder`, from the coverage (`NODE_V8_COVERAGE`) of a process that made one call. */
export function writeFloors(folder: string, coverageFolder: string): Floors {
  const trimmed = join(folder, "trimmed");
  mkdirSync(trimmed);
  for (const { url, functions } of coverageOf(coverageFolder)) {
    if (!url.startsWith(built.href)) continue;
    writeFileSync(join(trimmed, basename(url)), withoutIdleBodies(readFileSync(fileURLToPath(url), "utf8"), functions));
  }
  const [named, shortest] = [join(folder, "named"), join(folder, "shortest")];
  writePackage(named, trimmed, { minifyWhitespace: true });
  writePackage(shortest, trimmed, { minify: true });
  return { named, shortest };
}

/** Bundles what is left, so that what only idle functions used is gone, too. */
function writePackage(
  folder: string,
  trimmed: string,
  minified: Pick<BuildOptions, "minify" | "minifyWhitespace">,
): void {
  const place = join(folder, "node_modules", "pipit");
  buildSync({
    entryPoints: [join(trimmed, "index.js")],
    outdir: place,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    ...minified,
    // Loaded when a registry is opened: no part of a first call.
    external: ["./gossip-*"],
  });
  writeFileSync(join(place, "package.json"), JSON.stringify({ type: "module", exports: "./index.js" }));
}

/** V8's report of which functions ran: the first range of each is the function itself. */
interface Script {
  readonly url: string;
  readonly functions: readonly CoveredFunction[];
}

interface CoveredFunction {
  readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
}

function coverageOf(folder: string): readonly Script[] {
  return readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")).result as Script[]);
}

function withoutIdleBodies(text: string, functions: readonly CoveredFunction[]): string {
  const idle = functions.flatMap(({ ranges: [whole] }) => (whole?.count === 0 ? [whole] : []));
  const idleStarts = new Map(idle.map(({ startOffset, endOffset }) => [endOffset, startOffset]));
  const bodies: FunctionNode["body"][] = [];
  full(parse(text, { ecmaVersion: "latest", sourceType: "module" }), (node) => {
    if (!isFunction(node)) return;
    // V8 counts a method from its name on, acorn from its parameters: they agree where it ends.
    if ((idleStarts.get(node.end) ?? Infinity) < node.body.start) bodies.push(node.body);
  });
  let left = "";
  let position = 0;
  for (const { type, start, end } of bodies.sort((a, b) => a.start - b.start)) {
    if (start < position) continue;
    left += text.slice(position, start) + (type === "BlockStatement" ? "{}" : "0");
    position = end;
  }
  return left + text.slice(position);
}

function isFunction(node: { readonly type: string }): node is FunctionNode {
  return (
    node.type === "FunctionExpression" || node.type === "FunctionDeclaration" || node.type === "ArrowFunctionExpression"
  );
}
