/**
 * Reading what another version of a schema wrote (after Avro's schema resolution): fields by name, numbers widened, the
 * rest refused in words before a byte is read. The writer's schema chooses among fixed operations; resolved readers are
 * always interpreted, so that nothing of it can become code.
 */
import { CodecError } from "./codec-error.ts";
import { fail } from "./fault.ts";
import { dropped, reading, widened, widens } from "./foreign.ts";
import { interpretDecode } from "./interpreter.ts";
import { LEAF_TYPES } from "./kinds.ts";
import type { Node } from "./node.ts";
import { type Parsed, parseSchema } from "./parse-schema.ts";
import { countDepth, type Planned } from "./plan.ts";
import { resolveByKind } from "./resolve-kinds.ts";
import { canonical, type Schema } from "./schema.ts";
import type { Decoder } from "./types.ts";

/** Most pairs of a writer's and a reader's node that one resolution looks at. */
const MAX_PAIRS = 16_384;
/** Most of them inside each other: what a stack surely holds. */
const MAX_LEVELS = 1024;
/** Most differences that are listed. */
const MAX_PROBLEMS = 100;

/** Stands for the reader's node where the reader has none. */
const NOTHING: Node = /* @__PURE__ */ reading("nothing", 0, 0, () => undefined);

/** What the resolution of one kind may ask for. */
export interface Resolution {
  /** The node that reads what `writer` describes and gives what `reader` would. */
  of(writer: Parsed, reader: Node, path: string): Node;
  /** Puts a node in place before its children are there. */
  place(writer: Parsed, reader: Node, node: Node): Node;
  /** A node that passes over a value. */
  skip(writer: Parsed): Node;
  /** Notes a difference that cannot be bridged. */
  problem(path: string, text: string): Node;
  /** Notes one that can. */
  note(path: string, text: string): void;
}

/** The outcome of setting a reader against a writer's schema. */
export interface Resolved {
  readonly planned: Planned;
  /** Differences that cannot be bridged. None: compatible. */
  readonly problems: readonly string[];
  /** Differences that are bridged. */
  readonly notes: readonly string[];
}

export function resolve(reader: Node, writer: Parsed): Resolved {
  const pairs = new Map<Parsed, Map<Node, Node>>();
  const busy = new Set<Node>();
  const problems: string[] = [];
  const notes: string[] = [];
  let count = 0;
  let level = 0;
  let hasText = false;
  const add = (list: string[], path: string, text: string): void => {
    if (list.length < MAX_PROBLEMS) list.push(`${path === "" ? "value" : path}: ${text}`);
  };
  /** The node for a pair that was met before; notes that a new one is. */
  const find = (w: Parsed, r: Node): Node | undefined => {
    const known = pairs.get(w)?.get(r);
    if (known !== undefined && busy.has(known)) known.recursive = true;
    if (known === undefined && (++count > MAX_PAIRS || level > MAX_LEVELS)) {
      throw new CodecError(
        "limit",
        `resolving these schemas takes more than ${MAX_PAIRS} steps or ${MAX_LEVELS} levels`,
      );
    }
    if (w.kind === "string" || w.kind === "record") hasText = true;
    return known;
  };
  const resolution: Resolution = {
    // No function between: every pair of structs that refer to each other is a level of the stack.
    of(w, r, path) {
      const known = find(w, r);
      if (known !== undefined) return known;
      if (w.kind === r.kind && LEAF_TYPES.has(w.kind)) return r;
      if (widens(w.kind, r.kind)) {
        this.note(path, `writer's ${w.kind} is widened to ${r.kind}`);
        return widened(w.kind, r.kind === "u64" || r.kind === "i64");
      }
      if (r.kind === "nullable" && w.kind !== "nullable") return this.of(w, r.of[0] as Node, path);
      if (w.kind === "nullable" && r.kind !== "nullable")
        return this.problem(path, `writer may send null, reader wants ${r.kind}`);
      const step = w.kind === r.kind ? resolveByKind.get(r.kind) : undefined;
      if (step === undefined) return this.problem(path, `writer has ${w.kind}, reader wants ${r.kind}`);
      level++;
      const node = step(w, r, this, path);
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
    skip(w) {
      const known = find(w, NOTHING);
      if (known !== undefined) return known;
      const place = (node: Node): Node => this.place(w, NOTHING, node);
      const node = dropped(w, { skip: (child) => this.skip(child), place });
      busy.delete(node);
      return node;
    },
    problem(path, text) {
      add(problems, path, text);
      return reading("problem", 0, 0, () => fail("incompatible", text));
    },
    note: (path, text) => add(notes, path, text),
  };
  const node = resolution.of(writer, reader, "");
  for (const row of pairs.values()) for (const each of row.values()) if (each.recursive) countDepth(each);
  return { planned: { node, hasText }, problems, notes };
}

/** Whether two schemas are the same but for documentation. */
export function sameSchema(a: Schema, b: Schema): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

/** A decoder of `own` for what `writer` wrote. @throws CodecError */
export function resolveReader(own: Schema, planned: Planned, writer: Schema): Decoder<unknown> | undefined {
  const parsed = parseSchema(writer);
  if (sameSchema(own, writer)) return undefined;
  const { planned: resolved, problems } = resolve(planned.node, parsed);
  if (problems.length > 0)
    throw new CodecError("incompatible", `cannot read this writer's values: ${problems.join("; ")}`);
  return {
    decode: (bytes, options) => interpretDecode(resolved, bytes, undefined, 0, bytes.length, options?.views === true),
    decodeFrom(reader, options) {
      const { bytes, view, pos, end } = reader;
      const value = interpretDecode(resolved, bytes, view, pos, end, options?.views === true);
      reader.pos = end;
      return value;
    },
  };
}
