/** Turns the declarations below one root into nodes, and finds out where the schema refers to itself. */
import { fail } from "./fault.ts";
import type { Def, Node, Plan } from "./node.ts";
import type { Declaration } from "./types.ts";

/** Most levels of declarations inside each other, apart from recursion. */
export const MAX_SCHEMA_DEPTH = 200;

/** What both engines work on. */
export interface Planned {
  readonly node: Node;
  /** Whether the message has text sections: whether any string is in the schema. */
  readonly hasText: boolean;
  /** Whether any part of the schema came from a stranger. */
  readonly foreign?: boolean;
  /** Whether the last message that was interpreted had a wide string: the next one is then expected to. Bytes are the same. */
  wide?: boolean;
}

export function planOf(root: Declaration): Planned {
  const nodes = new Map<Def, Node>();
  const busy = new Set<Node>();
  let hasText = false;
  let foreign = false;
  let depth = 0;
  const plan: Plan = {
    node(def) {
      const known = nodes.get(def);
      if (known !== undefined) {
        if (busy.has(known)) known.recursive = true;
        known.uses = (known.uses ?? 1) + 1;
        return known;
      }
      if (depth >= MAX_SCHEMA_DEPTH) fail("schema", `schema nested deeper than ${MAX_SCHEMA_DEPTH}`);
      foreign ||= def.foreign === true;
      depth++;
      const node = def.build(plan);
      depth--;
      if (node.kind === "string") hasText = true;
      if (nodes.get(def) === node) busy.delete(node);
      return node;
    },
    place(def, node) {
      nodes.set(def, node);
      busy.add(node);
      return node;
    },
  };
  const node = plan.node(root as Def);
  for (const each of nodes.values()) if (each.recursive) countDepth(each);
  return { node, hasText, foreign };
}

/** Makes a node count how deep it is inside itself. */
export function countDepth(node: Node): void {
  const { encode, decode } = node;
  node.encode = (out, value, head) => {
    out.enter(value);
    encode(out, value, head);
    out.depth--;
  };
  node.decode = (from, head) => {
    from.enter();
    const value = decode(from, head);
    from.depth--;
    return value;
  };
}
