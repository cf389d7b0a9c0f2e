/** Laws about the declarations that ship, as a consumer's compiler sees them: the oldest that we support, and today's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("..", import.meta.url));
const consumer = mkdtempSync(join(tmpdir(), "pipit-declarations-"));
const compilers = {
  "today's TypeScript": join(home, "../../node_modules/typescript/bin/tsc"),
  // Where `npm run test:packed` puts it.
  "TypeScript 5.4": join(tmpdir(), "pipit-tools/typescript-5.4.5/node_modules/typescript/bin/tsc"),
};
after(() => rmSync(consumer, { recursive: true, force: true }));

const use = `
import * as p from "@pipit/codec";
import * as copy from "copy-of-codec";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function law<_T extends true>(): void {}

const User = p.struct({
  name: p.string,
  nick: p.optional(p.string),
  level: p.optional(p.u8, { default: 1 }),
  shape: p.union({ circle: p.struct({ r: p.f64 }), text: p.string }),
});
type User = p.Infer<typeof User>;
type Shape = { type: "circle"; value: { r: number } } | { type: "text"; value: string };
law<Same<User, { name: string; level: number; shape: Shape; nick?: string }>>();
export const absent: User = { name: "a", level: 1, shape: { type: "text", value: "x" } };
// @ts-expect-error: an absent key and undefined differ in what is decoded
export const present: User = { ...absent, nick: undefined };
User.encode({ ...absent, nick: undefined, level: undefined });

export function area({ shape }: User): number {
  if (shape.type === "circle") return shape.value.r ** 2;
  law<Same<typeof shape.value, string>>();
  return shape.value.length;
}

interface Tree {
  label: string;
  children: Tree[];
}
export const Tree: p.Codec<Tree> = p.struct({ label: p.string, children: p.array(p.lazy(() => Tree)) });
law<Same<p.Infer<typeof Tree>["children"][number]["children"][number]["label"], string>>();
Tree.encode({ label: "x", children: [] } as const);

// Two copies of the package, as two dependencies may bring.
const Mixed = p.struct({ mine: p.u32, theirs: copy.array(copy.string), both: p.nullable(copy.struct({ a: p.bool })) });
law<Same<p.Infer<typeof Mixed>, { mine: number; theirs: string[]; both: { a: boolean } | null }>>();
law<Same<copy.Infer<typeof Mixed>, p.Infer<typeof Mixed>>>();
export const passed: p.Codec<Tree> = copy.struct({ label: copy.string, children: copy.array(Tree) });
export const reader: p.Decoder<User> = copy.readerOf(User, copy.struct({ name: p.string }).schema);
export function codeOf(error: p.CodecError): copy.CodecErrorCode {
  return error.code;
}
`;

function compile(compiler: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, ...args], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

function prepare(): void {
  const declarations = join(consumer, "node_modules/@pipit/codec/dist");
  const emitted = compile(
    compilers["today's TypeScript"],
    "-p",
    join(home, "tsconfig.build.json"),
    "--outDir",
    declarations,
  );
  assert.equal(emitted.status, 0, emitted.output);
  for (const name of ["@pipit/codec", "copy-of-codec"]) {
    const folder = join(consumer, "node_modules", name);
    if (!existsSync(folder)) cpSync(join(consumer, "node_modules/@pipit/codec"), folder, { recursive: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ name, type: "module", exports: { types: "./dist/index.d.ts", default: "./dist/index.js" } }),
    );
  }
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022"],
    module: "nodenext",
    moduleResolution: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: false,
    types: [],
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(consumer, "use.ts"), use);
}

for (const [name, compiler] of Object.entries(compilers)) {
  const missing = existsSync(compiler) ? false : "not installed: npm run test:packed does it";
  const skip = "Deno" in globalThis || "Bun" in globalThis ? "the compiler runs under Node" : missing;
  test(`types that ship are exact, and those of two copies are the same, under ${name}`, { skip }, () => {
    if (!existsSync(join(consumer, "use.ts"))) prepare();
    const { status, output } = compile(compiler, "-p", consumer);
    assert.equal(status, 0, output);
  });
}
