import type { Def } from "./node.ts";
import type { Declaration } from "./types.ts";

/** Types without children: their schema is their name. */
export type LeafType =
  | "bool"
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "uint"
  | "int"
  | "f32"
  | "f64"
  | "string"
  | "bytes"
  | "date"
  | "uuid"
  | "any";

/** One field in the schema of a struct. */
export interface FieldSchema {
  readonly name: string;
  readonly of: Schema;
  readonly optional?: true;
  /** Earlier names, which a writer may still use. */
  readonly aliases?: readonly string[];
}

/** One case in the schema of a union. */
export interface CaseSchema {
  readonly tag: string;
  readonly of: Schema;
}

/** A schema as plain data: goes through JSON, or a message of its own. `id` marks what a `ref` elsewhere means. */
export type Schema =
  | LeafType
  | { readonly type: "nullable" | "array" | "set" | "record"; readonly of: Schema; readonly id?: number }
  | { readonly type: "tuple"; readonly of: readonly Schema[]; readonly id?: number }
  | { readonly type: "map"; readonly key: Schema; readonly of: Schema; readonly id?: number }
  | {
      readonly type: "struct";
      readonly fields: readonly FieldSchema[];
      readonly id?: number;
      readonly name?: string;
      readonly doc?: string;
    }
  | {
      readonly type: "enumeration";
      readonly of: readonly string[];
      readonly id?: number;
      /** What stands for values that only the writer has. */
      readonly fallback?: string;
    }
  | {
      readonly type: "union";
      readonly of: readonly CaseSchema[];
      readonly id?: number;
      /** Tag of what stands for cases that only the writer has. */
      readonly fallback?: string;
    }
  | { readonly type: "typedArray"; readonly of: string; readonly id?: number }
  | { readonly type: "ref"; readonly id: number };

/** Writes a schema down, each declaration once: the second time it is a `ref`. */
export interface SchemaBuilder {
  /** The schema of a declaration with children, or a `ref` to it. `fill` adds the members after `type`. */
  composite(def: Def, type: string, fill: () => object): Schema;
}

/** The schema of a declaration. Calls getters and `lazy` functions. */
export function schemaOf(def: Declaration): Schema {
  const seen = new Map<Def, { id?: number }>();
  let ids = 0;
  const builder: SchemaBuilder = {
    composite(def, type, fill) {
      const known = seen.get(def);
      if (known !== undefined) {
        known.id ??= ++ids;
        return { type: "ref", id: known.id };
      }
      const schema: { type: string; id?: number } = { type };
      seen.set(def, schema);
      Object.assign(schema, fill());
      return schema as Schema;
    },
  };
  return (def as Def).describe(builder);
}

/** Members of schemas with children, whichever there are. */
interface Composite {
  readonly type: string;
  readonly id?: number;
  readonly key: Schema;
  readonly of: Schema & readonly (Schema & CaseSchema)[];
  readonly fields: readonly FieldSchema[];
}

/** The schema without what does not matter to bytes: documentation and names of structs, aliases, fallbacks. */
export function canonical(schema: Schema): unknown {
  if (typeof schema === "string") return schema;
  const { type, id = 0, key, of, fields } = schema as unknown as Composite;
  if (type === "ref") return [type, id];
  if (type === "struct") return [type, id, fields.map((f) => [f.name, f.optional === true ? 1 : 0, canonical(f.of)])];
  if (type === "union") return [type, id, of.map((c) => [c.tag, canonical(c.of)])];
  const inner = Array.isArray(of) ? of.map(canonical) : canonical(of);
  return type === "map" ? [type, id, canonical(key), inner] : [type, id, inner];
}
