import { childDef, containerDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { expected } from "./fault.ts";
import { type Field, fieldOf, membersNode } from "./members.ts";
import type { Node } from "./node.ts";
import { genMembers, genTupleDecode } from "./struct-code.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of a tuple. */
export interface TupleTypes<C extends readonly unknown[]> {
  readonly output: { -readonly [K in keyof C]: Infer<C[K]> };
  readonly input: { readonly [K in keyof C]: InferInput<C[K]> };
}

/** A codec for arrays of known length, with a type for each place. */
export interface TupleCodec<C extends readonly unknown[]> extends CodecOf<TupleTypes<C>> {}

/** Arrays of known length, with a type for each place. */
export function tuple<const C extends readonly AnyCodec[]>(codecs: C): TupleCodec<C> {
  const children = codecs.map((codec) => childDef(codec, "tuple"));
  return makeCodec<TupleCodec<C>>(containerDef("tuple", children, tupleNode, (of) => ({ of })));
}

export function tupleNode(of: readonly Node[]): Node {
  const fields = (): Field[] => of.map((node, i) => fieldOf(String(i), `[${i}]`, node));
  const check = (value: unknown): void => {
    if (!Array.isArray(value) || value.length !== of.length) expected(`array of ${of.length}`, value);
  };
  return {
    ...membersNode(fields, check, () => () => []),
    kind: "tuple",
    of,
    remake: tupleNode,
    genEncode(g, v) {
      g.line(`if(!Array.isArray(${v})||${v}.length!==${of.length})bad();`);
      genMembers(
        g,
        fields(),
        of.map((_, i) => g.bind(`${v}[${i}]`)),
      );
    },
    genDecode: (g) => genTupleDecode(g, fields()),
  };
}
