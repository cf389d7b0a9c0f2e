import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { childDef, containerDef } from "./children.ts";
import { makeCodec } from "./codec.ts";
import { expected, truncated, within } from "./fault.ts";
import type { Generator } from "./generator.ts";
import { genReadRows, genRows } from "./generator-lists.ts";
import { i32List, u32List } from "./list-groups.ts";
import { f64List } from "./list-doubles.ts";
import { intList, uintList } from "./list-blocks.ts";
import { wrongItem } from "./lists.ts";
import { leastBits, type List, type Node } from "./node.ts";
import type { In, Out } from "./state.ts";
import { itemsOf, toSet } from "./values.ts";
import type { AnyCodec, CodecOf, Infer, InferInput } from "./types.ts";

/** Types of an array of `C`. */
export interface ArrayTypes<C> {
  readonly output: Infer<C>[];
  readonly input: readonly InferInput<C>[];
}

/** A codec for arrays. */
export interface ArrayCodec<C> extends CodecOf<ArrayTypes<C>> {}

/** Types of a set of `C`. */
export interface SetTypes<C> {
  readonly output: Set<Infer<C>>;
  readonly input: ReadonlySet<InferInput<C>>;
}

/** A codec for `Set`s. */
export interface SetCodec<C> extends CodecOf<SetTypes<C>> {}

/** Arrays of any length. Numbers lie dense: whole lists of them cost one check of type each and no tag. */
export function array<C extends AnyCodec>(codec: C): ArrayCodec<C> {
  return makeCodec<ArrayCodec<C>>(
    containerDef(
      "array",
      [childDef(codec, "array")],
      (of) => arrayNode(of, false),
      ([of]) => ({ of }),
    ),
  );
}

/** A `Set`, in its order. Elements that are equal after decoding are refused. */
export function set<C extends AnyCodec>(codec: C): SetCodec<C> {
  return makeCodec<SetCodec<C>>(
    containerDef(
      "set",
      [childDef(codec, "set")],
      (of) => arrayNode(of, true),
      ([of]) => ({ of }),
    ),
  );
}

export function arrayNode(of: readonly Node[], isSet: boolean): Node {
  const kind = isSet ? "set" : "array";
  let known: Items | undefined;
  const items = (): Items => (known ??= itemsOfNode(of[0] as Node));
  return {
    kind,
    of,
    remake: (of) => arrayNode(of, isSet),
    bits: 0,
    most: 5,
    least: () => 1,
    head: () => 0,
    encode(out, value) {
      const values = isSet ? itemsOf(value) : value;
      if (!Array.isArray(values)) expected(kind, value);
      encodeItems(out, known ?? items(), values);
    },
    decode(from) {
      const values = decodeItems(from, known ?? items());
      return isSet ? toSet(values) : values;
    },
    genEncode(g, v) {
      const values = isSet ? g.bind(`${g.external(itemsOf)}(${v})`) : v;
      g.line(`if(!Array.isArray(${values}))bad();`);
      genItems(g, of[0] as Node, values);
    },
    genDecode(g) {
      const values = genReadItems(g, of[0] as Node);
      return isSet ? g.bind(`${g.external(toSet)}(${values})`) : values;
    },
  };
}

/** Dense forms of elements that do not bring one: here, so that schemas without lists do without them. */
const lists: Readonly<Record<string, List>> = {
  u32: u32List,
  i32: i32List,
  uint: uintList,
  int: intList,
  f64: f64List,
};

export function listOf(node: Node): List | undefined {
  return node.list ?? lists[node.kind];
}

/** What the interpreter needs of the elements: nodes are of many shapes, this is of one. */
interface Items {
  readonly bits: number;
  readonly least: number;
  readonly list: List | undefined;
  readonly head: Node["head"];
  readonly encode: Node["encode"];
  readonly decode: Node["decode"];
}

function itemsOfNode(node: Node): Items {
  const { bits, head, encode, decode } = node;
  return { bits, least: leastBits([node]), list: listOf(node), head, encode, decode };
}

function encodeItems(out: Out, { bits, list, head: headOf, encode }: Items, values: readonly unknown[]): void {
  const n = values.length;
  out.leb(n);
  if (list !== undefined) {
    return writeDense(out, list, values, n);
  }
  const start = bits > 0 ? openBits(out, n * bits) : 0;
  let i = 0;
  try {
    for (; i < n; i++) {
      const value = values[i];
      let head = 0;
      if (bits > 0) {
        head = headOf(out, value);
        putBits(out.writer.bytes, start, i * bits, bits, head);
      }
      encode(out, value, head);
    }
  } catch (error) {
    throw within(error, `[${i}]`);
  }
}

/** Arithmetic on symbols and on bigints among numbers throws by itself: this says which element it was. */
function writeDense({ writer }: Out, list: List, values: readonly unknown[], n: number): void {
  try {
    list.write(writer, values, n);
  } catch (error) {
    const isBig = list.name === "u64" || list.name === "i64";
    const throws = (value: unknown): boolean => typeof value === "symbol" || (typeof value === "bigint" && !isBig);
    const wrong = error instanceof TypeError ? values.findIndex(throws) : -1;
    if (wrong >= 0) wrongItem(list.name, values[wrong], wrong);
    throw error;
  }
}

function decodeItems(from: In, { bits, least, list, decode }: Items): unknown[] {
  if (list !== undefined) {
    const n = from.leb();
    if (list.least(n) > from.end - from.pos) truncated();
    return list.read(from, n);
  }
  const n = from.count(least);
  const start = bits > 0 ? takeBits(from, n * bits) : 0;
  const values = new Array<unknown>(n);
  let i = 0;
  try {
    for (; i < n; i++) {
      values[i] = decode(from, bits > 0 ? getBits(from.bytes, start, i * bits, bits) : 0);
    }
  } catch (error) {
    throw within(error, `[${i}]`);
  }
  return values;
}

function genItems(g: Generator, node: Node, values: string): void {
  const n = g.bind(`${values}.length`);
  g.line(g.leb(n));
  const dense = listOf(node);
  if (dense !== undefined) {
    g.line(`w.pos=p;${g.external(dense)}.write(w,${values},${n});p=w.pos;`);
    return g.reload();
  }
  genRows(g, [node], [values], n);
}

function genReadItems(g: Generator, node: Node): string {
  const dense = listOf(node);
  if (dense === undefined) {
    const put = (rows: string, [x]: readonly string[], i: string): void => g.line(`${rows}[${i}]=${x};`);
    return genReadRows(g, [node], (n) => `new Array(${n})`, put).rows;
  }
  const n = g.readLeb();
  const list = g.external(dense);
  g.line(`if(!(${list}.least(${n})<=E-p))bad();I.pos=p;`);
  const x = g.bind(`${list}.read(I,${n})`);
  g.line("p=I.pos;");
  return x;
}
