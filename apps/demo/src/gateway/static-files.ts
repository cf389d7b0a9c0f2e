import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file as it is served. */
export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Every file that the page needs, by URL path, read once. A request only ever looks up a key of this table, so that no path, however spelt,
 * reaches another file.
 */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const add = (url: string, path: string): void => {
    const type = types[extname(path)];
    if (type !== undefined) files.set(url, { type, body: readFileSync(path) });
  };

  const page = fileURLToPath(new URL("../../page/", import.meta.url));
  for (const name of readdirSync(page)) add(`/${name}`, join(page, name));
  add("/", join(page, "index.html"));

  // uPlot comes from its npm package and is served from here: the demo needs no internet.
  const uplot = dirname(fileURLToPath(import.meta.resolve("uplot/dist/uPlot.esm.js")));
  add("/uplot.js", join(uplot, "uPlot.esm.js"));
  add("/uplot.css", join(uplot, "uPlot.min.css"));
  return files;
}
