/** Schemas as they come from strangers: checked, bounded, with every `ref` tied to what it means. */
import { CodecError } from "./codec-error.ts";
import { ELEMENT_BYTES, LEAF_TYPES, indexBits, MOST_CHOICES } from "./kinds.ts";
import type { LeafType, Schema } from "./schema.ts";

/** Most characters of names and documentation in a schema from outside, with 16 more for each node. */
export const MAX_SCHEMA_BYTES = 65_536;
/** Most nodes, fields and choices. */
export const MAX_SCHEMA_NODES = 4096;
/** Deepest nesting. */
export const MAX_SCHEMA_DEPTH = 64;

/** One node of a schema that was checked. Shared where the schema refers to it. */
export interface Parsed {
  readonly kind: LeafType | Exclude<Exclude<Schema, string>["type"], "ref">;
  /** Children: of a map the key and the value, of a record the value. */
  readonly of: Parsed[];
  /** Names of the fields of a struct, cases of a union, values of an enumeration; the name of a typed array. */
  readonly names: string[];
  readonly optional: boolean[];
  /** Earlier names of fields. */
  readonly aliases: Map<string, string[]>;
  /** Enumeration value, or tag of a union, for what only the writer has. */
  readonly fallback?: string | undefined;
  readonly title?: string | undefined;
  readonly doc?: string | undefined;
}

function refuse(detail: string): never {
  throw new CodecError("schema", detail);
}

/** @throws CodecError `schema` when it is not one, or past the limits */
export function parseSchema(schema: unknown): Parsed {
  const byId = new Map<number, Parsed>();
  let nodes = 0;
  let size = 0;
  const spend = (text: string): string => {
    size += text.length + 16;
    if (++nodes > MAX_SCHEMA_NODES || size > MAX_SCHEMA_BYTES) {
      refuse(`schema of more than ${MAX_SCHEMA_NODES} nodes or ${MAX_SCHEMA_BYTES} bytes`);
    }
    return text;
  };
  const textOf = (value: unknown, what: string): string =>
    typeof value === "string" ? spend(value) : refuse(`${what} is not a string`);
  const listOf = (value: unknown, what: string, least: number, most: number): unknown[] =>
    Array.isArray(value) && value.length >= least && value.length <= most
      ? value
      : refuse(`${what} is not a list of ${least} to ${most}`);

  const parse = (value: unknown, depth: number): Parsed => {
    if (depth > MAX_SCHEMA_DEPTH) refuse(`schema nested deeper than ${MAX_SCHEMA_DEPTH}`);
    if (typeof value === "string") {
      spend("");
      return LEAF_TYPES.has(value) ? leafOf(value as LeafType) : refuse("unknown type in schema");
    }
    if (typeof value !== "object" || value === null) refuse("schema is neither a type name nor an object");
    const raw = value as Record<string, unknown>;
    const kind = textOf(raw["type"], "type of a schema");
    const id = raw["id"];
    if (id !== undefined && !Number.isSafeInteger(id)) refuse("id of a schema is not an integer");
    if (kind === "ref") return byId.get(id as number) ?? refuse("ref to an id that did not come before it");
    const node = { kind, of: [], names: [], optional: [], aliases: new Map() } as unknown as Parsed & {
      title?: string;
      doc?: string;
      fallback?: string;
    };
    if (id !== undefined) {
      if (byId.has(id as number)) refuse("two schemas with one id");
      byId.set(id as number, node);
    }
    const child = (from: unknown): number => node.of.push(parse(from, depth + 1));
    const of = raw["of"];
    switch (kind) {
      case "nullable":
      case "array":
      case "set":
      case "record":
        child(of);
        break;
      case "map":
        child(raw["key"]);
        child(of);
        break;
      case "tuple":
        for (const item of listOf(of, "of", 0, MAX_SCHEMA_NODES)) child(item);
        break;
      case "enumeration":
        for (const name of listOf(of, "of", 1, MAX_SCHEMA_NODES))
          node.names.push(textOf(name, "value of an enumeration"));
        break;
      case "typedArray":
        node.names.push(textOf(of, "of"));
        if (!Object.hasOwn(ELEMENT_BYTES, node.names[0] as string)) refuse("unknown typed array");
        break;
      case "union":
        for (const item of listOf(of, "of", 1, MOST_CHOICES)) {
          const { tag, of: inner } = Object(item) as Record<string, unknown>;
          node.names.push(textOf(tag, "tag"));
          child(inner);
        }
        break;
      case "struct":
        if (typeof raw["name"] === "string") node.title = spend(raw["name"]);
        if (typeof raw["doc"] === "string") node.doc = spend(raw["doc"]);
        for (const item of listOf(raw["fields"], "fields", 0, MAX_SCHEMA_NODES)) {
          const { name, of: inner, optional, aliases } = Object(item) as Record<string, unknown>;
          const field = textOf(name, "name of a field");
          node.names.push(field);
          node.optional.push(optional === true);
          if (aliases !== undefined) {
            const earlier = listOf(aliases, "aliases", 0, MAX_SCHEMA_NODES);
            node.aliases.set(
              field,
              earlier.map((alias) => textOf(alias, "alias of a field")),
            );
          }
          child(inner);
        }
        break;
      default:
        refuse("unknown type in schema");
    }
    if ((kind === "enumeration" || kind === "union") && raw["fallback"] !== undefined) {
      node.fallback = textOf(raw["fallback"], "fallback");
      if (!node.names.includes(node.fallback)) refuse("fallback to a name that is not there");
    }
    if (new Set(node.names).size !== node.names.length) refuse("one name twice");
    if (kind === "nullable" && Number.isNaN(headBits(node))) refuse("nullable of a nullable");
    return node;
  };
  return parse(schema, 0);
}

function leafOf(kind: LeafType): Parsed {
  return { kind, of: [], names: [], optional: [], aliases: new Map() };
}

/** Width of a node's head; NaN for a nullable of a nullable. */
export function headBits({ kind, of, names }: Parsed): number {
  switch (kind) {
    case "bool":
      return 1;
    case "enumeration":
    case "union":
      return indexBits(names.length);
    case "nullable":
      return of[0] === undefined || of[0].kind === "nullable" ? Number.NaN : 1 + headBits(of[0]);
    default:
      return 0;
  }
}
