import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Codec, CodecError, codecFromSchema, fingerprintOf, type Schema } from "../src/index.ts";
import { hex, unhex } from "./engines.ts";
import { fromJson } from "./vector-values.ts";

function load<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8")) as T[];
}

interface Good {
  readonly name: string;
  readonly schema: Schema;
  readonly fingerprint: string;
  readonly value: unknown;
  readonly bytes: string;
}

interface Bad {
  readonly name: string;
  readonly schema: Schema;
  readonly bytes: string;
  readonly code: string;
}

test("vectors: every value has its bytes, and every bytes their value", () => {
  const vectors = load<Good>("schema");
  assert.ok(vectors.length > 100);
  for (const { name, schema, fingerprint, value, bytes } of vectors) {
    const codec: Codec<unknown> = codecFromSchema(schema);
    assert.equal(fingerprintOf(codec), fingerprint, name);
    assert.equal(hex(codec.encode(fromJson(value))), bytes, name);
    assert.deepStrictEqual(codec.decode(unhex(bytes)), fromJson(value), name);
  }
});

test("vectors: bad bytes are refused with the code that the file says", () => {
  for (const { name, schema, bytes, code } of load<Bad>("schema-bad")) {
    assert.throws(
      () => codecFromSchema(schema).decode(unhex(bytes)),
      (error: CodecError) => error instanceof CodecError && error.code === code,
      name,
    );
  }
});

test("the hex examples of docs/codec-format.md are vectors", () => {
  const page = readFileSync(new URL("../../../docs/codec-format.md", import.meta.url), "utf8");
  const known = new Set(load<Good>("schema").map(({ bytes }) => bytes));
  const examples = [...page.matchAll(/`hex: ([0-9a-f ]+)`/g)].map((match) => (match[1] as string).replaceAll(" ", ""));
  assert.ok(examples.length >= 10);
  for (const example of examples) assert.ok(known.has(example), example);
});
