/** Nodes for what a writer wrote and the reader wants otherwise, or not at all. */
import { arrayNode, listOf } from "./array.ts";
import { decodeAlone } from "./bits.ts";
import { fieldSegment } from "./codec-error.ts";
import { fail } from "./fault.ts";
import { ELEMENT_BYTES, indexBits, MOST_CHOICES } from "./kinds.ts";
import { pairsNode } from "./map.ts";
import { fieldOf, membersNode } from "./members.ts";
import type { List, Node } from "./node.ts";
import { nullableNode } from "./nullable.ts";
import type { Parsed } from "./parse-schema.ts";
import { planOf } from "./plan.ts";
import { string } from "./scalars.ts";
import { simpleLeaves } from "./simple-leaves.ts";
import type { In } from "./state.ts";
import { tupleNode } from "./tuple.ts";
import type { AnyCodec } from "./types.ts";

/** Readers' numbers that hold every value of a writer's. */
const WIDER: Readonly<Record<string, string>> = {
  u8: "u16 u32 u64 i16 i32 i64 uint int f32 f64",
  u16: "u32 u64 i32 i64 uint int f32 f64",
  u32: "u64 i64 uint int f64",
  uint: "u64 i64 int f64",
  u64: "",
  i8: "i16 i32 i64 int f32 f64",
  i16: "i32 i64 int f32 f64",
  i32: "i64 int f64",
  int: "i64 f64",
  i64: "",
  f32: "f64",
  f64: "",
};

/** Whether a reader of `to` may be given what a writer of `from` wrote. */
export function widens(from: string, to: string): boolean {
  return (WIDER[from] ?? "").split(" ").includes(to);
}

/** A node that reads the numbers of a writer's `kind`, as bigints where the reader's type wants them. */
export function widened(kind: string, toBigint: boolean): Node {
  const { node } = planOf((simpleLeaves[kind] as AnyCodec)["~def"]);
  if (!toBigint) return node;
  const list = listOf(node) as List;
  return reading(kind, 0, node.least(0), (from) => BigInt(node.decode(from, 0) as number), {
    ...list,
    read: (from, n) => (list.read(from, n) as number[]).map(BigInt),
  });
}

/** A node that can only read. */
export function reading(
  kind: string,
  bits: number,
  least: number,
  decode: (from: In, head: number) => unknown,
  list?: List,
): Node {
  const no = (): never => fail("type", "a resolver only reads");
  return {
    kind,
    bits,
    least: () => least,
    most: 0,
    head: no,
    encode: no,
    decode,
    list,
    of: [],
    genEncode: no,
    genDecode: no,
  };
}

/** What {@link dropped} needs of the resolution that it is part of. */
interface Dropping {
  /** The node for a child. */
  skip(writer: Parsed): Node;
  /** Puts a node in place before its children are there. */
  place(node: Node): Node;
}

/** A node that reads a value whose writer alone knows it. What it gives is no more than different for different keys. */
export function dropped({ kind, of, names, optional }: Parsed, dropping: Dropping): Node {
  const children: Node[] = [];
  const placed = (node: Node): Node => {
    dropping.place(node);
    for (const child of of) children.push(dropping.skip(child));
    return node;
  };
  const choice = (index: number): number =>
    index < names.length ? index : fail("variant", `there is no value number ${index}`);
  const sized = (size: number): Node => reading(kind, 0, 1, (from) => from.skip(from.leb() * size));
  switch (kind) {
    case "bytes":
    case "any":
      return sized(1);
    case "typedArray":
      return sized(ELEMENT_BYTES[names[0] as string] as number);
    case "uuid":
      return reading(kind, 0, 16, (from) => from.skip(16));
    case "enumeration":
      return names.length > MOST_CHOICES
        ? reading(kind, 0, 1, (from) => choice(from.leb()))
        : reading(kind, indexBits(names.length), 0, (_from, head) => choice(head));
    case "union":
      return placed(
        reading(kind, indexBits(names.length), 0, (from, head) => decodeAlone(from, children[choice(head)] as Node)),
      );
    case "nullable": {
      const node = placed(nullableNode(children));
      node.bits = 1 + (children[0] as Node).bits;
      return node;
    }
    case "array":
    case "set":
      return placed(arrayNode(children, false));
    case "record":
      children.push(planOf(string["~def"]).node);
      return placed(pairsNode(children, false));
    case "map":
      return placed(pairsNode(children, false));
    case "tuple":
      return placed(tupleNode(children));
    case "struct": {
      const fields = names.map((name, i) => [name, fieldSegment(name), optional[i]] as const);
      return placed({
        ...reading(kind, 0, 0, () => undefined),
        ...membersNode(
          () => fields.map(([name, segment, may], i) => fieldOf(name, segment, children[i] as Node, may)),
          () => undefined,
          () => () => ({}),
        ),
      });
    }
    default:
      return planOf((simpleLeaves[kind] as AnyCodec)["~def"]).node;
  }
}
