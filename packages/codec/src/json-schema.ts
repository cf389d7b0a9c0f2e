import { type Schema, schemaOf } from "./schema.ts";
import type { Declaration } from "./types.ts";

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [key: string]: unknown };

const LEAVES: Readonly<Record<string, JsonSchema>> = /* @__PURE__ */ (() => {
  const type = "string";
  const integer = (minimum: number, maximum: number): JsonSchema => ({ type: "integer", minimum, maximum });
  const number = { type: "number" };
  const most = Number.MAX_SAFE_INTEGER;
  return {
    bool: { type: "boolean" },
    u8: integer(0, 0xff),
    u16: integer(0, 0xffff),
    u32: integer(0, 0xffffffff),
    u64: { type, pattern: "^[0-9]+$" },
    i8: integer(-0x80, 0x7f),
    i16: integer(-0x8000, 0x7fff),
    i32: integer(-0x80000000, 0x7fffffff),
    i64: { type, pattern: "^-?[0-9]+$" },
    uint: integer(0, most),
    int: integer(-most, most),
    f32: number,
    f64: number,
    string: { type },
    bytes: { type, contentEncoding: "base64" },
    date: { type, format: "date-time" },
    uuid: { type, format: "uuid" },
    any: {},
  };
})();

/**
 * Describes the values of a codec as JSON Schema, for people and tools that speak JSON: 64-bit integers become strings of
 * digits, bytes and typed arrays base64 strings, dates RFC 3339 strings, maps lists of pairs, sets lists.
 */
export function toJsonSchema(codec: { readonly "~def": Declaration }): JsonSchema {
  const definitions: Record<string, unknown> = {};
  const root = convert(schemaOf(codec["~def"]), definitions);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...root,
    ...(Object.keys(definitions).length > 0 ? { $defs: definitions } : {}),
  };
}

function convert(schema: Schema, definitions: Record<string, unknown>): JsonSchema {
  if (typeof schema === "string") return LEAVES[schema] as JsonSchema;
  if (schema.type === "ref") return { $ref: `#/$defs/${schema.id}` };
  const made = composite(schema, definitions);
  if (schema.id === undefined) return made;
  definitions[schema.id] = made;
  return { $ref: `#/$defs/${schema.id}` };
}

function composite(
  schema: Exclude<Schema, string | { type: "ref" }>,
  definitions: Record<string, unknown>,
): JsonSchema {
  const of = (child: Schema): JsonSchema => convert(child, definitions);
  switch (schema.type) {
    case "nullable":
      return { anyOf: [of(schema.of), { type: "null" }] };
    case "array":
      return { type: "array", items: of(schema.of) };
    case "set":
      return { type: "array", items: of(schema.of), uniqueItems: true };
    case "record":
      return { type: "object", additionalProperties: of(schema.of) };
    case "map":
      return { type: "array", items: pair([of(schema.key), of(schema.of)]) };
    case "tuple":
      return pair(schema.of.map(of));
    case "enumeration":
      return { enum: schema.of };
    case "typedArray":
      return { type: "string", contentEncoding: "base64", description: schema.of };
    case "union":
      return {
        oneOf: schema.of.map(({ tag, of: payload }) => ({
          type: "object",
          properties: { type: { const: tag }, value: of(payload) },
          required: ["type", "value"],
        })),
      };
    case "struct":
      return {
        type: "object",
        ...(schema.name === undefined ? {} : { title: schema.name }),
        ...(schema.doc === undefined ? {} : { description: schema.doc }),
        properties: Object.fromEntries(schema.fields.map((field) => [field.name, of(field.of)])),
        required: schema.fields.filter((field) => !field.optional).map((field) => field.name),
      };
  }
}

function pair(items: readonly JsonSchema[]): JsonSchema {
  return { type: "array", prefixItems: items, items: false, minItems: items.length };
}
