import { decodeAlone, encodeAlone } from "./bits.ts";
import { choicesOf } from "./choices.ts";
import { childDef, type Member, membersOf } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { expected, fail, within } from "./fault.ts";
import { choose } from "./generator-lists.ts";
import { MOST_CHOICES } from "./kinds.ts";
import type { Def, Node } from "./node.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of a union of the cases `C`. */
export interface UnionTypes<C> {
  readonly output: { [K in keyof C & string]: { type: K; value: Infer<C[K]> } }[keyof C & string];
  readonly input: { [K in keyof C & string]: { readonly type: K; readonly value: InferInput<C[K]> } }[keyof C & string];
}

/** A codec for `{ type, value }` with one codec for each type. */
export interface UnionCodec<C> extends CodecOf<UnionTypes<C>> {}

/** Options of {@link union}. */
export interface UnionOptions<T> {
  /** What `readerOf` gives for cases that only the writer's schema has. Without it such schemas are incompatible. */
  readonly fallback?: T | undefined;
}

/**
 * One of several cases: `{ type: tag, value }`, which TypeScript narrows on `type`. Getters may mention the union itself.
 *
 * @throws TypeError naming the case that is not a codec
 */
// biome-ignore lint/suspicious/noExplicitAny: as for struct, a constraint would call getters
export function union<const C extends Readonly<Record<string, any>>>(
  cases: C,
  options: UnionOptions<UnionTypes<C>["output"]> = {},
): UnionCodec<C> {
  const members = membersOf(cases, (member, tag) => childDef(member as AnyCodec, `union case "${tag}"`));
  return makeCodec<UnionCodec<C>>(unionDef(members, options.fallback));
}

/** Declaration of a union of these cases. */
export function unionDef(members: readonly Member<Def>[], fallback: UnionNode["fallback"]): Def {
  if (members.length === 0 || members.length > MOST_CHOICES) {
    throw new TypeError(`union takes 1 to ${MOST_CHOICES} cases, got ${members.length}`);
  }
  const tags = members.map(([tag]) => tag);
  if (fallback !== undefined && !tags.includes(fallback.type)) {
    throw new TypeError(`union has no case ${JSON.stringify(fallback.type)} to fall back to`);
  }
  const def: Def = {
    kind: "union",
    build(plan) {
      const of: Node[] = [];
      const node = plan.place(def, unionNode(tags, of, fallback));
      for (const [, get] of members) of.push(plan.node(get()));
      return node;
    },
    describe: (schemas) =>
      schemas.composite(def, "union", () => ({
        of: members.map(([tag, get]) => ({ tag, of: get().describe(schemas) })),
        ...(fallback === undefined ? {} : { fallback: fallback.type }),
      })),
  };
  return def;
}

/** The node of a union, for the resolver too. */
export interface UnionNode extends Node {
  readonly kind: "union";
  readonly tags: readonly string[];
  readonly fallback: { readonly type: string; readonly value: unknown } | undefined;
}

export function unionNode(tags: readonly string[], of: readonly Node[], fallback: UnionNode["fallback"]): UnionNode {
  const { bits, indexOf, genIndex } = choicesOf(tags);
  const check = (value: unknown): number => {
    if (typeof value !== "object" || value === null) expected("{ type, value }", value);
    return indexOf((value as { type: unknown }).type, "type to be ");
  };
  return {
    kind: "union",
    tags,
    fallback,
    of,
    remake: (of) => unionNode(tags, of, fallback),
    bits,
    most: 0,
    room: (g) => Math.max(...of.map((node) => g.room(node) + Math.ceil(node.bits / 8))),
    least: () => 0,
    head: (_out, value) => check(value),
    encode(out, value, head) {
      if (bits === 0) check(value);
      try {
        encodeAlone(out, of[head] as Node, (value as { value: unknown }).value);
      } catch (error) {
        throw within(error, ".value");
      }
    },
    decode(from, head) {
      const type = tags[head];
      if (type === undefined) fail("variant", `union has no case number ${head}`);
      try {
        return { type, value: decodeAlone(from, of[head] as Node) };
      } catch (error) {
        throw within(error, ".value");
      }
    },
    genHead(g, v) {
      g.line(`if(typeof ${v}!=="object"||${v}===null)bad();`);
      return genIndex(g, g.bind(`${v}.type`));
    },
    genEncode(g, v, head) {
      if (bits === 0) g.head({ ...this, bits: 1 }, v);
      const x = g.bind(`${v}.value`);
      choose(g, bits === 0 ? "0" : head, of, (node) => g.encodeAlone(node, x));
    },
    genDecode(g, head) {
      const x = g.name();
      g.line(`let ${x};`);
      choose(g, bits === 0 ? "0" : head, of, (node, i) => {
        const value = g.decodeAlone(node);
        g.line(`${x}={type:${g.text1(tags[i] as string)},value:${value}};`);
      });
      return x;
    },
  };
}
