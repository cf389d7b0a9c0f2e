import type { Def, Node } from "./node.ts";
import type { OptionalDef } from "./optional.ts";
import type { Schema } from "./schema.ts";
import type { AnyCodec } from "./types.ts";

/** The declaration of what should be a codec. */
export function childDef(codec: AnyCodec, what: string): Def {
  const def = (codec as AnyCodec | null | undefined)?.["~def"] as OptionalDef | undefined;
  if (def === undefined) throw new TypeError(`${what} takes a codec`);
  if (def.inner !== undefined)
    throw new TypeError(`${what} takes a codec, got an optional: only struct fields may be optional`);
  return def;
}

/** Declaration of a container: its node works on a list of children that is filled once it is in its place. */
export function containerDef(
  kind: string,
  children: readonly Def[],
  create: (of: readonly Node[]) => Node,
  schema: (of: readonly Schema[]) => object,
): Def {
  const def: Def = {
    kind,
    build(plan) {
      const of: Node[] = [];
      const node = plan.place(def, create(of));
      for (const child of children) of.push(plan.node(child));
      return node;
    },
    describe: (schemas) => schemas.composite(def, kind, () => schema(children.map((child) => child.describe(schemas)))),
  };
  return def;
}

/** A member and its declaration. */
export type Member<D extends Def> = readonly [name: string, get: () => D];

/** Named members of a declaration, as declarations of their own. A getter is called once, when its member is needed. */
export function membersOf<D extends Def>(object: object, defOf: (member: unknown, name: string) => D): Member<D>[] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(object)).filter(([, { enumerable }]) => enumerable);
  return own.map(([name, { get, value }]) => {
    let def = get === undefined ? defOf(value, name) : undefined;
    return [name, () => (def ??= defOf((object as Record<string, unknown>)[name], name))];
  });
}
