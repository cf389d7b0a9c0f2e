import { any } from "./any.ts";
import { array, set } from "./array.ts";
import { makeCodec } from "./codec.ts";
import { enumeration } from "./enumeration.ts";
import { lazy } from "./lazy.ts";
import { map, record } from "./map.ts";
import type { Def } from "./node.ts";
import { nullable } from "./nullable.ts";
import { optional } from "./optional.ts";
import { type Parsed, parseSchema } from "./parse-schema.ts";
import { bytes, uuid } from "./scalars.ts";
import type { Schema } from "./schema.ts";
import { simpleLeaves } from "./simple-leaves.ts";
import { struct } from "./struct.ts";
import { tuple } from "./tuple.ts";
import type { AnyCodec, Codec } from "./types.ts";
import { typedArray } from "./typed-array.ts";
import { union } from "./union.ts";

/**
 * The codec of a schema that came from elsewhere: reads and writes what the codec it was taken from does, with the same
 * fingerprint. It is always interpreted, since a stranger's names must not become code.
 *
 * @throws CodecError `schema` when it is not one, or past 64 KiB, 4,096 nodes or 64 levels
 */
export function codecFromSchema(schema: Schema): Codec<unknown> {
  const def = build(parseSchema(schema), new Map())["~def"] as Def;
  const foreign: Def = {
    kind: def.kind,
    foreign: true,
    build: (plan) => plan.node(def),
    describe: (schemas) => def.describe(schemas),
  };
  return makeCodec<Codec<unknown>>(foreign);
}

function build(node: Parsed, known: Map<Parsed, AnyCodec | undefined>): AnyCodec {
  const ready = known.get(node);
  if (ready !== undefined) return ready;
  // Met inside itself: named now, there later.
  if (known.has(node)) return lazy(() => known.get(node) as AnyCodec);
  known.set(node, undefined);
  const codec = create(
    node,
    node.of.map((child) => build(child, known)),
  );
  known.set(node, codec);
  return codec;
}

function create(
  { kind, names, optional: absent, aliases, fallback, title, doc }: Parsed,
  of: readonly AnyCodec[],
): AnyCodec {
  const [first, second] = of as readonly [AnyCodec, AnyCodec];
  switch (kind) {
    case "nullable":
      return nullable(first);
    case "array":
      return array(first);
    case "set":
      return set(first);
    case "record":
      return record(first);
    case "map":
      return map(first, second);
    case "tuple":
      return tuple(of);
    case "enumeration":
      return enumeration(names, { fallback });
    case "typedArray":
      return typedArray(
        (globalThis as unknown as Record<string, typeof Float64Array>)[names[0] as string] as typeof Float64Array,
      );
    case "union":
      // The schema has the fallback's tag, and nothing of its value.
      return union(members(names, of), {
        fallback: fallback === undefined ? undefined : { type: fallback, value: undefined as never },
      });
    case "struct":
      return struct(
        members(
          names,
          of.map((codec, i) => (absent[i] ? optional(codec) : codec)),
        ),
        { name: title, doc, aliases: members([...aliases.keys()], [...aliases.values()]) as Record<string, string[]> },
      );
    case "bytes":
      return bytes;
    case "uuid":
      return uuid;
    case "any":
      return any;
    default:
      return simpleLeaves[kind] as AnyCodec;
  }
}

/** An object with these members, own ones whatever their names. */
function members(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
