/**
 * Reading what another version of a schema wrote (after Avro's schema resolution): fields by name, numbers widened, the
 * rest refused in words before a byte is read. The writer's nodes read the bytes; resolution gives them the reader's
 * children, and what they read the reader's form. Nothing of it is ever compiled.
 */
import { CodecError } from "./codec-error.ts";
import type { Node } from "./node.ts";
import { countDepth } from "./plan.ts";
import { resolveByKind } from "./resolve-kinds.ts";
import { widened, widens } from "./widen.ts";

/** Most pairs of a writer's and a reader's node that one resolution looks at. */
const MAX_PAIRS = 16_384;
/** Most of them inside each other: what a stack surely holds. */
const MAX_LEVELS = 1024;
/** Most differences that are listed. */
const MAX_PROBLEMS = 100;

/** What the resolution of one kind may ask for. */
export interface Resolution {
  /** The node that reads what `writer` wrote and gives what `reader` would. */
  of(writer: Node, reader: Node, path: string): Node;
  /** Puts a node in place before its children are there. */
  place(writer: Node, reader: Node, node: Node): Node;
  /** Notes a difference that cannot be bridged. */
  problem(path: string, text: string): Node;
  /** Notes one that can. */
  note(path: string, text: string): void;
}

/** The outcome of setting a reader against a writer. */
export interface Resolved {
  readonly node: Node;
  /** Differences that cannot be bridged. None: compatible. */
  readonly problems: readonly string[];
  /** Differences that are bridged. */
  readonly notes: readonly string[];
}

export function resolve(writer: Node, reader: Node): Resolved {
  const pairs = new Map<Node, Map<Node, Node>>();
  const busy = new Set<Node>();
  const problems: string[] = [];
  const notes: string[] = [];
  let count = 0;
  let level = 0;
  const add = (list: string[], path: string, text: string): void => {
    if (list.length < MAX_PROBLEMS) list.push(`${path === "" ? "value" : path}: ${text}`);
  };
  const resolution: Resolution = {
    // No function between: every pair of structs that refer to each other is a level of the stack.
    of(w, r, path) {
      const known = pairs.get(w)?.get(r);
      if (known !== undefined) {
        if (busy.has(known)) known.recursive = true;
        return known;
      }
      if (++count > MAX_PAIRS || level > MAX_LEVELS) {
        throw new CodecError(
          "limit",
          `resolving these schemas takes more than ${MAX_PAIRS} steps or ${MAX_LEVELS} levels`,
        );
      }
      if (widens(w.kind, r.kind)) {
        this.note(path, `writer's ${w.kind} is widened to ${r.kind}`);
        return widened(w, r);
      }
      if (r.kind === "nullable" && w.kind !== "nullable") return this.of(w, r.of[0] as Node, path);
      if (w.kind === "nullable" && r.kind !== "nullable")
        return this.problem(path, `writer may send null, reader wants ${r.kind}`);
      if (w.kind !== r.kind) return this.problem(path, `writer has ${w.kind}, reader wants ${r.kind}`);
      level++;
      const node = resolveByKind(w, r, this, path);
      level--;
      busy.delete(node);
      return node;
    },
    place(w, r, node) {
      let row = pairs.get(w);
      if (row === undefined) pairs.set(w, (row = new Map()));
      row.set(r, node);
      busy.add(node);
      return node;
    },
    problem(path, text) {
      add(problems, path, text);
      return reader;
    },
    note: (path, text) => add(notes, path, text),
  };
  const node = resolution.of(writer, reader, "");
  for (const row of pairs.values()) for (const each of row.values()) if (each.recursive) countDepth(each);
  return { node, problems, notes };
}
