import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import {
  type CompiledModule,
  CodecError,
  array,
  bytes,
  checked,
  compileToSource,
  date,
  enumeration,
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

test("compileToSource gives a module of plain text that codes the same bytes", async () => {
  const source = compileToSource(All);
  assert.equal(source.includes("\u2028"), false);
  const file = join(mkdtempSync(join(tmpdir(), "pipit-codec-")), "all.mjs");
  writeFileSync(file, source);
  const module = (await import(pathToFileURL(file).href)) as CompiledModule;
  const codec = precompiled(All, module);
  assert.equal(hex(codec.encode(value)), hex(All.encode(value)));
  assert.deepStrictEqual(codec.decode(All.encode(value)), { ...value, count: 3 });
  assert.throws(() => precompiled(Tree, module), TypeError);
});

const notNode = "Deno" in globalThis || "Bun" in globalThis;
const skip = notNode && "the flag that forbids code from strings is Node's";

test("where code from strings is forbidden, the interpreter takes over with the same bytes", { skip }, () => {
  const script = `
    import { struct, string, u32, array } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    const codec = struct({ a: u32, b: array(string) });
    const bytes = codec.encode({ a: 300, b: ["x", "漢"] });
    process.stdout.write(Buffer.from(bytes).toString("hex") + JSON.stringify(codec.decode(bytes)));
  `;
  const flags = [
    "--disallow-code-generation-from-strings",
    "--conditions=pipit-source",
    "--import",
    "tsx",
    "--input-type=module",
  ];
  const out = execFileSync(process.execPath, [...flags, "-e", script], { encoding: "utf8" });
  const codec = struct({ a: u32, b: array(string) });
  assert.equal(out, `${hex(codec.encode({ a: 300, b: ["x", "漢"] }))}{"a":300,"b":["x","漢"]}`);
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
