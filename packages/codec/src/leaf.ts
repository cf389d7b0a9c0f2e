import { makeCodec } from "./codec.ts";
import type { Generator } from "./generator.ts";
import type { List, Node } from "./node.ts";
import type { LeafType } from "./schema.ts";
import type { In, Out } from "./state.ts";
import type { Codec } from "./types.ts";

/** What tells one leaf type from another. */
export interface LeafSpec {
  /** Fewest and most bytes of the body. */
  readonly least: number;
  readonly most: number;
  readonly bits?: number;
  readonly list?: List;
  head?(out: Out, value: unknown): number;
  encode(out: Out, value: unknown): void;
  decode(from: In, head: number): unknown;
  genHead?(g: Generator, v: string): string;
  genEncode(g: Generator, v: string): void;
  genDecode(g: Generator, head: string): string;
}

const NO_CHILDREN: readonly Node[] = [];

/** The node of a type without children. */
export function leafNode(kind: string, spec: LeafSpec): Node {
  return {
    kind,
    bits: spec.bits ?? 0,
    least: () => spec.least,
    most: spec.most,
    head: spec.head ?? (() => 0),
    encode: spec.encode,
    decode: spec.decode,
    list: spec.list,
    of: NO_CHILDREN,
    ...(spec.genHead === undefined ? {} : { genHead: spec.genHead }),
    genEncode: spec.genEncode,
    genDecode: spec.genDecode,
  };
}

/** A codec of a type without children. */
export function leaf<T>(kind: LeafType, spec: LeafSpec): Codec<T> {
  const node = leafNode(kind, spec);
  return makeCodec<Codec<T>>({ kind, build: () => node, describe: () => kind });
}
