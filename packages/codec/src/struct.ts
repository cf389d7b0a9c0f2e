import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { makeCodec } from "./codec.ts";
import { fieldSegment } from "./codec-error.ts";
import { define, own } from "./define.ts";
import { absent, expected, within } from "./fault.ts";
import type { Def, Node } from "./node.ts";
import type { OptionalDef } from "./optional.ts";
import type { In, Out } from "./state.ts";
import { genStructDecode, genStructEncode } from "./struct-code.ts";
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
  return makeCodec<StructCodec<F>>(structDef(fields, options));
}

/** Declaration of a struct, with what resolution needs. */
export interface StructDef extends Def {
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

function structDef(fields: object, options: StructOptions): StructDef {
  if (typeof fields !== "object" || fields === null) throw new TypeError("struct takes an object of codecs");
  const members: [string, () => Def][] = [];
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(fields))) {
    if (!member.enumerable) continue;
    if (member.get !== undefined) {
      let def: Def | undefined;
      members.push([name, () => (def ??= defOf((fields as Record<string, unknown>)[name], name))]);
    } else {
      const def = defOf(member.value, name);
      members.push([name, () => def]);
    }
  }
  const aliases = new Map(Object.entries(options.aliases ?? {}));
  for (const name of aliases.keys()) {
    if (!members.some(([member]) => member === name))
      throw new TypeError(`struct has aliases for "${name}", which is no field of it`);
  }
  const { name, doc } = options;
  const def: StructDef = {
    kind: "struct",
    aliases,
    build(plan) {
      const list: Field[] = [];
      const node = plan.place(def, structNode(list, aliases));
      for (const [name, get] of members) {
        const member = get() as OptionalDef;
        const child = plan.node(member.inner ?? member);
        list.push({
          name,
          node: child,
          optional: member.inner !== undefined,
          fill: member.fill,
          inherited: name in Object.prototype,
        });
        (node.of as Node[]).push(child);
      }
      return node;
    },
    describe: (schemas) =>
      schemas.composite(def, "struct", () => ({
        ...(name === undefined ? {} : { name }),
        ...(doc === undefined ? {} : { doc }),
        fields: members.map(([name, get]) => {
          const member = get() as OptionalDef;
          const of = (member.inner ?? member).describe(schemas);
          return {
            name,
            of,
            ...(member.inner === undefined ? {} : { optional: true }),
            ...(aliases.has(name) ? { aliases: [...(aliases.get(name) as readonly string[])] } : {}),
          };
        }),
      })),
  };
  return def;
}

function defOf(member: unknown, name: string): Def {
  const def = (member as { "~def"?: Def } | null | undefined)?.["~def"];
  if (def === undefined) throw new TypeError(`struct field "${name}" is not a codec`);
  return def;
}

/** A field, ready to work. */
export interface Field {
  readonly name: string;
  readonly node: Node;
  readonly optional: boolean;
  /** Makes the value of an absent field that has a default. */
  readonly fill: (() => unknown) | undefined;
  /** Whether `Object.prototype` has a member of this name, so that a value must have its own. */
  readonly inherited: boolean;
}

/** The node of a struct, for the resolver too. */
export interface StructNode extends Node {
  readonly kind: "struct";
  readonly fields: readonly Field[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

/** Head bits of all fields. */
function bitsOf(fields: readonly Field[]): number {
  let bits = 0;
  for (const { node, optional } of fields) bits += node.bits + (optional ? 1 : 0);
  return bits;
}

export function structNode(fields: readonly Field[], aliases: ReadonlyMap<string, readonly string[]>): StructNode {
  let bits = -1;
  const node: StructNode = {
    kind: "struct",
    fields,
    aliases,
    of: [],
    bits: 0,
    most: 0,
    least(depth) {
      let bytes = Math.ceil(bitsOf(fields) / 8);
      if (depth > 0) for (const { node, optional } of fields) if (!optional) bytes += node.least(depth - 1);
      return bytes;
    },
    head: () => 0,
    encode(out, value) {
      if (typeof value !== "object" || value === null) expected("object", value);
      if (bits < 0) bits = bitsOf(fields);
      encodeFields(out, fields, bits, value as Record<string, unknown>);
    },
    decode(from) {
      if (bits < 0) bits = bitsOf(fields);
      return decodeFields(from, fields, bits);
    },
    room: (g) => Math.ceil(bitsOf(fields) / 8) + g.roomOf(fields),
    genEncode: (g, v) => genStructEncode(g, fields, v),
    genDecode: (g) => genStructDecode(g, fields),
  };
  return node;
}

function encodeFields(out: Out, fields: readonly Field[], bits: number, value: Record<string, unknown>): void {
  const count = fields.length;
  let field = fields[0] as Field;
  try {
    if (bits === 0) {
      for (let i = 0; i < count; i++) {
        field = fields[i] as Field;
        field.node.encode(out, field.inherited ? own(value, field.name) : value[field.name], 0);
      }
      return;
    }
    const start = openBits(out, bits);
    const heads: number[] = [];
    let offset = 0;
    for (let i = 0; i < count; i++) {
      field = fields[i] as Field;
      const { node, optional } = field;
      let head = 0;
      if (optional || node.bits > 0) {
        const item = field.inherited ? own(value, field.name) : value[field.name];
        if (!optional) head = node.head(out, item);
        else if (item !== undefined) head = 1 | (node.bits > 0 ? node.head(out, item) << 1 : 0);
        else if (out.strict && field.fill !== undefined) expected("a value, as decoding fills in its default", item);
        const width = node.bits + (optional ? 1 : 0);
        if (head !== 0) putBits(out.writer.bytes, start, offset, width, head);
        offset += width;
      }
      heads.push(head);
    }
    for (let i = 0; i < count; i++) {
      field = fields[i] as Field;
      const head = heads[i] as number;
      if (field.optional && head === 0) continue;
      const item = field.inherited ? own(value, field.name) : value[field.name];
      field.node.encode(out, item, field.optional ? head >> 1 : head);
    }
  } catch (error) {
    throw within(error, fieldSegment(field.name));
  }
}

function decodeFields(from: In, fields: readonly Field[], bits: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const start = bits > 0 ? takeBits(from, bits) : 0;
  let offset = 0;
  let i = 0;
  try {
    for (; i < fields.length; i++) {
      const { name, node, optional, fill } = fields[i] as Field;
      const width = node.bits + (optional ? 1 : 0);
      let head = 0;
      if (width > 0) {
        head = getBits(from.bytes, start, offset, width);
        offset += width;
      }
      let item: unknown;
      if (!optional) item = node.decode(from, head);
      else if ((head & 1) === 1) item = node.decode(from, head >> 1);
      else {
        absent(head);
        if (fill === undefined) continue;
        from.charge(1);
        item = fill();
      }
      if (name === "__proto__") define(value, name, item);
      else value[name] = item;
    }
  } catch (error) {
    throw within(error, fieldSegment((fields[i] as Field).name));
  }
  return value;
}
