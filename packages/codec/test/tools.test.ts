import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildSync } from "esbuild";
import { z } from "zod";
import {
  type CompiledModule,
  CodecError,
  any,
  array,
  bytes,
  checked,
  codecFromSchema,
  compileToSource,
  date,
  enumeration,
  fingerprintOf,
  lazy,
  map,
  nullable,
  optional,
  precompiled,
  record,
  set,
  string,
  struct,
  toJsonSchema,
  u8,
  u32,
  u64,
  union,
  type Codec,
} from "../src/index.ts";
import type * as codecs from "../src/index.ts";
import { engines, hex } from "./engines.ts";

interface Tree {
  name: string;
  kids: Tree[];
}
const Tree: Codec<Tree> = struct({ name: string, kids: array(lazy(() => Tree)) }, { name: "Tree", doc: "A tree" });
const All = struct({
  tree: Tree,
  role: enumeration(["a", "b", "\u2028"]),
  count: optional(u8, { default: () => 3 }),
  scores: record(u64),
  seen: set(date),
  pairs: map(string, bytes),
  shape: nullable(union({ x: string, y: u32 })),
});
const value = {
  tree: { name: "漢", kids: [{ name: "é", kids: [] }] },
  role: "\u2028" as const,
  scores: { a: 5n },
  seen: new Set([new Date(5)]),
  pairs: new Map([["k", new Uint8Array([1])]]),
  shape: { type: "y" as const, value: 7 },
};

const notNode = "Deno" in globalThis || "Bun" in globalThis;
const skip = notNode && "the flag that forbids code from strings is Node's";
const skipBuild = notNode && "the build runs under Node";

/** The file that a build would write. */
function written(source: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "pipit-codec-")), "code.mjs");
  writeFileSync(file, source);
  return pathToFileURL(file).href;
}

async function importSource(source: string): Promise<CompiledModule> {
  return (await import(written(source))) as CompiledModule;
}

test("compileToSource gives a module of plain text that codes the same bytes", async () => {
  const source = compileToSource(All);
  assert.equal(source.includes("\u2028"), false);
  const module = await importSource(source);
  const codec = precompiled(All, module);
  assert.equal(hex(codec.encode(value)), hex(All.encode(value)));
  assert.deepStrictEqual(codec.decode(All.encode(value)), { ...value, count: 3 });
  assert.throws(() => precompiled(Tree, module), TypeError);
});

test("precompiled refuses code of another default, which the fingerprint of the schema does not tell", async () => {
  const before = struct({ a: optional(u8), b: optional(u8) });
  const after = struct({ a: optional(u8, { default: 1 }), b: optional(u8) });
  assert.equal(fingerprintOf(before), fingerprintOf(after));
  const module = await importSource(compileToSource(before));
  assert.deepEqual(precompiled(before, module).decode(before.encode({})), {});
  assert.throws(() => precompiled(after, module), /build it again/);
});

test("compileToSource writes nothing of a schema from elsewhere, and any alone stays plain CBOR", async () => {
  const foreign = codecFromSchema({ type: "struct", fields: [{ name: "evil", of: "u8" }] });
  assert.throws(() => compileToSource(foreign), TypeError);
  assert.throws(() => compileToSource(array(foreign)), TypeError);
  const codec = precompiled(any, await importSource(compileToSource(any)));
  assert.equal(hex(codec.encode([1])), "8101");
  assert.deepEqual(codec.decode(any.encode([1])), [1]);
});

/** What a program prints where no text may become code. */
function withoutFunction(script: string): string {
  const flags = [
    "--disallow-code-generation-from-strings",
    "--conditions=pipit-source",
    "--import",
    "tsx",
    "--input-type=module",
  ];
  return execFileSync(process.execPath, [...flags, "-e", script], { encoding: "utf8" });
}
const sources = JSON.stringify(new URL("../src/index.ts", import.meta.url).href);

