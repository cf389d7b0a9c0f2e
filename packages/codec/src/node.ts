import type { Generator } from "./generator.ts";
import type { Schema, SchemaBuilder } from "./schema.ts";
import type { In, Out } from "./state.ts";
import type { Declaration } from "./types.ts";
import type { Writer } from "./writer.ts";

/** How a codec was declared. Children are still `Def`s, and may be lazy. */
export interface Def extends Declaration {
  /** Whether a stranger wrote it: never made into code. */
  readonly foreign?: boolean;
  /** Resolves children through `plan`, which may call getters and `lazy` functions. */
  build(plan: Plan): Node;
  /** Plain data. */
  describe(schemas: SchemaBuilder): Schema;
}

/** Turns the declarations below one root into nodes, each once. */
export interface Plan {
  node(def: Def): Node;
  /** Puts a node in place before its children are built, so that they may refer to it. */
  place<N extends Node>(def: Def, node: N): N;
}

/**
 * One type of a schema, ready to work. Each value is cut in two: a few *head bits*, which the container packs together
 * with those of its other members, and a *body* of whole bytes (docs/codec-format.md, section 3).
 */
export interface Node {
  readonly kind: string;
  /** Width of the head. */
  readonly bits: number;
  /** A lower bound for the bytes of the body, looking `depth` levels down. */
  least(depth: number): number;
  /** Most bytes of the body, up to what brings its own `reserve` (lists, bytes): what a container reserves at once. */
  most: number;
  /** The same where it depends on children. */
  room?(g: Generator): number;
  /** Head of `value`, and the check of its type where the head is all there is. */
  head(out: Out, value: unknown): number;
  /** Writes the body. */
  encode(out: Out, value: unknown, head: number): void;
  /** Reads the body. */
  decode(from: In, head: number): unknown;
  /** A whole list of these in a dense form of its own, where `array` does not know one by the kind. */
  readonly list?: List | undefined;
  /** A form of its own where the value is the whole message. */
  readonly root?: {
    encode(writer: Writer, value: unknown): void;
    decode(from: In): unknown;
  };
  /** Children, for what walks over nodes. */
  readonly of: readonly Node[];
  /** The same node with other children, which may come later. Structs are matched by name instead. */
  remake?(of: readonly Node[]): Node;
  /** Set by the plan where the schema refers to itself: such nodes count depth, and become functions when compiled. */
  recursive?: boolean;
  /** How many places use this node. */
  uses?: number;
  /** Expression for the head of `v`; statements that it needs go to `g`. */
  genHead?(g: Generator, v: string): string;
  /** Emits the statements that write the body. */
  genEncode(g: Generator, v: string, head: string): void;
  /** Emits the statements that read the body, gives an expression for the value. */
  genDecode(g: Generator, head: string): string;
}

/** Dense form of a list: how `n` values lie side by side (docs/codec-format.md, section 6). */
export interface List {
  /** Name among the runtime's lists. */
  readonly name: string;
  /** Bytes that `n` values take at least. */
  least(n: number): number;
  /** Writes `values`; reserves by parts, since most lists take far less than they could. */
  write(out: Writer, values: readonly unknown[], n: number): void;
  /** Reads `n` values; `least(n)` bytes were checked to be there. */
  read(from: ListIn, n: number): unknown[];
}

/** What lists read from. */
export interface ListIn {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos: number;
  readonly end: number;
}

/** How deep `least` looks: deeper levels count as nothing, which is still a lower bound. */
const LEAST_DEPTH = 4;

/** Bits that one element takes at least. 0 means that bytes cannot bound how many there are. */
export function leastBits(nodes: readonly Node[]): number {
  let bits = 0;
  for (const node of nodes) bits += node.bits + 8 * node.least(LEAST_DEPTH);
  return bits;
}
