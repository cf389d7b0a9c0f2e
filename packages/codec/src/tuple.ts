import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { childDef, containerDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { expected, within } from "./fault.ts";
import type { Node } from "./node.ts";
import type { Field } from "./struct.ts";
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
  const width = (): number => of.reduce((bits, node) => bits + node.bits, 0);
  const members = (): Field[] =>
    of.map((node) => ({ name: "", node, optional: false, fill: undefined, inherited: false }));
  return {
    kind: "tuple",
    of,
    bits: 0,
    most: 0,
    room: (g) => Math.ceil(width() / 8) + g.roomOf(members()),
    least(depth) {
      let bytes = Math.ceil(width() / 8);
      if (depth > 0) for (const node of of) bytes += node.least(depth - 1);
      return bytes;
    },
    head: () => 0,
    encode(out, value) {
      if (!Array.isArray(value) || value.length !== of.length) expected(`array of ${of.length}`, value);
      let i = 0;
      try {
        const start = openBits(out, width());
        const heads: number[] = [];
        for (let offset = 0; i < of.length; i++) {
          const node = of[i] as Node;
          const head = node.bits > 0 ? node.head(out, value[i]) : 0;
          heads.push(head);
          if (node.bits > 0) putBits(out.writer.bytes, start, offset, node.bits, head);
          offset += node.bits;
        }
        for (i = 0; i < of.length; i++) (of[i] as Node).encode(out, value[i], heads[i] as number);
      } catch (error) {
        throw within(error, `[${i}]`);
      }
    },
    decode(from) {
      const start = takeBits(from, width());
      const value: unknown[] = [];
      let i = 0;
      try {
        for (let offset = 0; i < of.length; i++) {
          const node = of[i] as Node;
          value.push(node.decode(from, node.bits > 0 ? getBits(from.bytes, start, offset, node.bits) : 0));
          offset += node.bits;
        }
      } catch (error) {
        throw within(error, `[${i}]`);
      }
      return value;
    },
    genEncode(g, v) {
      g.line(`if(!Array.isArray(${v})||${v}.length!==${of.length})bad();`);
      genMembers(
        g,
        members(),
        of.map((_, i) => g.bind(`${v}[${i}]`)),
      );
    },
    genDecode: (g) => genTupleDecode(g, members()),
  };
}
