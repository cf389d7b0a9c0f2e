import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** What a program printed as JSON. Each bundle holds all of Pipit that it uses, as a user's bundler would put it in. */
export async function runBundled(
  program: string,
  { format = "esm", minify = false, beside = {} }: BundleOptions = {},
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "pipit-start-"));
  const extension = format === "esm" ? "mjs" : "cjs";
  try {
    for (const [name, text] of Object.entries({ ...beside, main: program })) {
      await build({
        stdin: { contents: text, resolveDir: here, loader: "ts" },
        outfile: join(folder, `${name}.${extension}`),
        bundle: true,
        external: Object.keys(beside).map((other) => `./${other}.${extension}`),
        conditions: ["pipit-source"],
        platform: "node",
        target: "node20",
        format,
        minify,
        logLevel: "silent",
      });
    }
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `main.${extension}`)]);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface BundleOptions {
  readonly format?: "esm" | "cjs";
  readonly minify?: boolean;
  /** Other bundles by name, with copies of their own; the program imports one as `./NAME.mjs`. */
  readonly beside?: Readonly<Record<string, string>>;
}
