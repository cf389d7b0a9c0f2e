import { type Member, membersOf } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { fieldSegment, tagOf } from "./codec-error.ts";
import { own } from "./define.ts";
import { expected } from "./fault.ts";
import { type Field, fieldOf, membersNode } from "./members.ts";
import type { Def, Node } from "./node.ts";
import type { OptionalDef } from "./optional.ts";
import { genStructDecode, genStructEncode, mayBeBare } from "./struct-code.ts";
import { objectMaker } from "./values.ts";
import type { CodecOf, StructInput, StructOutput } from "./types.ts";

/** Types of a struct with fields `F`. */
export interface StructTypes<F> {
  readonly output: StructOutput<F>;
  readonly input: StructInput<F>;
}

/** A codec for plain objects with known keys. */
export interface StructCodec<F> extends CodecOf<StructTypes<F>> {}

/** What a struct may be told about itself. None of it changes the bytes. */
export interface StructOptions {
  readonly name?: string | undefined;
  readonly doc?: string | undefined;
  /** Names that fields had in older schemas: `{ newName: ["oldName"] }`. */
  readonly aliases?: { readonly [name: string]: readonly string[] } | undefined;
}

/**
 * Plain objects with known keys, encoded in the order of declaration. Keys that are not declared are ignored, never
 * sent. A getter may mention the struct itself; it is first called when a value is coded.
 *
 * @example
 * const Point = struct({ x: f64, y: f64, label: optional(string) });
 * @throws TypeError naming the field that is not a codec
 */
// biome-ignore lint/suspicious/noExplicitAny: a constraint on the members would call getters that mention the struct
export function struct<const F extends Readonly<Record<string, any>>>(
  fields: F,
  options: StructOptions = {},
): StructCodec<F> {
  if (typeof fields !== "object" || fields === null) throw new TypeError("struct takes an object of codecs");
  const aliases = new Map(Object.entries(options.aliases ?? {}));
  return makeCodec<StructCodec<F>>(structDef(membersOf(fields, defOf), options, aliases));
}

/** Declaration of a struct of these members. */
export function structDef(
  members: readonly Member<OptionalDef>[],
  { name, doc }: StructOptions,
  aliases: StructNode["aliases"],
): Def {
  const names = new Set(members.map(([member]) => member));
  for (const name of aliases.keys()) {
    if (!names.has(name)) throw new TypeError(`struct has aliases for "${name}", which is no field of it`);
  }
  const def: Def = {
    kind: "struct",
    build(plan) {
      const list: Field[] = [];
      const of: Node[] = [];
      const node = plan.place(def, structNode(list, of, aliases));
      for (const [name, get] of members) {
        const { inner, fill } = get();
        const child = plan.node(inner ?? get());
        list.push(fieldOf(name, fieldSegment(name), child, inner !== undefined, fill));
        of.push(child);
      }
      return node;
    },
    describe: (schemas) =>
      schemas.composite(def, "struct", () => ({
        ...(name === undefined ? {} : { name }),
        ...(doc === undefined ? {} : { doc }),
        fields: members.map(([name, get]) => ({
          name,
          of: get().describe(schemas),
          ...(get().inner === undefined ? {} : { optional: true }),
          ...(aliases.has(name) ? { aliases: [...(aliases.get(name) as readonly string[])] } : {}),
        })),
      })),
  };
  return def;
}

function defOf(member: unknown, name: string): OptionalDef {
  const def = (member as { "~def"?: OptionalDef } | null | undefined)?.["~def"];
  if (def === undefined) throw new TypeError(`struct field "${name}" is not a codec`);
  return def;
}

/** The node of a struct, for the resolver too. */
export interface StructNode extends Node {
  readonly fields: readonly Field[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

function structNode(fields: readonly Field[], of: readonly Node[], aliases: StructNode["aliases"]): StructNode {
  let bare: boolean | undefined;
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null) expected("object", value);
    bare ??= mayBeBare(fields);
    // Lists, Maps, dates, promises and the like would lose what they hold.
    if (
      bare &&
      tagOf(value) !== "Object" &&
      fields.every(({ name }) => own(value as Record<string, unknown>, name) === undefined)
    )
      expected("object", value);
  };
  return {
    ...membersNode(() => fields, check, objectMaker),
    kind: "struct",
    fields,
    aliases,
    of,
    genEncode: (g, v) => genStructEncode(g, fields, v, check),
    genDecode: (g) => genStructDecode(g, fields),
  };
}
