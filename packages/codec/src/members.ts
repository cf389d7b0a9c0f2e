/** What structs and tuples share: members side by side, each with a type of its own. */
import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { define, own } from "./define.ts";
import { absent, expected, within } from "./fault.ts";
import type { Node } from "./node.ts";
import type { In, Out } from "./state.ts";

/** A member, ready to work. */
export interface Field {
  /** Its name, or its index as text. */
  readonly name: string;
  /** Where it is, in the path of an error. */
  readonly segment: string;
  readonly node: Node;
  readonly optional: boolean;
  /** Makes the value of an absent field that has a default. */
  readonly fill: (() => unknown) | undefined;
  /** Whether `Object.prototype` has a member of this name, so that a value must have its own. */
  readonly inherited: boolean;
}

/** @param fill makes the value when it is absent */
export function fieldOf(
  name: string,
  segment: string,
  node: Node,
  optional: boolean = false,
  fill?: Field["fill"],
): Field {
  return { name, segment, node, optional, fill, inherited: name in Object.prototype };
}

/** Bits of a member's head, the one that says whether it is there among them. */
export function widthOf({ node, optional }: Field): number {
  return node.bits + (optional ? 1 : 0);
}

/** Members and the widths of their heads. */
interface Members {
  readonly fields: readonly Field[];
  readonly widths: readonly number[];
  /** Sum of the widths. */
  readonly bits: number;
}

/**
 * What is the same for all nodes with members.
 *
 * @param list gives the members; first called when a value is coded, as a schema may refer to itself
 * @param check refuses what is no value with members
 * @param create makes an empty one
 */
export function membersNode(
  list: () => readonly Field[],
  check: (value: unknown) => void,
  create: () => object,
): Omit<Node, "kind" | "of" | "genEncode" | "genDecode"> {
  let known: Members | undefined;
  const members = (): Members => {
    const fields = list();
    const widths = fields.map(widthOf);
    return (known = { fields, widths, bits: widths.reduce((sum, width) => sum + width, 0) });
  };
  return {
    bits: 0,
    most: 0,
    least(depth) {
      const { fields, bits } = known ?? members();
      const bytes = Math.ceil(bits / 8);
      if (depth === 0) return bytes;
      return fields.reduce((sum, { node, optional }) => sum + (optional ? 0 : node.least(depth - 1)), bytes);
    },
    head: () => 0,
    room(g) {
      const { fields, bits } = known ?? members();
      return Math.ceil(bits / 8) + g.roomOf(fields);
    },
    encode(out, value) {
      check(value);
      encodeMembers(out, known ?? members(), value as Record<string, unknown>);
    },
    decode: (from) => decodeMembers(from, known ?? members(), create() as Record<string, unknown>),
  };
}

function encodeMembers(out: Out, { fields, widths, bits }: Members, value: Record<string, unknown>): void {
  const start = bits > 0 ? openBits(out, bits) : 0;
  let offset = 0;
  let i = 0;
  try {
    for (; i < fields.length; i++) {
      const { name, node, optional, inherited, fill } = fields[i] as Field;
      const item = inherited ? own(value, name) : value[name];
      const width = widths[i] as number;
      let head = 0;
      if (width > 0) {
        if (optional && item === undefined) {
          if (out.strict && fill !== undefined) expected("a value, as decoding fills in its default", item);
          offset += width;
          continue;
        }
        head = node.head(out, item);
        putBits(out.writer.bytes, start, offset, width, optional ? (head << 1) | 1 : head);
        offset += width;
      }
      node.encode(out, item, head);
    }
  } catch (error) {
    throw within(error, (fields[i] as Field).segment);
  }
}

function decodeMembers(
  from: In,
  { fields, widths, bits }: Members,
  value: Record<string, unknown>,
): Record<string, unknown> {
  const start = bits > 0 ? takeBits(from, bits) : 0;
  let offset = 0;
  let i = 0;
  try {
    for (; i < fields.length; i++) {
      const { name, node, optional, fill } = fields[i] as Field;
      const width = widths[i] as number;
      const head = width > 0 ? getBits(from.bytes, start, offset, width) : 0;
      let item: unknown;
      offset += width;
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
    throw within(error, (fields[i] as Field).segment);
  }
  return value;
}
