/** What structs and tuples share: members side by side, each with a type of its own. */
import { getBits, openBits, putBits, takeBits } from "./bits.ts";
import { own } from "./define.ts";
import { absent, expected, within } from "./fault.ts";
import type { Node } from "./node.ts";
import { takeSetter } from "./setters.ts";
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

/** A member as the interpreter needs it: nodes are of many shapes, this is of one. */
class Step {
  declare readonly field: Field;
  declare readonly name: string;
  declare readonly optional: boolean;
  /** Where its head lies among the head bits. */
  declare readonly offset: number;
  declare readonly width: number;
  declare readonly head: Node["head"];
  declare readonly encode: Node["encode"];
  declare readonly decode: Node["decode"];
  /** Taken when a value is first decoded. */
  set: ReturnType<typeof takeSetter> | undefined = undefined;

  constructor(field: Field, offset: number) {
    this.field = field;
    this.name = field.name;
    this.optional = field.optional;
    this.offset = offset;
    this.width = widthOf(field);
    ({ head: this.head, encode: this.encode, decode: this.decode } = field.node);
  }
}

/** Members as steps, and the sum of the widths of their heads. */
interface Members {
  readonly steps: readonly Step[];
  readonly bits: number;
}

/**
 * What is the same for all nodes with members.
 *
 * @param list gives the members; first called when a value is coded, as a schema may refer to itself
 * @param check refuses what is no value with members
 * @param create makes the function that makes an empty one
 */
export function membersNode(
  list: () => readonly Field[],
  check: (value: unknown) => void,
  create: () => () => object,
): Omit<Node, "kind" | "of" | "genEncode" | "genDecode"> {
  let known: Members | undefined;
  let make: () => object;
  const members = (): Members => {
    let bits = 0;
    const steps = list().map((field) => {
      const step = new Step(field, bits);
      bits += step.width;
      return step;
    });
    make = create();
    return (known = { steps, bits });
  };
  return {
    bits: 0,
    most: 0,
    least(depth) {
      const { steps, bits } = known ?? members();
      const bytes = Math.ceil(bits / 8);
      if (depth === 0) return bytes;
      return steps.reduce((sum, { field, optional }) => sum + (optional ? 0 : field.node.least(depth - 1)), bytes);
    },
    head: () => 0,
    room(g) {
      const { bits } = known ?? members();
      return Math.ceil(bits / 8) + g.roomOf(list());
    },
    encode(out, value) {
      check(value);
      encodeMembers(out, known ?? members(), value as Record<string, unknown>);
    },
    decode(from) {
      const here = known ?? members();
      return decodeMembers(from, here, make() as Record<string, unknown>);
    },
  };
}

function encodeMembers(out: Out, { steps, bits }: Members, value: Record<string, unknown>): void {
  const start = bits > 0 ? openBits(out, bits) : 0;
  let i = 0;
  try {
    for (; i < steps.length; i++) {
      const { name, optional, offset, width, field, encode } = steps[i] as Step;
      const item = field.inherited ? own(value, name) : value[name];
      let head = 0;
      if (width > 0) {
        if (optional && item === undefined) {
          if (out.strict && field.fill !== undefined) expected("a value, as decoding fills in its default", item);
          continue;
        }
        head = (steps[i] as Step).head(out, item);
        putBits(out.writer.bytes, start, offset, width, optional ? (head << 1) | 1 : head);
      }
      encode(out, item, head);
    }
  } catch (error) {
    throw within(error, (steps[i] as Step).field.segment);
  }
}

function decodeMembers(from: In, { steps, bits }: Members, value: Record<string, unknown>): Record<string, unknown> {
  const start = bits > 0 ? takeBits(from, bits) : 0;
  let i = 0;
  try {
    for (; i < steps.length; i++) {
      const { name, optional, offset, width, field, decode } = steps[i] as Step;
      const head = width > 0 ? getBits(from.bytes, start, offset, width) : 0;
      let item: unknown;
      if (!optional) item = decode(from, head);
      else if ((head & 1) === 1) item = decode(from, head >> 1);
      else {
        absent(head);
        if (field.fill === undefined) continue;
        from.charge(1);
        item = field.fill();
      }
      ((steps[i] as Step).set ??= takeSetter(name))(value, name, item);
    }
  } catch (error) {
    throw within(error, (steps[i] as Step).field.segment);
  }
  return value;
}
