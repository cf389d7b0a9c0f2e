/**
 * Reading what another version of a schema wrote (after Avro's schema resolution): fields by name, numbers widened, the
 * rest refused in words before a byte is read. The writer's schema chooses among fixed operations; resolved readers are
 * always interpreted, so that nothing of it can become code.
 */
import { CodecError } from "./codec-error.ts";
import { fail } from "./fault.ts";
import { reading, skip, widened, widens } from "./foreign.ts";
import { interpretDecode } from "./interpreter.ts";
import { LEAF_TYPES } from "./kinds.ts";
import type { Node } from "./node.ts";
import { headBits, type Parsed, parseSchema } from "./parse-schema.ts";
import { countDepth, type Planned } from "./plan.ts";
import { Reader } from "./reader.ts";
import { resolveByKind } from "./resolve-kinds.ts";
import { canonical, type Schema } from "./schema.ts";
import type { Decoder } from "./types.ts";

/** Most pairs of a writer's and a reader's node that one resolution looks at. */
const MAX_PAIRS = 16_384;
/** Most differences that are listed. */
const MAX_PROBLEMS = 100;

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
  let hasText = false;
  const add = (list: string[], path: string, text: string): void => {
    if (list.length < MAX_PROBLEMS) list.push(`${path === "" ? "value" : path}: ${text}`);
  };
  const resolution: Resolution = {
    of(w, r, path) {
      if (w.kind === "string" || w.kind === "record") hasText = true;
      const known = pairs.get(w)?.get(r);
      if (known !== undefined) {
        if (busy.has(known)) known.recursive = true;
        return known;
      }
      if (w.kind === r.kind && LEAF_TYPES.has(w.kind)) return r;
      if (++count > MAX_PAIRS)
        throw new CodecError("limit", `resolving these schemas takes more than ${MAX_PAIRS} steps`);
      if (widens(w.kind, r.kind)) {
        this.note(path, `writer's ${w.kind} is widened to ${r.kind}`);
        return widened(w.kind, r.kind === "u64" || r.kind === "i64");
      }
      if (r.kind === "nullable" && w.kind !== "nullable") return this.of(w, r.of[0] as Node, path);
      if (w.kind === "nullable" && r.kind !== "nullable")
        return this.problem(path, `writer may send null, reader wants ${r.kind}`);
      const step = w.kind === r.kind ? resolveByKind.get(r.kind) : undefined;
      if (step === undefined) return this.problem(path, `writer has ${w.kind}, reader wants ${r.kind}`);
      const node = step(w, r, this, path);
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
      if (hasString(w, new Set())) hasText = true;
      return reading(w.kind, headBits(w), 0, (from, head) => skip(from, w, head));
    },
    problem(path, text) {
      add(problems, path, text);
      return reading("problem", 0, 0, () => fail("incompatible", text));
    },
    note: (path, text) => add(notes, path, text),
  };
  const node = resolution.of(writer, reader, "");
  for (const row of pairs.values()) for (const each of row.values()) if (each.recursive) countDepth(each);
  const root = node.root === undefined ? node : { ...node, root: node.root };
  return { planned: { node: root, hasText }, problems, notes };
}

function hasString(node: Parsed, seen: Set<Parsed>): boolean {
  if (seen.has(node)) return false;
  seen.add(node);
  return node.kind === "string" || node.kind === "record" || node.of.some((child) => hasString(child, seen));
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
    decode: (bytes, options) => interpretDecode(resolved, new Reader(bytes), options?.views === true),
    decodeFrom: (reader, options) => interpretDecode(resolved, reader, options?.views === true),
  };
}