test("where code from strings is forbidden, the interpreter takes over with the same bytes", { skip }, () => {
  const out = withoutFunction(`
    import { struct, string, u32, array } from ${sources};
    const codec = struct({ a: u32, b: array(string) });
    const bytes = codec.encode({ a: 300, b: ["x", "漢"] });
    process.stdout.write(Buffer.from(bytes).toString("hex") + JSON.stringify(codec.decode(bytes)));
  `);
  const codec = struct({ a: u32, b: array(string) });
  assert.equal(out, `${hex(codec.encode({ a: 300, b: ["x", "漢"] }))}{"a":300,"b":["x","漢"]}`);
});

test("where code from strings is forbidden, a module from the build runs in the interpreter's place", { skip }, () => {
  const codec = struct({ a: u32, b: array(string) });
  const out = withoutFunction(`
    import { struct, string, u32, array, precompiled } from ${sources};
    import * as code from ${JSON.stringify(written(compileToSource(codec)))};
    let calls = 0;
    const counted = { fingerprint: code.fingerprint, create(x) {
      const made = code.create(x);
      return {
        encode(writer, value) { made.encode(writer, value); calls++; },
        decode(...given) { const value = made.decode(...given); calls++; return value; },
      };
    } };
    const codec = precompiled(struct({ a: u32, b: array(string) }), counted);
    const bytes = codec.encode({ a: 300, b: ["x", "漢"] });
    process.stdout.write(Buffer.from(bytes).toString("hex") + JSON.stringify(codec.decode(bytes)) + calls);
  `);
  assert.equal(out, `${hex(codec.encode({ a: 300, b: ["x", "漢"] }))}{"a":300,"b":["x","漢"]}2`);
});

test("codecs of two copies of the package make one, with its errors", { skip: skipBuild }, async () => {
  const file = join(mkdtempSync(join(tmpdir(), "pipit-codec-")), "copy.mjs");
  const entry = new URL("../src/index.ts", import.meta.url);
  buildSync({ entryPoints: [fileURLToPath(entry)], outfile: file, bundle: true, format: "esm", platform: "neutral" });
  const copy = (await import(pathToFileURL(file).href)) as typeof codecs;
  assert.notEqual(copy.struct, struct);
  for (const engine of engines) {
    const codec = engine.of(struct({ list: copy.array(copy.struct({ n: copy.u8, s: string })) }));
    const bytes = codec.encode({ list: [{ n: 1, s: "漢" }] });
    assert.deepEqual(codec.decode(bytes), { list: [{ n: 1, s: "漢" }] });
    assert.throws(() => codec.encode({ list: [{ n: 300, s: "" }] }), { code: "range", path: "$.list[0].n" });
    assert.throws(
      () => codec.decode(bytes.subarray(0, 2)),
      (error) => error instanceof copy.CodecError,
    );
  }
});

test("checked decodes and then validates, and gives what the validator gives", () => {
  for (const engine of engines) {
    const codec = checked(
      engine.of(struct({ mail: string })),
      z.object({
        mail: z
          .string()
          .includes("@")
          .transform((s) => s.length),
      }),
    );
    assert.deepEqual(codec.decode(codec.encode({ mail: "a@b" })), { mail: 3 });
    assert.throws(
      () => codec.decode(codec.encode({ mail: "ab" })),
      (error: CodecError) => error instanceof CodecError && error.code === "invalid" && error.path === "$.mail",
    );
  }
  assert.throws(
    () => checked(string, z.string().refine(async () => true) as never).decode(string.encode("x")),
    TypeError,
  );
});

test("toJsonSchema describes every type, recursion through $defs", () => {
  assert.deepEqual(toJsonSchema(Tree), {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $ref: "#/$defs/1",
    $defs: {
      1: {
        type: "object",
        title: "Tree",
        description: "A tree",
        properties: { name: { type: "string" }, kids: { type: "array", items: { $ref: "#/$defs/1" } } },
        required: ["name", "kids"],
      },
    },
  });
  assert.deepEqual(toJsonSchema(struct({ n: optional(u8), r: enumeration(["a"]) }))["properties"], {
    n: { type: "integer", minimum: 0, maximum: 255 },
    r: { enum: ["a"] },
  });
});
