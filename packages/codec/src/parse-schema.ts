/**
 * Schemas as they come from strangers, made into declarations. The types check what they are made of, as they do for
 * everybody; this adds the bounds, and ties every `ref` to what it means.
 */
import { array, set } from "./array.ts";
import type { Member } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { CodecError, describe, isCodecError } from "./codec-error.ts";
import { enumeration } from "./enumeration.ts";
import { ELEMENT_BYTES } from "./kinds.ts";
import { lazy } from "./lazy.ts";
import { map, record } from "./map.ts";
import type { Def } from "./node.ts";
import { nullable } from "./nullable.ts";
import { optional, type OptionalDef } from "./optional.ts";
import { structDef } from "./struct.ts";
import { tuple } from "./tuple.ts";
import type { AnyCodec, Declaration } from "./types.ts";
import { typedArray } from "./typed-array.ts";
import { unionDef } from "./union.ts";

/** Most characters of names and documentation in a schema from outside, with 16 more for each node. */
export const MAX_SCHEMA_BYTES = 65_536;
/** Most nodes, fields and choices. */
export const MAX_SCHEMA_NODES = 4096;
/** Deepest nesting. */
export const MAX_SCHEMA_DEPTH = 64;

/** What may stand as members of a schema with children, each of any type. */
type Raw = Readonly<Record<"type" | "id" | "key" | "of" | "fields" | "fallback" | "name" | "doc", unknown>>;

function refuse(detail: string): never {
  throw new CodecError("schema", detail);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length <= MAX_SCHEMA_NODES
    ? value
    : refuse(`schema has ${describe(value)} for a list of up to ${MAX_SCHEMA_NODES}`);
}

/** A list and not an object of members, which would put names such as "1" first. */
function memberOf(name: string, codec: { readonly "~def": Declaration }): Member<OptionalDef> {
  const def = codec["~def"] as OptionalDef;
  return [name, () => def];
}

function distinct<M extends Member<Def>>(members: readonly M[]): readonly M[] {
  return new Set(members.map(([name]) => name)).size === members.length ? members : refuse("one name twice");
}

/**
 * The declaration of a schema, marked as a stranger's. `leaves` are the types without children by name.
 *
 * @throws CodecError `schema` when it is not one, or past the limits
 */
export function parseSchema(schema: unknown, leaves: Readonly<Record<string, AnyCodec>>): Def {
  const known = new Map<unknown, AnyCodec>();
  let nodes = 0;
  let size = 0;
  const text = (value: unknown): string => {
    if (typeof value !== "string") refuse(`schema has ${describe(value)} for a name`);
    size += value.length + 16;
    if (++nodes > MAX_SCHEMA_NODES || size > MAX_SCHEMA_BYTES) {
      refuse(`schema of more than ${MAX_SCHEMA_NODES} nodes or ${MAX_SCHEMA_BYTES} bytes`);
    }
    return value;
  };
  const note = (value: unknown): string | undefined => (typeof value === "string" ? text(value) : undefined);

  const parse = (value: unknown, depth: number): AnyCodec => {
    if (depth > MAX_SCHEMA_DEPTH) refuse(`schema nested deeper than ${MAX_SCHEMA_DEPTH}`);
    if (typeof value === "string") {
      text("");
      return Object.hasOwn(leaves, value) ? (leaves[value] as AnyCodec) : refuse("unknown type in schema");
    }
    const raw = Object(value) as Raw;
    const { id } = raw;
    const type = text(raw.type);
    if (type === "ref") return known.get(id) ?? refuse("ref to an id that did not come before it");
    if (id === undefined) return create(type, raw, depth + 1);
    if (!Number.isSafeInteger(id) || known.has(id)) refuse("id of a schema is not an integer of its own");
    // Met inside itself: named now, there later.
    const self = lazy(() => known.get(id) as AnyCodec);
    known.set(id, self);
    const codec = create(type, raw, depth + 1);
    known.set(id, codec);
    return codec;
  };

  const create = (type: string, { key, of, fields, fallback, name, doc }: Raw, depth: number): AnyCodec => {
    const child = (value: unknown): AnyCodec => parse(value, depth);
    const choice = fallback === undefined ? undefined : text(fallback);
    switch (type) {
      case "nullable":
        return nullable(child(of));
      case "array":
        return array(child(of));
      case "set":
        return set(child(of));
      case "record":
        return record(child(of));
      case "map":
        return map(child(key), child(of));
      case "tuple":
        return tuple(listOf(of).map(child));
      case "enumeration":
        return enumeration(listOf(of).map(text), { fallback: choice });
      case "typedArray":
        return Object.hasOwn(ELEMENT_BYTES, text(of))
          ? typedArray((globalThis as never)[of as string])
          : refuse("unknown typed array");
      case "union": {
        const cases = listOf(of).map((item) => {
          const { tag, of } = Object(item) as { tag: unknown; of: unknown };
          return memberOf(text(tag), child(of));
        });
        // The schema has the fallback's tag, and nothing of its value.
        const rest = choice === undefined ? undefined : { type: choice, value: undefined };
        return makeCodec(unionDef(distinct(cases), rest));
      }
      case "struct": {
        const aliases = new Map<string, string[]>();
        const members = listOf(fields).map((field) => {
          const raw = Object(field) as Readonly<Record<"name" | "of" | "optional" | "aliases", unknown>>;
          const name = text(raw.name);
          if (raw.aliases !== undefined) aliases.set(name, listOf(raw.aliases).map(text));
          const codec = child(raw.of);
          return memberOf(name, raw.optional === true ? optional(codec) : codec);
        });
        return makeCodec(structDef(distinct(members), { name: note(name), doc: note(doc) }, aliases));
      }
    }
    return refuse("unknown type in schema");
  };

  try {
    const def = parse(schema, 0)["~def"] as Def;
    return {
      kind: def.kind,
      foreign: true,
      build: (plan) => plan.node(def),
      describe: (schemas) => def.describe(schemas),
    };
  } catch (error) {
    throw isCodecError(error) ? error : new CodecError("schema", (error as Error).message);
  }
}
