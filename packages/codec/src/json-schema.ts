import { type Schema, schemaOf } from "./schema.ts";
import type { Declaration } from "./types.ts";

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [key: string]: unknown };

const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  u8: [0, 255],
  u16: [0, 65_535],
  u32: [0, 4_294_967_295],
  i8: [-128, 127],
  i16: [-32_768, 32_767],
  i32: [-2_147_483_648, 2_147_483_647],
  uint: [0, 0x1f_ffff_ffff_ffff],
  int: [-0x1f_ffff_ffff_ffff, 0x1f_ffff_ffff_ffff],
};

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
  if (typeof schema === "string") return leafSchema(schema);
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

function leafSchema(type: string): JsonSchema {
  const range = INTEGERS[type];
  if (range !== undefined) return { type: "integer", minimum: range[0], maximum: range[1] };
  switch (type) {
    case "bool":
      return { type: "boolean" };
    case "f32":
    case "f64":
      return { type: "number" };
    case "u64":
      return { type: "string", pattern: "^[0-9]+$" };
    case "i64":
      return { type: "string", pattern: "^-?[0-9]+$" };
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "date":
      return { type: "string", format: "date-time" };
    case "uuid":
      return { type: "string", format: "uuid" };
    case "any":
      return {};
    default:
      return { type: "string" };
  }
}
